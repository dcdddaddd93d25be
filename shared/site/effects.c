/* What the engine asks for becomes a job; what the job answers goes back into it. */
#include "base/log.h"
#include "base/mem.h"
#include "site/peer.h"

#include <stdio.h>
#include <string.h>

#define SKEW_NOTED_MS 1000

struct task *task_new(struct peer *p, const struct link_effect *fx, run_fn *run, done_fn *done)
{
    struct task *t = mem_alloc(sizeof *t);

    t->peer = p;
    if (fx)
        t->fx = *fx;
    t->arena = arena_create();
    t->job.run = run;
    t->job.done = done;
    p->jobs++;
    return t;
}

void task_end(struct task *t)
{
    struct peer *p = t->peer;

    buf_free(&t->bytes);
    mem_free(t->events);
    arena_destroy(t->arena);
    mem_free(t);
    p->jobs--;
    peer_release(p);
}

void task_start(struct peer *p, const struct link_effect *fx, run_fn *run, done_fn *done,
                bool write)
{
    struct task *t = task_new(p, fx, run, done);

    if (fx->bytes_len) { /* the turn's memory ends with the turn */
        unsigned char *bytes = arena_alloc(t->arena, fx->bytes_len);
        memcpy(bytes, fx->bytes, fx->bytes_len);
        t->fx.bytes = bytes;
    }
    if (write)
        store_write(p->site->store, &t->job);
    else
        store_read(p->site->store, &t->job);
}

void task_plain_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err != OK) {
        log_line(LOG_LEVEL_WARN, "replica", "peer=%s error=%s text=\"%s\"", t->peer->x.peer,
                 err_name(job->err), job->msg.text);
        if (job->err == ERR_PEER && t->peer->ws)
            ws_close(t->peer->ws, 1008, "what was sent cannot be true");
    }
    task_end(t);
}

static enum err read_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_read(&t->peer->x, db, &t->fx, &t->bytes, &t->events, &t->in, e);
}

static void read_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err == OK)
        peer_step(t->peer, &t->in);
    else if (t->peer->ws)
        ws_close(t->peer->ws, 1011, "the outbox cannot be read");
    task_end(t);
}

static enum err store_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_store(&t->peer->x, db, &t->fx, t->arena, &t->batch, e);
}

static void store_prepare(struct job *job)
{
    struct task *t = (struct task *)job;

    exchange_prepare(&t->fx, t->arena, &t->batch);
}

static void store_done(struct job *job)
{
    static const struct link_effect stored = {.kind = FX_STORE};
    struct task *t = (struct task *)job;
    struct site *s = t->peer->site;

    t->in.kind = IN_STORED;
    t->in.token = t->fx.token;
    t->in.err = job->err;
    s->store_bytes -= t->store_bytes;
    if (job->err != OK)
        log_line(LOG_LEVEL_WARN, "replica", "stored=no peer=%s error=%s text=\"%s\"",
                 t->peer->x.peer, err_name(job->err), job->msg.text);
    peer_step(t->peer, &t->in);
    if (job->err == OK) {
        for (int i = 0; i < t->batch.here_count; i++) {
            struct link_input have = {.kind = IN_HAVE};
            memcpy(have.digest, t->batch.here[i], 32);
            peer_step(t->peer, &have);
        }
        for (size_t i = 0; s->on_case && i < t->batch.case_count; i++)
            s->on_case(s->on_case_arg, t->batch.cases[i]);
        recall_look(t->peer, &stored);
        site_glance(s, false);
    }
    task_end(t);
    links_let_in(s);
}

/* The events stand in the turn's memory: the task takes it over, and the next turn gets another. */
static void start_store(struct peer *p, const struct link_effect *fx)
{
    struct task *t = task_new(p, fx, store_run, store_done);
    struct arena *spare = t->arena;
    struct site *s = p->site;

    t->arena = s->turn;
    s->turn = spare;
    for (size_t i = 0; i < fx->event_count; i++)
        t->store_bytes += fx->events[i].len;
    s->store_bytes += t->store_bytes;
    t->job.prepare = store_prepare;
    t->job.bytes = t->store_bytes;
    store_write(p->site->store, &t->job);
}

static enum err acked_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_acked(&t->peer->x, db, t->fx.pos, e);
}

static enum err mark_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_sent(&t->peer->x, db, t->fx.digest, e);
}

/* The child says it holds a paper: do we? */
static enum err have_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_have(&t->peer->x, db, t->fx.digest, &t->here, e);
}

static void have_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->in.kind = IN_HAVE;
    memcpy(t->in.digest, t->fx.digest, 32);
    if (job->err == OK && t->here)
        peer_step(t->peer, &t->in);
    task_end(t);
}

static enum err head_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_head(&t->peer->x, db, &t->fx, e);
}

/* A head that cannot be: the child has forgotten a part of its past and does not know it. */
static void head_done(struct job *job)
{
    struct task *t = (struct task *)job;
    struct link_input in = {.kind = IN_BYE,
                            .code = BYE_FORKED,
                            .reason = "this chain is not the one that was witnessed"};

    if (job->err == ERR_PEER)
        peer_step(t->peer, &in);
    task_plain_done(job);
}

