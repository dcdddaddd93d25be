/* protocol.md 6, the clock and the lease, from both ends. */
#include "site/leases.h"

#include <assert.h>

/* An answer about the clock may name a promise that is durable already, while it is younger than
 * this part of its length: the child's lease is that much shorter, and the disk is not written to
 * for every question. */
#define PROMISE_PART 300

static enum err promise_run(struct task *t, struct db *db, struct errmsg *e)
{
    assert(!t->peer->x.is_parent);
    return link_end_ask_lease(&t->peer->x, db, &t->in, e);
}

static void keep_promise(struct task *t)
{
    t->in.kind = IN_LEASE;
    t->in.mono_ms = t->fx.mono_ms;
    t->in.err = t->job.err;
    if (t->job.err != OK)
        return;
    t->peer->promise.asked_ms = t->asked_ms;
    t->peer->promise.now_ms = t->in.lease_now_ms;
    t->peer->promise.at_ms = t->in.promised_ms;
    t->peer->promise.length_ms = t->in.length_ms;
    t->peer->promise.pos = t->in.pos;
}

static void promise_answer(struct task *t)
{
    keep_promise(t);
    t->answers = true;
}

static void start_promise(struct peer *p, const struct link_effect *fx,
                          const struct task_kind *kind)
{
    struct task *t = task_new(p, fx, kind);

    t->asked_ms = host_mono_ms(peer_host(p));
    task_start(t);
}

void leases_asked(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {
        .write = true, .run = promise_run, .answer = promise_answer};
    int64_t age = host_mono_ms(peer_host(p)) - p->promise.asked_ms;

    assert(fx->kind == FX_ASK_LEASE);
    if (!p->promise.asked_ms || age > 2 * p->promise.length_ms / PROMISE_PART) {
        start_promise(p, fx, &kind);
        return;
    }
    p->promise.renew =
        age > p->promise.length_ms / PROMISE_PART; /* all that are due go with the next tick */
    p->promise.answer_ms = fx->mono_ms;
}

/* protocol.md 6. The clock goes on from where it was read at the latest, so what we say of it is
 * never too early. */
bool leases_ready(struct peer *p, struct link_input *ret)
{
    if (!p->promise.answer_ms)
        return false;
    assert(p->promise.asked_ms && !p->x.is_parent);
    *ret = (struct link_input){.kind = IN_LEASE,
                               .mono_ms = p->promise.answer_ms,
                               .promised_ms = p->promise.at_ms,
                               .lease_now_ms = p->promise.now_ms + host_mono_ms(peer_host(p)) -
                                               p->promise.asked_ms,
                               .length_ms = p->promise.length_ms,
                               .pos = p->promise.pos};
    p->promise.answer_ms = 0;
    return true;
}

void leases_renew(struct peer *p)
{
    static const struct task_kind kind = {
        .write = true, .run = promise_run, .answer = keep_promise};

    if (!p->promise.renew)
        return;
    p->promise.renew = false;
    start_promise(p, NULL, &kind);
}

static enum err keep_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_lease(&t->peer->x, db, &t->fx, e);
}

void leases_answered(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = keep_run};

    assert(p->x.is_parent);
    task_start(task_new(p, fx, &kind));
}
