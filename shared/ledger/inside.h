/* What the files of this floor share. Private. */
#ifndef LEDGER_INSIDE_H
#define LEDGER_INSIDE_H

#include "ledger/ledger.h"

/* The row of an event, as applied. hash NULL: its origin is held only in part. from NULL: appended
 * here. up_pos: its position in the outbox to the parent, 0: none. */
MUST_USE enum err event_store(struct db *db, const struct event *ev, const unsigned char *hash,
                              const char *from, uint64_t up_pos, struct errmsg *e);
/* The last position given out in the outbox to the parent; *ret_there false: there is no such link.
 */
MUST_USE enum err up_head(const struct ledger *l, struct db *db, bool *ret_there, uint64_t *ret_pos,
                          struct errmsg *e);
MUST_USE enum err up_head_set(const struct ledger *l, struct db *db, uint64_t pos,
                              struct errmsg *e);
MUST_USE enum err head_set(struct db *db, const char *origin, uint64_t seq,
                           const unsigned char hash[32], struct errmsg *e);
/* Remember the newest clock: the next start goes on behind it. */
MUST_USE enum err clock_keep(struct ledger *l, struct db *db, struct errmsg *e);

#endif
