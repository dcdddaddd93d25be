/* What the files of this floor share. Private. */
#ifndef LEDGER_INSIDE_H
#define LEDGER_INSIDE_H

#include "ledger/ledger.h"

/* The row of an event, as applied. hash NULL: its origin is held only in part. from NULL: appended here. */
MUST_USE enum err event_store(struct db *db, const struct event *ev, const unsigned char *hash, const char *from,
                              struct errmsg *e);
MUST_USE enum err head_set(struct db *db, const char *origin, uint64_t seq, const unsigned char hash[32],
                           struct errmsg *e);
/* Remember the newest clock: the next start goes on behind it. */
MUST_USE enum err clock_keep(struct ledger *l, struct db *db, struct errmsg *e);

#endif
