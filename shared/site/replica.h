/* What is done for all links together: ticks, what a glance has found, and settling. Private to
 * this floor; loop thread. */
#ifndef SITE_REPLICA_H
#define SITE_REPLICA_H

#include "site/inside.h"

/* Each second: the engines that have something to do by themselves do it. */
void replica_tick(struct site *s);

/* replica_settle(s): do what is left behind a turn of the loop: answers of finished tasks go into
 * their engines, a glance that has ended is told to the links, held frames are let in, and a glance
 * that was asked for (site->look) is begun.
 * Order  Called behind everything that may leave such work: the store's jobs, frames, ticks. Never
 *        from within a step; inside itself it does nothing. */
void replica_settle(struct site *s);

/* Add to a status what only the running program knows: link.state, link.skew_ms, link.reason, and
 * state of each of children[]; what is not in it is not added. */
void replica_add_status(struct site *s, struct json *status);

#endif
