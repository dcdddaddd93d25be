/* Which children must hear of an event. */
#ifndef OFFICE_ROUTE_H
#define OFFICE_ROUTE_H

#include "office/office.h"

/* ledger_route_fn, behind office_apply() of the same batch: arg is the office. Only what stands, or
 * was at least its author's to say, goes down; only to children that have part, and whose program
 * knows the type. */
enum err office_route(void *arg, struct db *db, const struct arrival *list, size_t n,
                      const char *from, struct arena *a, struct errmsg *e);

/* A dossier that this program can read only now: its whole history to whoever has part. */
MUST_USE enum err route_whole(struct office *o, struct db *db, const struct dossier_type *t,
                              const char *id, struct errmsg *e);
/* Likewise a fact. */
MUST_USE enum err route_fact_again(struct office *o, struct db *db, const struct event *ev,
                                   const struct json *record, struct errmsg *e);

#endif
