/* One job for one peer. What the engine asks for becomes a task; the store runs it on one of its
 * threads; it then stands in site->finished until step_finished() gives its answer to the engine.
 * Private to this floor. */
#ifndef SITE_TASK_H
#define SITE_TASK_H

#include "site/peer.h"
#include "sync/link.h"

/* What tasks of a kind do: one static row each. */
struct task_kind {
    bool write; /* on the writer, in its transaction; else on a reader */
    /* What needs no database: any thread of the store, before run(); NULL: nothing. Writer only. */
    void (*prepare)(struct task *t);
    /* On the store's thread. Touches nothing of the peer but what stands still meanwhile. */
    enum err (*run)(struct task *t, struct db *db, struct errmsg *e);
    /* On the loop thread, with job.err and job.msg set: says what follows by the fields "answer" of
     * the task. NULL: task_report() alone. */
    void (*answer)(struct task *t);
};

struct task {
    struct job job;               /* first: the store knows only this */
    struct task *next;            /* in site->finished */
    const struct task_kind *kind; /* what it does */
    struct peer *peer;            /* for whom; it lives as long as the task */
    struct link_effect fx;        /* what asked for it; its bytes stand in `arena` */
    struct arena *arena;          /* the task's own memory */

    /* What run() makes. */
    struct buf bytes;            /* a chunk, or encoded events */
    struct sync_event *events;   /* of mem_alloc(); freed with the task */
    struct link_end_batch batch; /* what an FX_STORE has touched */
    size_t store_bytes;          /* counted in site->store_bytes */
    int64_t asked_ms;            /* a promise: our monotonic clock before */
    bool here;                   /* the paper is here too; or: the recall has a question */

    /* The answer. */
    struct link_input in;            /* goes into the engine when `answers` */
    bool answers;                    /* set by answer() */
    const unsigned char (*have)[32]; /* then the peer is told of these papers */
    int have_count;                  /* 0: of none */
    const struct task_kind *goes_on; /* not over: the same task runs once more, as this kind */
};

/* task_new(p, fx, kind):
 * A task that is not started.
 *
 * Owns  The peer counts it; task_end() frees it. fx may be NULL; its bytes are copied, its events
 *       are not. */
struct task *task_new(struct peer *p, const struct link_effect *fx, const struct task_kind *kind);

/* Give it to the store. A store that is closed refuses: it is finished with ERR_CLOSED. */
void task_start(struct task *t);

/* Log that it failed, if it did; close the link of a peer that broke the rules (ERR_PEER). */
void task_report(const struct task *t);

/* Take the oldest finished task off the list; NULL: there is none. */
struct task *task_take(struct site *s);

/* Free it; and its peer, when nothing else names that. */
void task_end(struct task *t);

#endif