/* ---- effects ----------------------------------------------------------------------------------*/

static enum err skew_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_skew(&t->peer->x, db, t->fx.skew_ms, e);
}

static void warn_of_clock(const struct peer *p, const struct link_effect *fx)
{
    log_line(LOG_LEVEL_WARN, "replica",
             "clock=wrong peer=%s skew_s=%lld text=\"the clocks of the two sites differ; set the "
             "right time, nothing is lost\"",
             p->x.peer, (long long)fx->skew_ms / 1000);
}

/* Most links say the same again and again: only what has changed is written. */
static void note_skew(struct peer *p, const struct link_effect *fx)
{
    int64_t change = fx->skew_ms - p->x.skew_ms;

    if (change > -SKEW_NOTED_MS && change < SKEW_NOTED_MS)
        return;
    p->x.skew_ms = fx->skew_ms;
    task_start(p, fx, skew_run, task_plain_done, true);
}

/* The clock of a link that stands was set, here or there. */
static void skew_told(struct peer *p, const struct link_effect *fx)
{
    bool shown = exchange_skew_shown(p->x.skew_ms);

    note_skew(p, fx);
    if (!shown && exchange_skew_shown(p->x.skew_ms))
        warn_of_clock(p, fx);
}

static void came_up(struct peer *p, const struct link_effect *fx)
{
    struct site *s = p->site;

    p->up = true;
    if (p->x.is_parent) {
        s->up = true;
        s->backoff_before_ms = s->backoff_ms;
        s->backoff_ms = BACKOFF_MS_MIN;
        s->last_reason[0] = 0;
        s->show_heads = true;
    }
    log_line(LOG_LEVEL_INFO, "replica", "link=up peer=%s version=%u skew_ms=%lld", p->x.peer,
             fx->version, (long long)fx->skew_ms);
    note_skew(p, fx);
    if (exchange_skew_shown(fx->skew_ms))
        warn_of_clock(p, fx);
    recall_look(p, fx);
    site_glance(s, p->x.is_parent);
}

/* What the peer says because of what we sent, or because it cannot take anything. */
static bool puts_out(enum bye_code code)
{
    return code == BYE_PROTOCOL || code == BYE_STORE || code == BYE_WITHHELD;
}

static void close_link(struct peer *p, const struct link_effect *fx)
{
    log_line(fx->code == BYE_STOPPING ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "replica",
             "link=closing peer=%s code=%d by_peer=%s reason=\"%s\"", p->x.peer, (int)fx->code,
             fx->by_peer ? "yes" : "no", fx->reason);
    if (p->x.is_parent) {
        snprintf(p->site->last_reason, sizeof p->site->last_reason, "%s", fx->reason);
        p->site->reason_said = true;
        if (p->up && fx->by_peer &&
            puts_out(fx->code)) /* it will say so again: ask more and more seldom */
            p->site->backoff_ms = p->site->backoff_before_ms;
    }
    /* Restored without being told: act as if we had been. */
    if ((fx->code == BYE_BEHIND && !fx->by_peer) ||
        (fx->code == BYE_FORKED && fx->by_peer && p->x.is_parent)) {
        log_line(LOG_LEVEL_WARN, "replica",
                 "restored=found peer=%s text=\"this site has forgotten a part of its past; it "
                 "gets it back first\"",
                 p->x.peer);
        recall_come_back(p, fx);
    }
    if (p->ws)
        ws_close(p->ws, 1000, fx->reason);
}

void effects_do(struct peer *p, const struct link_effects *fx)
{
    for (int i = 0; i < fx->count && p->ws; i++) {
        const struct link_effect *x = &fx->item[i];
        switch (x->kind) {
        case FX_SEND:
            ws_send(p->ws, x->bytes, x->bytes_len, true);
            break;
        case FX_UP:
            came_up(p, x);
            break;
        case FX_SKEW:
            skew_told(p, x);
            break;
        case FX_READ:
            task_start(p, x, read_run, read_done, false);
            break;
        case FX_STORE:
            start_store(p, x);
            break;
        case FX_ACKED:
            task_start(p, x, acked_run, task_plain_done, true);
            break;
        case FX_READ_CHUNK:
            paper_serve(p, x);
            break;
        case FX_STORE_CHUNK:
            paper_store(p, x);
            break;
        case FX_NONE:
            paper_refused(p, x->digest);
            break;
        case FX_RECALL:
            recall_asked(p, x);
            break;
        case FX_RECALLED:
            recall_answered(p, x);
            break;
        case FX_HAVE:
            if (p->x.is_parent)
                task_start(p, x, mark_run, task_plain_done, true);
            else
                task_start(p, x, have_run, have_done, false);
            break;
        case FX_ASK_LEASE:
            lease_asked(p, x);
            break;
        case FX_LEASE:
            lease_answered(p, x);
            break;
        case FX_HEAD:
            task_start(p, x, head_run, head_done, true);
            break;
        case FX_CLOSE:
            close_link(p, x);
            break;
        }
    }
}
