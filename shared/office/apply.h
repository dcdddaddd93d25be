/* How events become rows. For struct ledger: arg is the office. */
#ifndef OFFICE_APPLY_H
#define OFFICE_APPLY_H

#include "office/blocks.h"
#include "office/office.h"

/* ledger_apply_fn. The events of a dossier are folded together, whatever order they came in; a fact
 * says something by itself, the newest wins. What a child has numbered wrongly is overruled, and
 * types answer to what has come. */
enum err office_apply(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                      struct arena *a, struct errmsg *e);

/* Verdicts and rows of a folded dossier, and its numbers into m. *ret_moved: see verdicts_save(). */
MUST_USE enum err apply_dossier(struct office *o, struct db *db, const struct dossier *d,
                                struct marks *m, bool *ret_moved, struct errmsg *e);

/* Let the type of the dossier answer to what of it can be read only now (dossier.h). */
MUST_USE enum err apply_answer(struct office *o, struct db *db, const struct dossier_type *t,
                               const char *id, struct errmsg *e);

/* The fact ev, of which record and personal are parsed. *ret_verdict and *ret_why (in a): what
 * becomes of it; nothing is left of what does not fit. */
MUST_USE enum err apply_fact(struct office *o, struct db *db, const struct event *ev,
                             const struct json *record, const struct json *personal,
                             struct arena *a, enum verdict *ret_verdict, const char **ret_why,
                             struct errmsg *e);

#endif
