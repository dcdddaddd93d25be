/* Custody time: how long a community may decide without hearing from its street. On clocks that a wall
 * clock cannot move. Source: protocol.md 6. */
#ifndef OFFICE_LEASE_H
#define OFFICE_LEASE_H

#include "office/fold.h"
#include "office/office.h"

/* The lease clock goes on where it stood when the database was closed. For office_open(). */
MUST_USE enum err lease_open(struct office *o, struct db *db, struct errmsg *e);

/* What a CLOCK frame says: ms on the parent's lease clock, and where its outbox to the child ended. */
struct lease_promise {
    int64_t now_ms;      /* the parent's clock when it answered */
    int64_t promised_ms; /* ... when it promised */
    int64_t length_ms;   /* how long from then */
    uint64_t pos;        /* of its outbox to the child, then */
};
/* Parent: promise again; durable with this transaction. */
MUST_USE enum err lease_promise(struct office *o, struct db *db, const char *child,
                                struct lease_promise *ret, struct errmsg *e);
/* Child: what the parent answered to a question asked at asked_mono_ms. */
MUST_USE enum err lease_keep(struct office *o, struct db *db, int64_t asked_mono_ms,
                             const struct lease_promise *p, struct errmsg *e);
/* Child: before the first byte goes over a link, everything may have been seen by the parent; after
 * it, what is appended has not. Both durable before they are relied on. */
MUST_USE enum err lease_link_opens(struct db *db, struct errmsg *e);
MUST_USE enum err lease_link_closed(struct office *o, struct db *db, struct errmsg *e);

/* Child: does the lease hold now? Only once everything is here that the parent had said before it
 * promised: a case may have been taken back. A street and a district need none. */
MUST_USE enum err lease_held(struct office *o, struct db *db, bool *ret, struct errmsg *e);
/* May this site decide a dossier of its custody now? One that the parent can never have seen needs no
 * lease. */
MUST_USE enum err lease_covers(struct office *o, struct db *db, const struct dossier *d, bool *ret,
                               struct errmsg *e);
/* Parent, made anew or restored: what it promised last is forgotten, so every child, also one that is
 * not enrolled yet, counts as promised now. */
MUST_USE enum err lease_forgotten(struct office *o, struct db *db, struct errmsg *e);
/* Parent: has the lease of this child run out, margin and all? Never promised, as far as this site can
 * know: it has. */
MUST_USE enum err lease_over(struct office *o, struct db *db, const char *child, bool *ret,
                             struct errmsg *e);
/* Parent: has the child a lease that has not run out? */
MUST_USE enum err lease_stands(struct office *o, struct db *db, const char *child, bool *ret,
                               struct errmsg *e);

#endif
