/* Verdicts in the ledger, and the repair items that follow from them: what did not fit is shown to
 * whose work it was, with a reason and a day, and is gone when it fits after all. */
#ifndef OFFICE_VERDICT_H
#define OFFICE_VERDICT_H

#include "office/fold.h"
#include "office/office.h"

/**
 * verdicts_save(db, d, ret_changed, ret_moved, e):
 * Write what became of each event of ${d}, where the ledger says otherwise, and its repair item.
 *
 * Shapes  *ret_changed: any did, so that rows made before may be wrong. *ret_moved: something that was
 *         denied stands now.
 * Errors  Of the store. */
MUST_USE enum err verdicts_save(struct db *db, const struct dossier *d, bool *ret_changed,
                                bool *ret_moved, struct errmsg *e);

/* The same of a fact. why NULL: it is applied, or unknown. */
MUST_USE enum err verdict_fact(struct db *db, const struct event *ev, enum verdict v,
                               const char *why, struct errmsg *e);

/* {dossier, kind, reason, owner, deadline_ms, origin, seq} of those that the caller may see. */
office_fn repair_list;

#endif
