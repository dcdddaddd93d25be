/* One job for one peer, from being asked for to having been answered. */
#include "site/task.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

struct task *task_new(struct peer *p, const struct link_effect *fx, const struct task_kind *kind)
{
    struct task *t = mem_alloc(sizeof *t);

    assert(p && kind);
    t->peer = p;
    t->kind = kind;
    t->arena = arena_create();
    if (fx)
        t->fx = *fx;
    if (fx && fx->bytes_len) { /* the turn's memory ends with the turn */
        unsigned char *bytes = arena_alloc(t->arena, fx->bytes_len);
        memcpy(bytes, fx->bytes, fx->bytes_len);
        t->fx.bytes = bytes;
    }
    p->jobs++;
    return t;
}

static void prepare(struct job *job)
{
    struct task *t = (struct task *)job;

    t->kind->prepare(t);
}

static enum err run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return t->kind->run(t, db, e);
}

static void done(struct job *job)
{
    struct task *t = (struct task *)job;
    struct site *s = t->peer->site;

    assert(t->peer->jobs > 0);
    t->next = NULL;
    if (!s->finished)
        s->finished_end = &s->finished;
    *s->finished_end = t;
    s->finished_end = &t->next;
}

void task_start(struct task *t)
{
    struct store *store = t->peer->site->store;

    assert(t->kind->run && (!t->kind->prepare || t->kind->write));
    t->job = (struct job){.prepare = t->kind->prepare ? prepare : NULL,
                          .run = run,
                          .done = done,
                          .bytes = t->store_bytes};
    if (!store) {
        t->job.err = ERR_CLOSED;
        errmsg_set(&t->job.msg, "the store is closed");
        done(&t->job);
    } else if (t->kind->write) {
        store_write(store, &t->job);
    } else {
        store_read(store, &t->job);
    }
}

void task_report(const struct task *t)
{
    if (t->job.err == OK)
        return;
    log_line(LOG_LEVEL_WARN, "replica", "peer=%s error=%s text=\"%s\"", t->peer->x.peer,
             err_name(t->job.err), t->job.msg.text);
    if (t->job.err == ERR_PEER && t->peer->ws)
        ws_close(t->peer->ws, 1008, "what was sent cannot be true");
}

struct task *task_take(struct site *s)
{
    struct task *t = s->finished;

    if (t)
        s->finished = t->next;
    return t;
}

void task_end(struct task *t)
{
    struct peer *p = t->peer;

    assert(p->jobs > 0);
    buf_free(&t->bytes);
    mem_free(t->events);
    arena_destroy(t->arena);
    mem_free(t);
    p->jobs--;
    peer_release(p);
}
