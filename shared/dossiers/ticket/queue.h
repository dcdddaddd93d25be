/* A queue as it stands now: nothing of it is stored. Private to this folder. */
#ifndef TICKET_QUEUE_H
#define TICKET_QUEUE_H

#include "dossiers/ticket/state.h"

/* A ticket holds until four in the morning after its day: a hall that works on past midnight calls who
 * still waits, and the next day begins with nobody. */
#define TICKET_HOLDS_MS (4LL * 3600 * 1000)

/* The oldest day, yymmdd, whose tickets hold now. */
void queue_oldest_day(const struct office *o, char out[7]);
/* Does the ticket still hold, as far as its day goes? */
bool queue_holds(const struct office *o, const char *id);

/* How many of the queue are before it; *ret -1: it does not wait, or not here where that is known. */
MUST_USE enum err queue_ahead(struct office *o, struct db *db, const struct dossier *d,
                              int64_t *ret, struct errmsg *e);

/* When who has so many before him may be called, in minutes from now: {from, to}; JSON null where
 * nothing tells. The caller's. */
MUST_USE enum err queue_estimate(struct office *o, struct db *db, const char *hall,
                                 const char *queue, int64_t ahead, struct json **ret,
                                 struct errmsg *e);

/* Whom a window calls next; out "": nobody waits. */
MUST_USE enum err queue_first(struct office *o, struct db *db, const char *queue,
                              const char *window, char out[33], struct errmsg *e);
/* What a window has in hand, but for `other`; out "": nothing. */
MUST_USE enum err queue_in_hand(struct office *o, struct db *db, const char *window,
                                const char *other, char out[33], struct errmsg *e);
/* The place behind so many who wait in the queue, of the same class; 0: at its end. */
MUST_USE enum err queue_place(struct office *o, struct db *db, const char *queue, int rank,
                              int64_t behind, int64_t *ret, struct errmsg *e);

#endif
