/* protocol.md 7, from both ends: a site that has forgotten gets its past back. */
#include "site/recalls.h"

#include <assert.h>

/* ---- the parent -------------------------------------------------------------------------------*/

static enum err asked_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_recall(&t->peer->x, db, &t->fx, &t->in, e);
}

static void asked_answer(struct task *t)
{
    t->answers = t->job.err == OK;
    if (t->answers)
        t->peer->site->look |= LOOK_OUTBOXES;
    task_report(t);
}

void recalls_asked(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = asked_run, .answer = asked_answer};

    assert(fx->kind == FX_RECALL);
    task_start(task_new(p, fx, &kind));
}

/* ---- the child --------------------------------------------------------------------------------*/

static enum err step_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_recall_step(&t->peer->x, db, &t->peer->recall,
                                t->fx.kind == FX_NONE ? NULL : &t->fx, &t->in, &t->here, e);
}

static void step_answer(struct task *t)
{
    t->peer->recalling = false;
    t->answers = t->job.err == OK && t->here;
    if (t->job.err == OK)
        t->peer->site->look |= LOOK_OUTBOXES;
    task_report(t);
}

static void start_step(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = step_run, .answer = step_answer};

    p->recalling = true;
    task_start(task_new(p, fx, &kind));
}

void recalls_look(struct peer *p, const struct link_effect *why)
{
    static const struct link_effect tick = {.kind = FX_NONE};

    if (p->x.is_parent && p->up && p->ws && !p->recalling && !p->recall.done)
        start_step(p, why ? why : &tick);
}

void recalls_answered(struct peer *p, const struct link_effect *fx)
{
    assert(fx->kind == FX_RECALLED);
    start_step(p, fx);
}

static enum err come_back_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_come_back(&t->peer->site->office, db, e);
}

void recalls_come_back(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = come_back_run};

    assert(fx->kind == FX_CLOSE);
    task_start(task_new(p, fx, &kind));
}
