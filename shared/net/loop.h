/* The event loop: one thread that all sockets and timers of a program live on. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;

/* many: made for thousands of connections (libuv, or poll() where its plugin is missing; as many
 * open files as the system allows), else poll(). NULL with e set on failure. */
struct loop *loop_create(bool many, struct errmsg *e);
/* Closes every connection (their on_close and on_gone are called). NULL is allowed. */
void loop_destroy(struct loop *l);

/* Serve until loop_stop(); also ends on SIGTERM and SIGINT when loop_catch_signals() was called. */
void loop_run(struct loop *l);
/* Any thread. */
void loop_stop(struct loop *l);
/* Call the functions of loop_on_wake() soon, on the loop thread; any thread may ask. */
void loop_wake(struct loop *l);
/* One more of them, four at most. */
void loop_on_wake(struct loop *l, void (*fn)(void *arg), void *arg);
/* Called once, on the loop thread, when the loop is about to end: the last moment to cancel timers.
 */
void loop_on_stop(struct loop *l, void (*fn)(void *arg), void *arg);
/* Called once, in loop_destroy(), when every connection is closed and no timer will come: the last
 * one asked for comes first. For memory that the library points into. */
void loop_on_end(struct loop *l, void (*fn)(void *arg), void *arg);
/* Call before other threads start: they inherit the mask. */
void loop_catch_signals(struct loop *l);

/* Once, after ms (0: in the next turn). The timer is gone when fn is called. */
struct timer *loop_timer(struct loop *l, int64_t ms, void (*fn)(void *arg), void *arg);
void timer_cancel(struct timer *t); /* NULL is allowed */

#endif
