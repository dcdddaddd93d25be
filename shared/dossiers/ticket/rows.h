/* The row of a ticket, as its fold tells: it can be dropped and made again. Private to this folder. */
#ifndef TICKET_ROWS_H
#define TICKET_ROWS_H

#include "dossiers/ticket/state.h"

/* For the type's table (office/dossier.h says what each does). */
MUST_USE enum err ticket_rows_save(struct office *o, struct db *db, const struct dossier *d,
                                   struct errmsg *e);
MUST_USE enum err ticket_rows_drop(struct db *db, const char *id, struct errmsg *e);
MUST_USE enum err ticket_concerns(struct db *db, const char *id, struct text_set *ret_sites,
                                  bool *ret_known, struct errmsg *e);
MUST_USE enum err ticket_each_of(struct db *db, const char *site,
                                 enum err (*fn)(void *arg, const char *id, struct errmsg *e),
                                 void *arg, struct errmsg *e);
#define TICKET_TABLE_COUNT 1
extern const struct projection ticket_tables[TICKET_TABLE_COUNT];

/* The hall gives a place to what was issued elsewhere and has come, as long as its day holds. */
MUST_USE enum err ticket_join(struct office *o, struct db *db, const char *id, struct errmsg *e);

#endif
