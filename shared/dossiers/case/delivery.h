/* Ordering a delivery, and which of its steps a caller may take. Private to this folder. */
#ifndef CASE_DELIVERY_H
#define CASE_DELIVERY_H

#include "dossiers/case/state.h"

/* Say that the result of the case is to be brought to where the filing asks. */
MUST_USE enum err delivery_order(struct office *o, struct db *db, const struct caller *c,
                                 const struct dossier *d, struct errmsg *e);
bool delivery_may(const struct caller *c, const struct dossier *d, const char *action);
/* Their names, as a list; the caller's. */
struct json *delivery_actions(const struct caller *c, const struct dossier *d);

#endif
