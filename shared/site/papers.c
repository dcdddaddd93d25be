/* protocol.md 5: papers that are served, and that come. */
#include "site/papers.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

/* ---- served -----------------------------------------------------------------------------------*/

static enum err read_run(struct task *t, struct db *db, struct errmsg *e)
{
    (void)db;
    return link_end_read_chunk(&t->peer->x, &t->fx, &t->bytes, &t->in, e);
}

static void read_answer(struct task *t)
{
    if (t->job.err != OK)
        t->in.total = -1;
    t->answers = true;
}

void papers_serve(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.run = read_run, .answer = read_answer};

    assert(fx->kind == FX_READ_CHUNK);
    task_start(task_new(p, fx, &kind));
}

/* ---- coming -----------------------------------------------------------------------------------*/

static enum err row_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_paper(&t->peer->x, db, t->fx.digest, e);
}

static void row_answer(struct task *t)
{
    t->in.err = t->job.err;
    t->answers = true;
    if (t->job.err == OK && !t->peer->x.is_parent) {
        t->have = (const unsigned char(*)[32]) & t->fx.digest;
        t->have_count = 1;
    }
    t->peer->site->look |= LOOK_OUTBOXES;
}

static enum err store_run(struct task *t, struct db *db, struct errmsg *e)
{
    (void)db;
    return link_end_store_chunk(&t->peer->x, &t->fx, &t->in, e);
}

static void store_answer(struct task *t)
{
    static const struct task_kind row = {.write = true, .run = row_run, .answer = row_answer};

    t->in.err = t->job.err;
    t->answers = true;
    if (t->job.err != OK)
        log_line(LOG_LEVEL_WARN, "replica", "paper=failed peer=%s error=%s text=\"%s\"",
                 t->peer->x.peer, err_name(t->job.err), t->job.msg.text);
    else if (t->in.finished) /* the row says so before anybody is told */
        t->goes_on = &row;
}

void papers_store(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.run = store_run, .answer = store_answer};

    assert(fx->kind == FX_STORE_CHUNK);
    task_start(task_new(p, fx, &kind));
}

void papers_found(struct peer *p, const unsigned char digest[32])
{
    static const struct task_kind kind = {.write = true, .run = row_run};
    struct link_effect fx = {.kind = FX_STORE_CHUNK};

    memcpy(fx.digest, digest, 32);
    task_start(task_new(p, &fx, &kind));
}

void papers_refused(struct peer *p, const unsigned char digest[32])
{
    assert(p->refused_count <= REFUSED_MAX);
    if (p->refused_count == REFUSED_MAX)
        return;
    if (p->refused_count == p->refused_cap) {
        p->refused_cap = p->refused_cap ? p->refused_cap * 2 : 4;
        p->refused = mem_realloc(p->refused, sizeof *p->refused * (size_t)p->refused_cap);
    }
    memcpy(p->refused[p->refused_count++], digest, 32);
}
