/* What the engine of an end asks for becomes a job of the store, and its answer goes back into it:
 * site/step.c, feed.c, leases.c and recalls.c. */
#include "net.h"

#include "base/time.h"
#include "sync/wire.h"

#include <string.h>

/* ---- jobs of a connection ---------------------------------------------------------------------*/

struct job *net_job(struct conn *c, int end, const struct link_effect *fx, bool write,
                    enum err (*run)(struct job *, struct db *, struct errmsg *),
                    void (*done)(struct job *))
{
    struct job *j = job_new(net_site_of(c, end), write);

    j->conn = c;
    j->gen = c->gen;
    j->end = end;
    j->x = c->end[end].x;
    j->run = run;
    j->done = done;
    if (fx) {
        j->fx = *fx;
        if (fx->bytes_len) {
            unsigned char *p = arena_alloc(j->arena, fx->bytes_len);
            memcpy(p, fx->bytes, fx->bytes_len);
            j->fx.bytes = p;
        }
        if (fx->event_count) {
            struct sync_event *list = arena_alloc(j->arena, sizeof *list * fx->event_count);
            for (size_t i = 0; i < fx->event_count; i++) {
                unsigned char *p = arena_alloc(j->arena, fx->events[i].len + 1);
                memcpy(p, fx->events[i].bytes, fx->events[i].len);
                list[i] = (struct sync_event){p, fx->events[i].len};
            }
            j->fx.events = list;
        }
    }
    job_queue(j);
    return j;
}

void net_answer(struct job *j)
{
    net_step(j->conn, j->end, &j->in);
}

void net_broken_rule(struct job *j)
{
    if (j->err == ERR_PEER) /* all sites here are honest */
        breach("site %d calls its peer a liar: %s", j->s->no, j->msg.text);
    else if (j->err != OK)
        net_close(j->conn, j->msg.text);
}

void net_no_answer(struct job *j)
{
    (void)j;
}

/* ---- events -----------------------------------------------------------------------------------*/

static enum err read_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_read(&j->x, db, &j->fx, &j->bytes, &j->events, &j->in, e);
}

static void read_done(struct job *j)
{
    if (j->err == OK)
        net_answer(j);
    else
        net_close(j->conn, "the outbox cannot be read");
}

static enum err store_run(struct job *j, struct db *db, struct errmsg *e)
{
    j->day = time_days(host_wall_ms(&j->s->host));
    return link_end_store(&j->x, db, &j->fx, j->arena, &j->batch, e);
}

static void store_done(struct job *j)
{
    if (j->err == ERR_PEER)
        breach("site %d calls its peer a liar: %s", j->s->no, j->msg.text);
    j->in.kind = IN_STORED;
    j->in.token = j->fx.token;
    j->in.err = j->err;
    trace("site %d stored %zu from %s up to %llu: %s", j->s->no, j->fx.event_count, j->x.peer,
          (unsigned long long)j->fx.pos, err_name(j->err));
    struct conn *c = j->conn;
    int gen = j->gen;
    net_answer(j);
    if (j->err == OK)
        check_heard(j, j->day);
    if (j->err == OK && j->batch.offends && c->open && c->gen == gen) {
        struct link_input bye = {
            .kind = IN_BYE, .code = BYE_REFUSED, .reason = "what is never its to say"};
        net_step(c, j->end, &bye);
    }
    for (int i = 0; j->err == OK && c->open && c->gen == gen && i < j->batch.here_count; i++)
        net_have(c, j->end, j->batch.here[i]);
    net_local(j->s);
}

static enum err acked_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_acked(&j->x, db, j->fx.pos, e);
}

/* ---- leases and heads -------------------------------------------------------------------------*/

static enum err ask_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_ask_lease(&j->x, db, &j->in, e);
}

static void ask_done(struct job *j)
{
    j->in.kind = IN_LEASE;
    j->in.mono_ms = j->fx.mono_ms;
    j->in.err = j->err;
    net_answer(j);
}

static enum err lease_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_lease(&j->x, db, &j->fx, e);
}

static enum err skew_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_skew(&j->x, db, j->fx.skew_ms, e);
}

static enum err head_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_head(&j->x, db, &j->fx, e);
}

static void head_done(struct job *j)
{
    struct link_input in = {.kind = IN_BYE, .code = BYE_FORKED, .reason = "forked"};

    if (j->err != OK)
        trace("site %d on a head: %s", j->s->no, j->msg.text);
    if (j->err == ERR_PEER && site[j->conn->child].restored)
        net_step(j->conn, j->end, &in);
    else
        net_broken_rule(j);
}

/* ---- a past that was lost ---------------------------------------------------------------------*/

static enum err recall_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_recall(&j->x, db, &j->fx, &j->in, e);
}

static void recall_done(struct job *j)
{
    if (j->err != OK) {
        net_broken_rule(j);
        return;
    }
    trace("site %d answers a recall at %llu: verdict %u, head %llu", j->s->no,
          (unsigned long long)j->in.seq, j->in.verdict, (unsigned long long)j->in.pos);
    net_answer(j);
    net_local(j->s);
}

