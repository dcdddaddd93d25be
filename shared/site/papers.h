/* The tasks of protocol.md 5: papers that are served, and that come. Private to this floor. */
#ifndef SITE_PAPERS_H
#define SITE_PAPERS_H

#include "site/task.h"

/* FX_READ_CHUNK: IN_CHUNK; one that cannot be read is said not to be here. */
void papers_serve(struct peer *p, const struct link_effect *fx);

/* FX_STORE_CHUNK: IN_CHUNK_STORED. The last piece is answered when the database names the paper as
 * here; then a child is told that we have it. */
void papers_store(struct peer *p, const struct link_effect *fx);

/* A paper is here, whole, of which the database does not say so: let it. No answer. */
void papers_found(struct peer *p, const unsigned char digest[32]);

/* FX_NONE: the peer does not have it. At most REFUSED_MAX are remembered. */
void papers_refused(struct peer *p, const unsigned char digest[32]);

#endif
