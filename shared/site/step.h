/* A step of one engine (sync/link.h): what it asks for becomes tasks, what they answer goes back
 * into it. Private to this floor; loop thread. */
#ifndef SITE_STEP_H
#define SITE_STEP_H

#include "site/task.h"

/* step_link(p, in):
 * Give ${in} to the engine of p at this moment, and begin what it asks for.
 *
 * Owns   What ${in} points to may go when this returns.
 * Order  Frames leave in the order of the effects. Nothing at all happens on a peer whose socket or
 *        engine is not there.
 */
void step_link(struct peer *p, struct link_input *in);

/* Begin what these effects ask for, in order, until the socket is gone. */
void step_effects(struct peer *p, const struct link_effects *fx);

/* Give the answers of all finished tasks to their engines, the oldest first, also of those that
 * finish meanwhile. */
void step_finished(struct site *s);

/* Our outbox for the peer ends at head_pos now: tell the engine, whether it is open yet or not. */
void step_head(struct peer *p, uint64_t head_pos);

#endif
