/* protocol.md 6, the clock and the lease, from both ends. */
#include "site/peer.h"

#include <string.h>

/* An answer about the clock may name a promise that is durable already, while it is younger than
 * this part of its length: the child's lease is that much shorter, and the disk is not written to
 * for every question. */
#define PROMISE_PART 300

static enum err lease_ask_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_ask_lease(&t->peer->x, db, &t->in, e);
}

static void lease_ask_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->in.kind = IN_LEASE;
    t->in.mono_ms = t->fx.mono_ms;
    t->in.err = job->err;
    if (job->err == OK) {
        t->peer->promise.asked_ms = t->asked_ms;
        t->peer->promise.now_ms = t->in.lease_now_ms;
        t->peer->promise.at_ms = t->in.promised_ms;
        t->peer->promise.length_ms = t->in.length_ms;
        t->peer->promise.pos = t->in.pos;
    }
    if (!t->here)
        peer_step(t->peer, &t->in);
    task_end(t);
}

/* Make a promise durable; to answer the question fx, or (NULL) ahead of the next one. */
static void start_promise(struct peer *p, const struct link_effect *fx)
{
    struct task *t = task_new(p, fx, lease_ask_run, lease_ask_done);

    t->asked_ms = host_mono_ms(peer_host(p));
    t->here = !fx;
    store_write(p->site->store, &t->job);
}

void lease_asked(struct peer *p, const struct link_effect *fx)
{
    int64_t age = host_mono_ms(peer_host(p)) - p->promise.asked_ms;

    if (!p->promise.asked_ms || age > 2 * p->promise.length_ms / PROMISE_PART) {
        start_promise(p, fx);
        return;
    }
    p->promise.renew =
        age > p->promise.length_ms / PROMISE_PART; /* all that are due go with the next tick */
    p->promise.answer_ms = fx->mono_ms;
}

/* protocol.md 6. The clock goes on from where it was read at the latest, so what we say of it is
 * never too early. */
bool lease_answer_ready(struct peer *p, struct link_input *ret)
{
    if (!p->promise.answer_ms)
        return false;
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

static enum err lease_keep_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_lease(&t->peer->x, db, &t->fx, e);
}

void lease_answered(struct peer *p, const struct link_effect *fx)
{
    task_start(p, fx, lease_keep_run, task_plain_done, true);
}

void lease_renew(struct peer *p)
{
    if (!p->promise.renew)
        return;
    p->promise.renew = false;
    start_promise(p, NULL);
}
