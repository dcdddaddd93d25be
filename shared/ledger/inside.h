/* What the files of this floor share. Private. Who calls whom, downwards only:
 *
 *   receive  epoch
 *   ledger
 *   outbox  verify
 *   link_rows  recall  witness
 *   row  chain  meta
 *   event                    (blob stands beside) */
#ifndef LEDGER_INSIDE_H
#define LEDGER_INSIDE_H

#include "ledger/chain.h"
#include "ledger/ledger.h"
#include "ledger/row.h"

/* The row of an event, as applied. hash NULL: its origin is held only in part. from NULL: appended
 * here. up_pos: its position in the outbox to the parent, 0: none. */
MUST_USE enum err row_store(struct db *db, const struct event *ev, const unsigned char *hash,
                            const char *from, uint64_t up_pos, struct errmsg *e);
MUST_USE enum err row_state(struct db *db, const struct event *ev, const char *state,
                            const char *reason, struct errmsg *e);
/* The last position given out in the outbox to the parent; *ret_there false: there is no such link.
 */
MUST_USE enum err outbox_up_head(const struct ledger *l, struct db *db, bool *ret_there,
                                 uint64_t *ret_pos, struct errmsg *e);
MUST_USE enum err outbox_set_up_head(const struct ledger *l, struct db *db, uint64_t pos,
                                     struct errmsg *e);
MUST_USE enum err chain_set_head(struct db *db, const char *origin, uint64_t seq,
                                 const unsigned char hash[32], struct errmsg *e);
/* Copy a column of 32 bytes; false when it does not hold exactly so many. */
bool chain_copy32(struct stmt *st, int i, unsigned char out[32]);
/* ERR_PEER: that is not the signature of the key over this head. */
MUST_USE enum err witness_check(const unsigned char key[32], const char *origin, uint64_t seq,
                                const unsigned char hash[32], const unsigned char sig[64],
                                struct errmsg *e);
/* Remember the newest clock: the next start goes on behind it. */
MUST_USE enum err ledger_keep_clock(struct ledger *l, struct db *db, struct errmsg *e);

#endif
