/* The papers of a list, as they are handed in. Private to this folder. */
#ifndef CASE_PAPERS_CHECK_H
#define CASE_PAPERS_CHECK_H

#include "base/json.h"
#include "base/problem.h"
#include "db/db.h"

/**
 * papers_check(db, item, given, ret, p, e):
 * Are the papers of ${given} of the ${item}, and here? *ret: the same list with size, type and name.
 *
 * Shapes  given: [{code, documents: [digest], later?, commitment?}]; *ret: [{code, documents:
 *         [{digest, media_type, size, name}], ...}].
 * Owns    *ret is the caller's.
 * Errors  ERR_INVALID with a problem that names the paper. Others of the store.
 */
MUST_USE enum err papers_check(struct db *db, const struct json *item, const struct json *given,
                               struct json **ret, struct problem *p, struct errmsg *e);

#endif
