/* What people file, as a program would send it. For the benchmarks only. */
#ifndef BENCH_FILING_H
#define BENCH_FILING_H

#include "base/json.h"
#include "base/problem.h"
#include "db/db.h"

/* A filing of the item by the invented person number i; `method` is how the result is fetched.
 * `digests` (count of them) are handed in for the first paper that an applicant brings. The
 * caller's. */
struct json *filing_make(struct db *db, const char *item, int i, const char *method,
                         const char *const *digests, int count);

/* OK, or say what went wrong and end the program. */
void filing_must(enum err err, const char *what, const struct errmsg *e, const struct problem *p);

#endif
