/* The tasks of protocol.md 6: the clock and the lease, from both ends. Private to this floor. */
#ifndef SITE_LEASES_H
#define SITE_LEASES_H

#include "site/task.h"

/* FX_ASK_LEASE of a child. A promise that is durable and young answers at once, by
 * leases_ready(); else a new one is made, and goes back by step_finished(). */
void leases_asked(struct peer *p, const struct link_effect *fx);

/* Is there a question that the present promise answers? Then the answer IN_LEASE is in *ret, and
 * true is said once. */
bool leases_ready(struct peer *p, struct link_input *ret);

/* A promise that is due is made again, ahead of the next question. For each tick. */
void leases_renew(struct peer *p);

/* FX_LEASE of the parent: keep it. No answer. */
void leases_answered(struct peer *p, const struct link_effect *fx);

#endif
