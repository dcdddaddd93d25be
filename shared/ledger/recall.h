/* A past that was forgotten. A site that is made anew or restored from a backup may have forgotten
 * events of its own which its parent holds: it appends nothing until they are back.
 * Source  protocol.md 7 */
#ifndef LEDGER_RECALL_H
#define LEDGER_RECALL_H

#include "db/db.h"

#include <stdint.h>

struct ledger;

/* The own past is asked for: nothing is appended until ledger_recall_end(). */
MUST_USE enum err ledger_recall_begin(struct db *db, struct errmsg *e);
/* Is it being asked for? */
MUST_USE enum err ledger_recalling(struct db *db, bool *ret, struct errmsg *e);
/* The own chain and the parent's are the same up to where ours ends: from now on own events are
 * taken from the parent, in order. Before (and without a recall) they are passed over. */
MUST_USE enum err ledger_recall_agreed(struct db *db, struct errmsg *e);
MUST_USE enum err ledger_recall_takes(struct db *db, bool *ret, struct errmsg *e);
/* numbers_after: number blocks leased up to this clock are not used any more; 0: nothing was
 * forgotten. */
MUST_USE enum err ledger_recall_end(struct db *db, uint64_t numbers_after, struct errmsg *e);

/**
 * ledger_new_epoch(l, db, seq, e):
 * The own events behind ${seq} become the first of a new epoch: the past behind it was forgotten
 * and is another's. They keep their ids and signatures; every outbox gets them by the new names.
 *
 * Order   l->origin is the new one afterwards. Whoever folds by (hlc, origin, seq) folds again.
 */
MUST_USE enum err ledger_new_epoch(struct ledger *l, struct db *db, uint64_t seq, struct errmsg *e);

#endif
