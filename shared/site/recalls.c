/* protocol.md 7, from both ends: a site that has forgotten gets its past back. */
#include "site/peer.h"

static enum err come_back_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_come_back(&t->peer->site->office, db, e);
}

static enum err recall_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_recall(&t->peer->x, db, &t->fx, &t->in, e);
}

static void recall_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err == OK) {
        peer_step(t->peer, &t->in);
        site_glance(t->peer->site, false);
    }
    task_plain_done(job);
}

static enum err recall_step_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_recall_step(&t->peer->x, db, &t->peer->recall,
                                t->fx.kind == FX_NONE ? NULL : &t->fx, &t->in, &t->here, e);
}

static void recall_step_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->peer->recalling = false;
    if (job->err == OK && t->here)
        peer_step(t->peer, &t->in);
    if (job->err == OK)
        site_glance(t->peer->site, false);
    task_plain_done(job);
}

/* While this site has not got its past back, look at each tick how far it is. */
void recall_look(struct peer *p, const struct link_effect *why)
{
    static const struct link_effect tick = {.kind = FX_NONE};

    if (!p->x.is_parent || !p->up || p->recalling || !p->ws)
        return;
    if (p->recall.done)
        return;
    p->recalling = true;
    task_start(p, why ? why : &tick, recall_step_run, recall_step_done, true);
}

void recall_asked(struct peer *p, const struct link_effect *fx)
{
    task_start(p, fx, recall_run, recall_done, true);
}

void recall_answered(struct peer *p, const struct link_effect *fx)
{
    p->recalling = true;
    task_start(p, fx, recall_step_run, recall_step_done, true);
}

void recall_come_back(struct peer *p, const struct link_effect *fx)
{
    task_start(p, fx, come_back_run, task_plain_done, true);
}
