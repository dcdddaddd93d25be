/* What the sync port serves besides links: enrolment, at the parent. Private to this floor. */
#ifndef SITE_SYNC_HTTP_H
#define SITE_SYNC_HTTP_H

#include "site/inside.h"

/* sync_http_routes(s, ret_count): POST /sync/v1/enrol, see enrol_answer(): 201 with the answer, 400
 * for what is no JSON object, else the status of the problem, 503 when the store failed.
 * Owns  The site; good as long as it. */
const struct route *sync_http_routes(struct site *s, size_t *ret_count);

/* All else on that port: 404 with a sentence. */
void sync_http_fallback(struct request *req, void *site);

#endif
