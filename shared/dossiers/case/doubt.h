/* What a community has filed, held against the catalogue by its street. Private to this folder. */
#ifndef CASE_DOUBT_H
#define CASE_DOUBT_H

#include "office/office.h"

/* For the type's table: does the filing give any office more to decide than the item does? */
MUST_USE enum err case_doubt(struct office *o, struct db *db, const struct dossier_event *x,
                             struct text_set *seen, char why[DOUBT_BYTES], struct errmsg *e);

#endif
