/* Outboxes: position -> event, per link. Everything that did not come from the parent goes up to
 * it, in the order in which it was stored; a child gets a selection. Inside a transaction of the
 * writer; outbox_read() and outbox_unsent() also in a reader's. */
#ifndef LEDGER_OUTBOX_H
#define LEDGER_OUTBOX_H

#include "db/db.h"
#include "ledger/event.h"

struct ledger;

/* One event at the end of the outbox of peer, a child, once. A peer without a link gets nothing. */
MUST_USE enum err ledger_enqueue(struct ledger *l, struct db *db, const char *peer,
                                 const char *origin, uint64_t seq, struct errmsg *e);
/* Also when it was given out before: the peer has forgotten it. */
MUST_USE enum err ledger_enqueue_again(struct ledger *l, struct db *db, const char *peer,
                                       const char *origin, uint64_t seq, struct errmsg *e);
/* The whole history of a dossier as far as it is held here, each event once, in the order (hlc,
 * origin, seq); without what was not its author's to say ('refused', 'denied'). */
MUST_USE enum err ledger_enqueue_dossier(struct ledger *l, struct db *db, const char *peer,
                                         const char *dossier, struct errmsg *e);

/**
 * outbox_read(db, peer, from_pos, max_events, max_bytes, fn, arg, ret_pos, e):
 * Call ${fn} for the events at ${from_pos}+1 and on: at most ${max_events}, and no more once they
 * fill ${max_bytes}, but always the first. *ret_pos is the last position given.
 *
 * Owns    The event's texts are good until ${fn} returns.
 */
MUST_USE enum err outbox_read(struct db *db, const char *peer, uint64_t from_pos, int max_events,
                              size_t max_bytes, void (*fn)(void *arg, const struct event *ev),
                              void *arg, uint64_t *ret_pos, struct errmsg *e);
/* What the peer does not hold yet: how many, and since when (wall ms; 0 = nothing). */
MUST_USE enum err outbox_unsent(struct db *db, const char *peer, int64_t *ret_count,
                                int64_t *ret_oldest_ms, struct errmsg *e);

#endif
