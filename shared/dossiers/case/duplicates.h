/* The same person and item, filed again. */
#ifndef CASE_DUPLICATES_H
#define CASE_DUPLICATES_H

#include "base/json.h"
#include "db/db.h"

#include <stdint.h>

#define DUPLICATE_MS (183 * 86400000LL)

/**
 * duplicates_find(db, id_number, item, from_ms, to_ms, but, list, e):
 * Other cases of the same person and item, filed from .. to and not ended without a result, newest
 * first, five at most, as case numbers into ${list}.
 *
 * Shapes  but: the case that is not meant, or "". id_number "": nobody is found.
 */
MUST_USE enum err duplicates_find(struct db *db, const char *id_number, const char *item,
                                  int64_t from_ms, int64_t to_ms, const char *but,
                                  struct json *list, struct errmsg *e);

/* case_file.person, from the identity number and the time of filing: led by the week. */
int64_t person_key(const char *id_number, int64_t filed_ms);

#endif
