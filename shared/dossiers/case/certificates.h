/* Results. Private to this folder; the queries are in case.h. */
#ifndef CASE_CERTIFICATES_H
#define CASE_CERTIFICATES_H

#include "dossiers/case/state.h"

/* Issue the result of a granted case, with a number of this site's block and a code that anyone can
 * check. ERR_CONFLICT with a problem: the block is used up. */
MUST_USE enum err certificate_issue(struct office *o, struct db *db, const struct caller *c,
                                    const struct dossier *d, struct problem *p, struct errmsg *e);

#endif
