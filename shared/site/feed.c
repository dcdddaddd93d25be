/* protocol.md 3 and 4: events that are sent and stored. */
#include "site/feed.h"

#include "base/log.h"
#include "site/recalls.h"

#include <assert.h>
#include <string.h>

/* ---- our outbox -------------------------------------------------------------------------------*/

static enum err read_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_read(&t->peer->x, db, &t->fx, &t->bytes, &t->events, &t->in, e);
}

static void read_answer(struct task *t)
{
    t->answers = t->job.err == OK;
    if (!t->answers && t->peer->ws)
        ws_close(t->peer->ws, 1011, "the outbox cannot be read");
}

void feed_read(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.run = read_run, .answer = read_answer};

    assert(fx->kind == FX_READ);
    task_start(task_new(p, fx, &kind));
}

static enum err acked_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_acked(&t->peer->x, db, t->fx.pos, e);
}

void feed_acked(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = acked_run};

    assert(fx->kind == FX_ACKED);
    task_start(task_new(p, fx, &kind));
}

/* ---- theirs -----------------------------------------------------------------------------------*/

static void store_prepare(struct task *t)
{
    link_end_prepare(&t->peer->x, &t->fx, t->arena, &t->batch);
}

static enum err store_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_store(&t->peer->x, db, &t->fx, t->arena, &t->batch, e);
}

static void store_answer(struct task *t)
{
    static const struct link_effect stored = {.kind = FX_STORE};
    struct site *s = t->peer->site;

    assert(s->store_bytes >= t->store_bytes);
    s->store_bytes -= t->store_bytes;
    t->in.kind = IN_STORED;
    t->in.token = t->fx.token;
    t->in.err = t->job.err;
    t->answers = true;
    if (t->job.err != OK) {
        log_line(LOG_LEVEL_WARN, "replica", "stored=no peer=%s error=%s text=\"%s\"",
                 t->peer->x.peer, err_name(t->job.err), t->job.msg.text);
        return;
    }
    t->have = (const unsigned char(*)[32])t->batch.here;
    t->have_count = t->batch.here_count;
    for (size_t i = 0; s->on_dossier && i < t->batch.dossier_count; i++)
        s->on_dossier(s->on_dossier_arg, t->batch.dossiers[i]);
    t->peer->offends = t->batch.offends;
    s->offended |= t->batch.offends;
    recalls_look(t->peer, &stored);
    s->look |= LOOK_OUTBOXES;
}

void feed_store(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {
        .write = true, .prepare = store_prepare, .run = store_run, .answer = store_answer};
    struct task *t = task_new(p, fx, &kind);
    struct arena *spare = t->arena;
    struct site *s = p->site;

    assert(fx->kind == FX_STORE);
    t->arena = s->turn;
    s->turn = spare;
    for (size_t i = 0; i < fx->event_count; i++)
        t->store_bytes += fx->events[i].len;
    s->store_bytes += t->store_bytes;
    task_start(t);
}

/* ---- heads ------------------------------------------------------------------------------------*/

static enum err head_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_head(&t->peer->x, db, &t->fx, e);
}

/* A head that cannot be: the child has forgotten a part of its past and does not know it. */
static void head_answer(struct task *t)
{
    t->answers = t->job.err == ERR_PEER;
    t->in = (struct link_input){.kind = IN_BYE,
                                .code = BYE_FORKED,
                                .reason = "this chain is not the one that was witnessed"};
}

void feed_head(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = head_run, .answer = head_answer};

    assert(fx->kind == FX_HEAD);
    task_start(task_new(p, fx, &kind));
}

/* ---- who has which paper ----------------------------------------------------------------------*/

static enum err sent_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_sent(&t->peer->x, db, t->fx.digest, e);
}

/* The child says it holds a paper: do we? */
static enum err have_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_have(&t->peer->x, db, t->fx.digest, &t->here, e);
}

static void have_answer(struct task *t)
{
    t->in.kind = IN_HAVE;
    memcpy(t->in.digest, t->fx.digest, 32);
    t->answers = t->job.err == OK && t->here;
}

void feed_have(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind sent = {.write = true, .run = sent_run},
                                  have = {.run = have_run, .answer = have_answer};

    assert(fx->kind == FX_HAVE);
    task_start(task_new(p, fx, p->x.is_parent ? &sent : &have));
}
