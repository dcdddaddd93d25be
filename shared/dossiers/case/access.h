/* Who may see a case: an agent the cases of his community, a street's people those of the street, a
 * district's those of the district, a resident the one whose query code he holds. Checked here, on the
 * server, for every case and paper. */
#ifndef CASE_ACCESS_H
#define CASE_ACCESS_H

#include "office/office.h"

/* Agent, clerk, reviewer, supervisor, administrator: work on cases. */
bool case_handler(const struct caller *c);

/* The rows that a caller may see, as SQL over case_file's columns with the parameter $scope; NULL:
 * none. */
const char *case_scope(const struct caller *c);
void case_bind_scope(struct stmt *st, const struct caller *c);

/* May the caller see it? A resident: by his query code. */
MUST_USE enum err case_visible(struct office *o, struct db *db, const struct caller *c,
                               const char *case_no, bool *ret, struct errmsg *e);

/* The six digits that the recipient shows at the door: they follow from the hash of his query code, so
 * no table holds them. */
void pickup_code(const char *case_no, const char *query_hash, char out[7]);

#endif
