/* The rows of a case, as its fold tells: they can be dropped and made again. Private to this folder. */
#ifndef CASE_ROWS_H
#define CASE_ROWS_H

#include "dossiers/case/state.h"

/* For the type's table (office/dossier.h says what each does). */
MUST_USE enum err case_rows_save(struct office *o, struct db *db, const struct dossier *d,
                                 struct errmsg *e);
MUST_USE enum err case_rows_drop(struct db *db, const char *id, struct errmsg *e);
MUST_USE enum err case_concerns(struct db *db, const char *id, struct text_set *ret_sites,
                                bool *ret_known, struct errmsg *e);
MUST_USE enum err case_each_of(struct db *db, const char *site,
                               enum err (*fn)(void *arg, const char *id, struct errmsg *e),
                               void *arg, struct errmsg *e);
#define CASE_TABLE_COUNT 3
extern const struct projection case_tables[CASE_TABLE_COUNT];

#endif