static enum err recall_step_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_recall_step(&j->x, db, &j->conn->end[0].recall,
                                j->fx.kind == FX_NONE ? NULL : &j->fx, &j->in, &j->here, e);
}

static void recall_step_done(struct job *j)
{
    struct conn_end *me = &j->conn->end[0];

    me->recalling = false;
    if (j->err != OK) {
        net_broken_rule(j);
        return;
    }
    if (j->here)
        net_answer(j);
    net_local(j->s);
}

void net_recall_look(struct conn *c, const struct link_effect *up)
{
    static const struct link_effect tick = {.kind = FX_NONE};
    struct conn_end *me = &c->end[0];

    if (!c->open || !me->link || !link_is_up(me->link) || me->recalling || me->recall.done)
        return;
    me->recalling = true;
    net_job(c, 0, up ? up : &tick, true, recall_step_run, recall_step_done);
}

static enum err come_back_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_come_back(&j->s->office, db, e);
}

/* ---- effects ----------------------------------------------------------------------------------*/

static void close_later(int child, int gen)
{
    if (conns[child].open && conns[child].gen == gen)
        net_close(&conns[child], "said goodbye");
}

static void is_up(struct conn *c, int end, const struct link_effect *x)
{
    const struct speaks *a = &net_site_of(c, 0)->speaks, *b = &net_site_of(c, 1)->speaks;
    unsigned lower = a->newest < b->newest ? a->newest : b->newest;

    trace("link %d-%d up at %d, version %u", c->child, c->parent, net_site_of(c, end)->no,
          x->version);
    if (x->version != lower || lower < a->oldest || lower < b->oldest)
        breach("sites %d and %d (%u to %u, %u to %u) speak version %u with each other", c->child,
               c->parent, a->oldest, a->newest, b->oldest, b->newest, x->version);
    if (end == 0) {
        site[c->child].backoff_ms = 500;
        site[c->child].shown_count = 0;
        net_recall_look(c, x);
    }
}

static void closes(struct conn *c, int end, const struct link_effect *x)
{
    struct site *s = net_site_of(c, end);

    if (x->code == BYE_PROTOCOL && !x->by_peer)
        breach("site %d: protocol: %s", s->no, x->reason);
    if (x->code == BYE_STORE && !x->by_peer && healing)
        breach("site %d: %s, and its disk is well", s->no, x->reason);
    if ((x->code == BYE_BEHIND && !x->by_peer) ||
        (x->code == BYE_FORKED && x->by_peer && end == 0)) {
        struct job *j = job_new(s, true);
        trace("site %d finds that it was restored", s->no);
        j->run = come_back_run;
        j->done = net_no_answer;
        job_queue(j);
    }
    if (x->by_peer)
        net_close(c, x->reason);
    else /* the other side hears why */
        later(c->delay_ms + 2000, close_later, c->child, c->gen);
}

static void effect(struct conn *c, int end, const struct link_effect *x)
{
    switch (x->kind) {
    case FX_SEND:
        net_post(c, end, x->bytes, x->bytes_len);
        break;
    case FX_UP:
        is_up(c, end, x);
        net_job(c, end, x, true, skew_run, net_broken_rule);
        break;
    case FX_SKEW:
        net_job(c, end, x, true, skew_run, net_broken_rule);
        break;
    case FX_READ:
        net_job(c, end, x, false, read_run, read_done);
        break;
    case FX_STORE:
        net_job(c, end, x, true, store_run, store_done);
        break;
    case FX_ACKED:
        net_job(c, end, x, true, acked_run, net_broken_rule);
        break;
    case FX_READ_CHUNK:
    case FX_STORE_CHUNK:
    case FX_NONE:
    case FX_HAVE:
        net_paper_effect(c, end, x);
        break;
    case FX_RECALL:
        net_job(c, end, x, true, recall_run, recall_done);
        break;
    case FX_RECALLED:
        c->end[end].recalling = true;
        net_job(c, end, x, true, recall_step_run, recall_step_done);
        break;
    case FX_ASK_LEASE:
        net_job(c, end, x, true, ask_run, ask_done);
        break;
    case FX_LEASE:
        net_job(c, end, x, true, lease_run, net_broken_rule);
        break;
    case FX_HEAD:
        net_job(c, end, x, true, head_run, head_done);
        break;
    case FX_CLOSE:
        closes(c, end, x);
        break;
    }
}

void net_step(struct conn *c, int end, struct link_input *in)
{
    struct conn_end *x = &c->end[end];
    struct link_effects fx;

    if (!c->open || !x->link)
        return;
    in->now_ms = host_mono_ms(&net_site_of(c, end)->host);
    in->wall_ms = host_wall_ms(&net_site_of(c, end)->host);
    arena_reset(x->turn);
    link_step(x->link, in, x->turn, &fx);
    for (int i = 0, gen = c->gen; i < fx.count && c->open && c->gen == gen; i++)
        effect(c, end, &fx.item[i]);
}
