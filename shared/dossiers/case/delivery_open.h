/* One delivery, as its caller may see it. Private to this folder. */
#ifndef CASE_DELIVERY_OPEN_H
#define CASE_DELIVERY_OPEN_H

#include "dossiers/case/state.h"

/* The case of a delivery, if this caller may see it: the office's people by their cases, a courier by
 * what is assigned to him. ERR_NOT_FOUND with a problem. dossier_close(). */
MUST_USE enum err delivery_open(struct office *o, struct db *db, const struct caller *c,
                                const char *id, struct dossier *ret, struct problem *p,
                                struct errmsg *e);
/* What is shown of it; the caller's. */
struct json *delivery_view(struct db *db, const struct caller *c, const struct dossier *d);

#endif
