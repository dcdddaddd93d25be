/* What people are told of an error that nobody has explained. Pure. */
#ifndef API_EXPLAIN_H
#define API_EXPLAIN_H

#include "base/err.h"
#include "base/problem.h"

/* Fill ${p} for ${err}, which is not OK; ${e} may be NULL. */
void explain_err(enum err err, const struct errmsg *e, struct problem *p);

#endif
