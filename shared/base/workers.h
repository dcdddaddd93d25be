/* A few threads for work that needs no database: hashing passwords. The queue has an end. */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stdbool.h>

struct workers;

struct worker_job {
    struct worker_job *next;              /* the pool's */
    void (*run)(struct worker_job *job);  /* on a thread of the pool */
    void (*done)(struct worker_job *job); /* in workers_complete(), or workers_destroy() */
    bool dropped;                         /* it was not run: the pool ends */
};

/* wake(arg) is called on a thread of the pool when workers_complete() has something to do; queued
 * at most: jobs that wait beside those that run. */
struct workers *workers_create(int threads, int queued, void (*wake)(void *arg), void *arg);
/* Ends what runs, drops what waits, calls done() of each. NULL is allowed. */
void workers_destroy(struct workers *w);
/* false: as many wait as may, and the job is the caller's. One thread calls. */
bool workers_put(struct workers *w, struct worker_job *job);
/* Call done() of what has run; the thread that calls workers_put(). */
void workers_complete(struct workers *w);
int workers_waiting(struct workers *w);

#endif
