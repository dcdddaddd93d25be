/* What a child must be told: when it is enrolled, and when its program has learned something. Only
 * outboxes are written. */
#ifndef OFFICE_WELCOME_H
#define OFFICE_WELCOME_H

#include "office/office.h"

/* Put everything that the child must know into its outbox: its own past first, in order, for it may
 * have been here before; then the facts, then the dossiers in which it has part. */
MUST_USE enum err welcome(struct office *o, struct db *db, const char *child, struct errmsg *e);
/* The history of one dossier, as far as it is told to who has part: not what was not its author's to
 * say, nor what is not known here and comes from a stranger. Each event once. */
MUST_USE enum err welcome_dossier(struct office *o, struct db *db, const char *child,
                                  const char *id, struct errmsg *e);
/* The dossiers of one type in which it has part. */
MUST_USE enum err welcome_type(struct office *o, struct db *db, const char *child,
                               const struct dossier_type *t, struct errmsg *e);

/* Does a fact about `place` (NULL: about everybody) concern the child? */
bool fact_concerns(const char *place, const char *child);

/* site.equipped/1: {site, program, types, critical}. A child that has learned a type gets what of it is
 * here. */
MUST_USE enum err site_equipped(struct office *o, struct db *db, const struct event *ev,
                                const struct json *record, const struct json *personal,
                                struct errmsg *e);

#endif
