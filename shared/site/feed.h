/* The tasks of protocol.md 3 and 4: events that are sent and stored, heads, and who has which
 * paper. Private to this floor. */
#ifndef SITE_FEED_H
#define SITE_FEED_H

#include "site/task.h"

/* Each begins what the effect fx of p's engine asks for; what comes of it goes back into the engine
 * by step_finished(). */
void feed_read(struct peer *p, const struct link_effect *fx); /* FX_READ: IN_EVENTS */
/* FX_STORE: IN_STORED, then IN_HAVE for papers that are here.
 * Owns  The events of fx stand in site->turn: the task takes that arena, and the site gets another.
 */
void feed_store(struct peer *p, const struct link_effect *fx);
void feed_acked(struct peer *p, const struct link_effect *fx); /* FX_ACKED: no answer */
/* FX_HEAD: no answer; IN_BYE when the head cannot be true. */
void feed_head(struct peer *p, const struct link_effect *fx);
/* FX_HAVE: of the parent it is noted; a child is answered IN_HAVE when the paper is here too. */
void feed_have(struct peer *p, const struct link_effect *fx);

#endif
