/* Dossiers out of the ledger, or of events at hand, folded. */
#ifndef OFFICE_LOAD_H
#define OFFICE_LOAD_H

#include "ledger/ledger.h"
#include "office/fold.h"

/**
 * dossier_load(w, db, id, ret, e):
 * Read all events of the dossier ${id} that are held here, and fold them.
 *
 * Owns    ${ret}, until dossier_close(). None of its JSON may become a part of what lives longer:
 *         json_copy() it.
 * Errors  ERR_NOT_FOUND: no event of it is here. ERR_UNSUPPORTED: a type that this program does not
 *         know. Others of the store. Then there is nothing to close.
 */
MUST_USE enum err dossier_load(const struct office_work *w, struct db *db, const char *id,
                               struct dossier *ret, struct errmsg *e);
void dossier_close(struct dossier *d);

/* The same of arrivals at hand, which are all that there is of it: their texts must live on. In the
 * memory of a, without an end of its own. *ret_holds: its state holds what dossier_unfold() frees. */
struct dossier *dossier_of_arrivals(const struct dossier_type *t, struct arrival *const *at,
                                    size_t count, struct arena *a, bool *ret_holds);

#endif
