/* Drives the engine: what it asks for becomes a store job, what the job answers goes back in.
 *
 *   socket frame -> IN_FRAME -> effects -> jobs -> IN_... -> effects -> socket frame
 *
 * A peer is one open connection. It outlives its socket for as long as jobs name it. */
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/store.h"
#include "site/enrol.h"
#include "site/inside.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_MS_MIN 500
#define BACKOFF_MS_MAX 30000
#define HAVE_EVERY_TICKS 3
#define REFUSED_MAX 256
/* Events that are inflated and wait for the writer, of all links together; more stays as it came. A thousand children
 * that return at once have a gigabyte in their windows. */
#define STORE_BYTES_MAX (4 << 20)
#define WAITING_BYTES_MAX (2 * WIRE_FRAME_BYTES_MAX) /* of one link: more than its window */
/* An answer about the clock may name a promise that is durable already, while it is younger than this part of its
 * length: the child's lease is that much shorter, and the disk is not written to for every question. */
#define PROMISE_PART 300

extern const unsigned char sync_dictionary_1[];
extern const size_t sync_dictionary_1_len;

struct peer {
    struct site *site;
    struct peer *beside; /* on its shelf */
    int at;              /* in site->peers */
    struct exchange x;   /* who the peer is */
    struct ws *ws;       /* NULL: the connection has ended */
    struct link *link;
    struct buf waiting; /* frames that came before the link was opened, or are held: u32 length, bytes */
    struct peer *held_next;
    bool held; /* in site->held */
    int64_t heard_ms, said_ms;
    int jobs;
    bool up;
    int64_t skew_ms;
    struct exchange_recall_state recall;
    bool recalling; /* a step is under way */
    uint64_t head_pos;
    struct sent_head {
        char origin[25];
        uint64_t seq;
    } *heads; /* shown to this peer already */
    int head_count;
    unsigned char (*refused)[32]; /* papers that the peer does not have */
    int refused_count, refused_cap;
    struct {
        int64_t asked_ms;   /* on our clock, when the promise was asked for; 0: there is none */
        int64_t now_ms;     /* the lease clock, not earlier than at asked_ms */
        int64_t at_ms, length_ms;
        uint64_t pos;       /* where our outbox ended then */
        bool renew;
        int64_t answer_ms;  /* the child's clock in a question that this promise answers; 0: none */
    } promise;
};

/* One job for a peer. */
struct task {
    struct job job;
    struct peer *peer;
    struct link_effect fx; /* what asked for it; pointers are copies in `arena` */
    struct arena *arena;
    struct link_input in; /* the answer */
    struct buf bytes;
    struct sync_event *events;
    struct exchange_batch batch;
    bool here; /* or: ask */
    size_t store_bytes;
    int64_t asked_ms; /* a promise: our clock before */
};

static void effects(struct peer *p, const struct link_effects *fx);
static bool promise_answers(struct peer *p, struct link_input *ret);
static void let_in(struct site *s);
static void fetched(struct site *s);

static const struct host *host_of(const struct peer *p)
{
    return p->site->office.host;
}

/* protocol.md 8: the link has nothing to do by itself before. */
static void rest(struct peer *p)
{
    int64_t ping = p->said_ms + LINK_PING_MS, dead = p->heard_ms + LINK_DEAD_MS;

    p->site->peers[p->at].due_ms = ping < dead ? ping : dead;
}

static void step(struct peer *p, struct link_input *in)
{
    struct site *s = p->site;
    struct link_effects fx;
    struct link_input answer;

    if (!p->ws || !p->link)
        return;
    in->now_ms = host_mono_ms(host_of(p));
    arena_reset(s->turn);
    link_step(p->link, in, s->turn, &fx);
    effects(p, &fx);
    if (in->kind == IN_FRAME)
        p->heard_ms = in->now_ms;
    for (int i = 0; i < fx.count; i++)
        if (fx.item[i].kind == FX_SEND)
            p->said_ms = in->now_ms;
    rest(p);
    if (p->promise.renew)
        s->peers[p->at].due_ms = 0;
    if (promise_answers(p, &answer))
        step(p, &answer);
}

/* ---- who is connected ---------------------------------------------------------------------------*/

static struct peer **shelf_of(struct site *s, const char *code)
{
    unsigned n = 0;

    for (const char *c = code; *c; c++)
        n = n * 31 + (unsigned char)*c;
    return &s->shelf[n % PEER_SHELVES];
}

/* The open connection of a site, or NULL. */
static struct peer *peer_find(struct site *s, const char *code)
{
    struct peer *p = *shelf_of(s, code);

    while (p && (!p->ws || strcmp(p->x.peer, code)))
        p = p->beside;
    return p;
}

static void peer_add(struct site *s, struct peer *p)
{
    struct peer **shelf = shelf_of(s, p->x.peer);

    if (s->peer_count == s->peer_cap) {
        s->peer_cap = s->peer_cap ? s->peer_cap * 2 : 16;
        s->peers = mem_realloc(s->peers, sizeof *s->peers * (size_t)s->peer_cap);
    }
    p->at = s->peer_count;
    s->peers[s->peer_count++] = (struct seat){.peer = p};
    p->beside = *shelf;
    *shelf = p;
}

static void peer_remove(struct site *s, struct peer *p)
{
    struct peer **at = shelf_of(s, p->x.peer);

    while (*at != p)
        at = &(*at)->beside;
    *at = p->beside;
    s->peers[p->at] = s->peers[--s->peer_count];
    s->peers[p->at].peer->at = p->at;
}

static void release(struct peer *p)
{
    if (p->ws || p->jobs || p->held)
        return;
    fetched(p->site);
    peer_remove(p->site, p);
    link_destroy(p->link);
    buf_free(&p->waiting);
    mem_free(p->heads);
    mem_free(p->refused);
    mem_free(p);
}

/* ---- tasks --------------------------------------------------------------------------------------*/

static struct task *task_new(struct peer *p, const struct link_effect *fx,
                             enum err (*run)(struct job *, struct db *, struct errmsg *), void (*done)(struct job *))
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

static void task_end(struct task *t)
{
    struct peer *p = t->peer;

    buf_free(&t->bytes);
    mem_free(t->events);
    arena_destroy(t->arena);
    mem_free(t);
    p->jobs--;
    release(p);
}

/* FX_READ */

static enum err read_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_read(&t->peer->x, db, &t->fx, &t->bytes, &t->events, &t->in, e);
}

static void read_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err == OK)
        step(t->peer, &t->in);
    else if (t->peer->ws)
        ws_close(t->peer->ws, 1011, "the outbox cannot be read");
    task_end(t);
}

/* FX_STORE */

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

static void recall_look(struct peer *p, const struct link_effect *why);

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
        log_line(LOG_LEVEL_WARN, "replica", "stored=no peer=%s error=%s text=\"%s\"", t->peer->x.peer, err_name(job->err),
                 job->msg.text);
    step(t->peer, &t->in);
    if (job->err == OK) {
        for (int i = 0; i < t->batch.here_count; i++) {
            struct link_input have = {.kind = IN_HAVE};
            memcpy(have.digest, t->batch.here[i], 32);
            step(t->peer, &have);
        }
        for (size_t i = 0; s->on_case && i < t->batch.case_count; i++)
            s->on_case(s->on_case_arg, t->batch.cases[i]);
        recall_look(t->peer, &stored);
        site_glance(s, false);
    }
    task_end(t);
    let_in(s);
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
    store_write(p->site->store, &t->job);
}

/* FX_ACKED, FX_HAVE from the parent, leases, heads: a write each, nothing to answer but a lease. */

static enum err acked_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_acked(&t->peer->x, db, t->fx.pos, e);
}

static void plain_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err != OK) {
        log_line(LOG_LEVEL_WARN, "replica", "peer=%s error=%s text=\"%s\"", t->peer->x.peer, err_name(job->err), job->msg.text);
        if (job->err == ERR_PEER && t->peer->ws)
            ws_close(t->peer->ws, 1008, "what was sent cannot be true");
    }
    task_end(t);
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
        step(t->peer, &t->in);
    task_end(t);
}

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
        step(t->peer, &t->in);
    task_end(t);
}

/* Make a promise durable; to answer the question fx, or (NULL) ahead of the next one. */
static void start_promise(struct peer *p, const struct link_effect *fx)
{
    struct task *t = task_new(p, fx, lease_ask_run, lease_ask_done);

    t->asked_ms = host_mono_ms(host_of(p));
    t->here = !fx;
    store_write(p->site->store, &t->job);
}

static void ask_lease(struct peer *p, const struct link_effect *fx)
{
    int64_t age = host_mono_ms(host_of(p)) - p->promise.asked_ms;

    if (!p->promise.asked_ms || age > 2 * p->promise.length_ms / PROMISE_PART) {
        start_promise(p, fx);
        return;
    }
    p->promise.renew = age > p->promise.length_ms / PROMISE_PART; /* all that are due go with the next tick */
    p->promise.answer_ms = fx->mono_ms;
}

/* protocol.md 6. The clock goes on from where it was read at the latest, so what we say of it is never too early. */
static bool promise_answers(struct peer *p, struct link_input *ret)
{
    if (!p->promise.answer_ms)
        return false;
    *ret = (struct link_input){.kind = IN_LEASE, .mono_ms = p->promise.answer_ms, .promised_ms = p->promise.at_ms,
                               .lease_now_ms = p->promise.now_ms + host_mono_ms(host_of(p)) - p->promise.asked_ms,
                               .length_ms = p->promise.length_ms, .pos = p->promise.pos};
    p->promise.answer_ms = 0;
    return true;
}

static enum err lease_keep_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_lease(&t->peer->x, db, &t->fx, e);
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
    struct link_input in = {.kind = IN_BYE, .code = BYE_FORKED, .reason = "this chain is not the one that was witnessed"};

    if (job->err == ERR_PEER)
        step(t->peer, &in);
    plain_done(job);
}

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
        step(t->peer, &t->in);
        site_glance(t->peer->site, false);
    }
    plain_done(job);
}

static enum err recall_step_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_recall_step(&t->peer->x, db, &t->peer->recall, t->fx.kind == FX_NONE ? NULL : &t->fx, &t->in, &t->here, e);
}

static void recall_step_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->peer->recalling = false;
    if (job->err == OK && t->here)
        step(t->peer, &t->in);
    if (job->err == OK)
        site_glance(t->peer->site, false);
    plain_done(job);
}

/* Papers. */

static enum err chunk_read_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    (void)db;
    return exchange_read_chunk(&t->peer->x, &t->fx, &t->bytes, &t->in, e);
}

static void chunk_read_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err != OK)
        t->in.total = -1;
    step(t->peer, &t->in);
    task_end(t);
}

static enum err chunk_store_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    (void)db;
    return exchange_store_chunk(&t->peer->x, &t->fx, &t->in, e);
}

static enum err paper_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_paper(&t->peer->x, db, t->fx.digest, e);
}

static void paper_done(struct job *job)
{
    struct task *t = (struct task *)job;
    struct link_input have = {.kind = IN_HAVE};

    t->in.err = job->err;
    step(t->peer, &t->in);
    if (job->err == OK && !t->peer->x.is_parent) {
        memcpy(have.digest, t->fx.digest, 32);
        step(t->peer, &have);
    }
    site_glance(t->peer->site, false);
    task_end(t);
}

static void chunk_store_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->in.err = job->err;
    if (job->err != OK)
        log_line(LOG_LEVEL_WARN, "replica", "paper=failed peer=%s error=%s text=\"%s\"", t->peer->x.peer, err_name(job->err),
                 job->msg.text);
    if (job->err == OK && t->in.finished) { /* the row says so before anybody is told */
        t->job = (struct job){.run = paper_run, .done = paper_done};
        store_write(t->peer->site->store, &t->job);
        return;
    }
    step(t->peer, &t->in);
    task_end(t);
}

/* ---- effects ------------------------------------------------------------------------------------*/

static void came_up(struct peer *p, const struct link_effect *fx)
{
    struct site *s = p->site;

    p->up = true;
    p->skew_ms = fx->skew_ms;
    if (p->x.is_parent) {
        s->up = true;
        s->backoff_ms = BACKOFF_MS_MIN;
        s->skew_ms = fx->skew_ms;
        s->last_reason[0] = 0;
        s->show_heads = true;
    }
    log_line(LOG_LEVEL_INFO, "replica", "link=up peer=%s skew_ms=%lld", p->x.peer, (long long)fx->skew_ms);
    if (fx->skew_ms > 300000 || fx->skew_ms < -300000)
        log_line(LOG_LEVEL_WARN, "replica",
                 "clock=wrong peer=%s skew_s=%lld text=\"the clocks of the two sites differ; set the right time, nothing is lost\"",
                 p->x.peer, (long long)fx->skew_ms / 1000);
    recall_look(p, fx);
    site_glance(s, p->x.is_parent);
}

static void start(struct peer *p, const struct link_effect *fx,
                  enum err (*run)(struct job *, struct db *, struct errmsg *), void (*done)(struct job *), bool write)
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

static void close_link(struct peer *p, const struct link_effect *fx)
{
    log_line(fx->code == BYE_STOPPING ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "replica",
             "link=closing peer=%s code=%d by_peer=%s reason=\"%s\"", p->x.peer, (int)fx->code, fx->by_peer ? "yes" : "no",
             fx->reason);
    if (p->x.is_parent)
        snprintf(p->site->last_reason, sizeof p->site->last_reason, "%s", fx->reason);
    /* Restored without being told: act as if we had been. */
    if ((fx->code == BYE_BEHIND && !fx->by_peer) || (fx->code == BYE_FORKED && fx->by_peer && p->x.is_parent)) {
        log_line(LOG_LEVEL_WARN, "replica", "restored=found peer=%s text=\"this site has forgotten a part of its past; it gets it back first\"", p->x.peer);
        start(p, fx, come_back_run, plain_done, true);
    }
    if (p->ws)
        ws_close(p->ws, 1000, fx->reason);
}

static void refuse(struct peer *p, const unsigned char digest[32])
{
    if (p->refused_count == REFUSED_MAX)
        return;
    if (p->refused_count == p->refused_cap) {
        p->refused_cap = p->refused_cap ? p->refused_cap * 2 : 4;
        p->refused = mem_realloc(p->refused, sizeof *p->refused * (size_t)p->refused_cap);
    }
    memcpy(p->refused[p->refused_count++], digest, 32);
}

static void effects(struct peer *p, const struct link_effects *fx)
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
        case FX_READ:
            start(p, x, read_run, read_done, false);
            break;
        case FX_STORE:
            start_store(p, x);
            break;
        case FX_ACKED:
            start(p, x, acked_run, plain_done, true);
            break;
        case FX_READ_CHUNK:
            start(p, x, chunk_read_run, chunk_read_done, false);
            break;
        case FX_STORE_CHUNK:
            start(p, x, chunk_store_run, chunk_store_done, false);
            break;
        case FX_NONE:
            refuse(p, x->digest);
            break;
        case FX_RECALL:
            start(p, x, recall_run, recall_done, true);
            break;
        case FX_RECALLED:
            p->recalling = true;
            start(p, x, recall_step_run, recall_step_done, true);
            break;
        case FX_HAVE:
            if (p->x.is_parent)
                start(p, x, mark_run, plain_done, true);
            else
                start(p, x, have_run, have_done, false);
            break;
        case FX_ASK_LEASE:
            ask_lease(p, x);
            break;
        case FX_LEASE:
            start(p, x, lease_keep_run, plain_done, true);
            break;
        case FX_HEAD:
            start(p, x, head_run, head_done, true);
            break;
        case FX_CLOSE:
            close_link(p, x);
            break;
        }
    }
}

/* ---- opening ------------------------------------------------------------------------------------*/

static void frame_in(struct peer *p, const void *bytes, size_t n)
{
    struct link_input in = {.kind = IN_FRAME, .bytes = bytes, .bytes_len = n};

    step(p, &in);
}

/* Our outbox for the peer ends there now. */
static void tell_head(struct peer *p, uint64_t head_pos)
{
    struct link_input in = {.kind = IN_LOCAL, .head_pos = head_pos};

    p->head_pos = head_pos;
    step(p, &in);
}

/* ---- frames that wait --------------------------------------------------------------------------*/

static bool crowded(const struct site *s)
{
    return s->store_bytes > STORE_BYTES_MAX;
}

static void hold(struct peer *p)
{
    struct site *s = p->site;

    p->held = true;
    p->held_next = NULL;
    if (!s->held)
        s->held_end = &s->held;
    *s->held_end = p;
    s->held_end = &p->held_next;
}

/* Events wait for room, and what comes behind them waits with them, but for what says that the peer lives: nothing
 * depends on the order of that. */
static bool must_wait(const struct peer *p, const unsigned char *bytes, size_t n)
{
    unsigned kind = n ? bytes[0] : 0;

    if (p->held)
        return kind != FRAME_CLOCK_ASK && kind != FRAME_PING && kind != FRAME_PONG;
    return kind == FRAME_EVENTS && crowded(p->site);
}

static void wait_with(struct peer *p, const void *bytes, size_t n)
{
    if (p->waiting.len + n > WAITING_BYTES_MAX) {
        ws_close(p->ws, 1008, "too much at once");
        return;
    }
    buf_u32(&p->waiting, (uint32_t)n);
    buf_append(&p->waiting, bytes, n);
    if (p->link && !p->held)
        hold(p);
}

static void take_frame(struct peer *p, const void *bytes, size_t n)
{
    if (!p->link || must_wait(p, bytes, n))
        wait_with(p, bytes, n);
    else
        frame_in(p, bytes, n);
}

static void take_waiting(struct peer *p)
{
    struct buf all = p->waiting;
    struct reader r = {.p = all.data, .left = all.len};

    p->waiting = (struct buf){0};
    while (p->ws && r.left && !r.bad) {
        size_t n = reader_u32(&r);
        const unsigned char *bytes = reader_bytes(&r, n);
        if (bytes)
            take_frame(p, bytes, n);
    }
    buf_free(&all);
}

/* The store has room again: those that were held go on, one after the other. */
static void let_in(struct site *s)
{
    while (s->held && !crowded(s)) {
        struct peer *p = s->held;
        s->held = p->held_next;
        p->held = false;
        take_waiting(p);
        release(p);
    }
}

static enum err open_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_open(&t->peer->x, db, &t->in, e);
}

static void open_done(struct job *job)
{
    struct task *t = (struct task *)job;
    struct peer *p = t->peer;
    struct site *s = p->site;

    if (job->err != OK && p->ws) {
        log_line(LOG_LEVEL_WARN, "replica", "link=refused peer=%s error=%s text=\"%s\"", p->x.peer, err_name(job->err), job->msg.text);
        ws_close(p->ws, 1008, job->err == ERR_NOT_FOUND ? "this site is not enrolled here" : "this site cannot open the link now");
    } else if (p->ws) {
        struct link_config c = {.parent_side = !p->x.is_parent, .dictionary = sync_dictionary_1,
                                .dictionary_len = sync_dictionary_1_len};
        snprintf(c.site, sizeof c.site, "%s", s->office.site);
        snprintf(c.peer, sizeof c.peer, "%s", p->x.peer);
        p->link = link_create(&c);
        step(p, &t->in);
        tell_head(p, p->head_pos); /* what a glance has seen meanwhile */
        take_waiting(p);
    }
    task_end(t);
}

static struct peer *peer_new(struct site *s, struct ws *ws, const char *code, bool is_parent)
{
    struct peer *p = mem_alloc(sizeof *p);

    /* A newer connection of the same site takes over from one that hangs. */
    for (struct peer *x; (x = peer_find(s, code));) {
        ws_close(x->ws, 1000, "a newer connection of this site");
        ws_set_user(x->ws, NULL);
        x->ws = NULL;
        x->up = false;
        release(x);
    }
    p->site = s;
    p->ws = ws;
    p->x = (struct exchange){.office = &s->office, .blobs = s->blobs, .is_parent = is_parent};
    snprintf(p->x.peer, sizeof p->x.peer, "%s", code);
    p->heard_ms = p->said_ms = host_mono_ms(s->office.host);
    peer_add(s, p);
    rest(p);
    ws_set_user(ws, p);
    struct task *t = task_new(p, NULL, open_run, open_done);
    store_write(s->store, &t->job);
    return p;
}

static void take_message(struct ws *ws, const void *bytes, size_t n, bool binary)
{
    struct peer *p = ws_user(ws);

    if (!p)
        return;
    if (!binary)
        ws_close(ws, 1003, "binary frames are expected");
    else
        take_frame(p, bytes, n);
}

static enum err closed_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_closed(&t->peer->x, db, e);
}

static void connection_ended(struct peer *p)
{
    struct site *s = p->site;

    if (p->up)
        log_line(LOG_LEVEL_INFO, "replica", "link=down peer=%s", p->x.peer);
    p->ws = NULL;
    p->up = false;
    if (p->x.is_parent && !s->stopping) {
        s->up = false;
        struct task *t = task_new(p, NULL, closed_run, plain_done);
        store_write(s->store, &t->job);
    }
    release(p);
}

/* ---- the parent's end ---------------------------------------------------------------------------*/

static void served_open(struct ws *ws, void *arg)
{
    struct site *s = arg;
    const char *cn = ws_peer_cn(ws);

    if (!division_valid(cn) || !division_within(cn, s->office.site) || !strcmp(cn, s->office.site)) {
        log_line(LOG_LEVEL_WARN, "replica", "link=refused certificate=%s reason=\"no certificate of a child\"", cn[0] ? cn : "none");
        ws_close(ws, 1008, "a certificate of a child of this site is needed");
        return;
    }
    peer_new(s, ws, cn, false);
}

static void served_message(struct ws *ws, const void *p, size_t n, bool binary, void *arg)
{
    (void)arg;
    take_message(ws, p, n, binary);
}

static void served_close(struct ws *ws, void *arg)
{
    struct peer *p = ws_user(ws);

    (void)arg;
    if (p)
        connection_ended(p);
}

/* ---- the child's end ----------------------------------------------------------------------------*/

static void dial(void *arg)
{
    struct site *s = arg;

    s->redial = NULL;
    if (!s->stopping)
        ws_client_dial(s->uplink);
}

static void dialled_open(struct ws *ws, void *arg)
{
    struct site *s = arg;

    peer_new(s, ws, s->folder.parent, true);
}

static void dialled_message(struct ws *ws, const void *p, size_t n, bool binary, void *arg)
{
    (void)arg;
    take_message(ws, p, n, binary);
}

static void dialled_close(struct ws *ws, const char *why, void *arg)
{
    struct site *s = arg;
    struct peer *p = ws ? ws_user(ws) : NULL;
    uint32_t dice;

    if (!s->last_reason[0])
        snprintf(s->last_reason, sizeof s->last_reason, "%s", why);
    if (p)
        connection_ended(p);
    if (s->stopping)
        return;
    /* 0.5 s doubling to 30 s, each between half and the whole of it: a thousand nodes do not come at once. */
    host_random(s->office.host, &dice, sizeof dice);
    int64_t wait = s->backoff_ms / 2 + (int64_t)(dice % (uint32_t)(s->backoff_ms / 2 + 1));
    log_line(LOG_LEVEL_INFO, "replica", "uplink=down retry_ms=%lld reason=\"%s\"", (long long)wait, why);
    s->backoff_ms = s->backoff_ms * 2 > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : s->backoff_ms * 2;
    timer_cancel(s->redial);
    s->redial = loop_timer(s->loop, wait, dial, s);
}

enum err replica_start(struct site *s, struct errmsg *e)
{
    struct ws_dial d = {
        .host = s->parent_host, .port = s->parent_port, .path = "/sync/v1", .subprotocol = "doorstep.sync.v1",
        .ca_path = s->ca, .cert_path = s->cert, .key_path = s->key, .expected_cn = s->folder.parent,
        .message_max = WIRE_FRAME_BYTES_MAX, .on_open = dialled_open, .on_message = dialled_message,
        .on_close = dialled_close, .arg = s,
    };

    if (!s->folder.parent[0])
        return OK;
    s->backoff_ms = BACKOFF_MS_MIN;
    s->uplink = ws_client_create(s->loop, &d, e);
    if (!s->uplink)
        return ERR_CORRUPT;
    s->redial = loop_timer(s->loop, 0, dial, s);
    return OK;
}

void replica_stop(struct site *s)
{
    timer_cancel(s->redial);
    s->redial = NULL;
    for (int i = 0; i < s->peer_count; i++)
        if (s->peers[i].peer->ws)
            ws_close(s->peers[i].peer->ws, 1001, "this site stops");
    ws_client_destroy(s->uplink);
    s->uplink = NULL;
}

void replica_finish(struct site *s)
{
    mem_free(s->peers);
    mem_free(s->fetching);
    arena_destroy(s->turn);
}

/* ---- ticks and glances --------------------------------------------------------------------------*/

/* While this site has not got its past back, look at each tick how far it is. */
static void recall_look(struct peer *p, const struct link_effect *why)
{
    static const struct link_effect tick = {.kind = FX_NONE};

    if (!p->x.is_parent || !p->up || p->recalling || !p->ws)
        return;
    if (p->recall.done)
        return;
    p->recalling = true;
    start(p, why ? why : &tick, recall_step_run, recall_step_done, true);
}

static void tick(struct peer *p)
{
    struct link_input in = {.kind = IN_TICK};

    rest(p);
    if (p->promise.renew) {
        p->promise.renew = false;
        start_promise(p, NULL);
    }
    step(p, &in);
}

void replica_tick(struct site *s)
{
    struct peer *up = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;

    if (up) {
        tick(up);
        recall_look(up, NULL);
    }
    int64_t now_ms = host_mono_ms(s->office.host);
    for (int i = 0; i < s->peer_count; i++) {
        if (s->ticks % 60 == 0)
            s->peers[i].peer->refused_count = 0; /* ask again: it may have come by now */
        if (s->peers[i].due_ms <= now_ms && s->peers[i].peer != up)
            tick(s->peers[i].peer);
    }
}

static bool refused(const struct peer *p, const unsigned char digest[32])
{
    for (int i = 0; i < p->refused_count; i++)
        if (!memcmp(p->refused[i], digest, 32))
            return true;
    return false;
}

/* By any link: two would write the same partial file. */
static bool being_fetched(const struct site *s, const unsigned char digest[32])
{
    for (int i = 0; i < s->fetching_count; i++)
        if (!memcmp(s->fetching[i].digest, digest, 32))
            return true;
    return false;
}

/* Forget those that have come, or will not. */
static void fetched(struct site *s)
{
    int n = 0;

    for (int i = 0; i < s->fetching_count; i++) {
        const struct peer *p = s->fetching[i].peer;
        if (p->ws && p->link && link_is_fetching(p->link, s->fetching[i].digest))
            s->fetching[n++] = s->fetching[i];
    }
    s->fetching_count = n;
}

static bool may_fetch(const struct peer *p, const unsigned char digest[32])
{
    return p && p->ws && p->link && link_can_fetch(p->link) && !refused(p, digest);
}

static void fetch(struct peer *p, const struct exchange_paper_row *x, const unsigned char digest[32])
{
    struct site *s = p->site;
    struct link_input in = {.kind = IN_WANTED};
    struct link_effect found = {.kind = FX_STORE_CHUNK};

    if (blob_exists(s->blobs, x->digest)) { /* here all the time: the row had been forgotten */
        memcpy(found.digest, digest, 32);
        start(p, &found, paper_run, plain_done, true);
        return;
    }
    memcpy(in.digest, digest, 32);
    in.offset = (uint64_t)blob_partial_size(s->blobs, x->digest);
    if (s->fetching_count == s->fetching_cap) {
        s->fetching_cap = s->fetching_cap ? s->fetching_cap * 2 : 16;
        s->fetching = mem_realloc(s->fetching, sizeof *s->fetching * (size_t)s->fetching_cap);
    }
    s->fetching[s->fetching_count].peer = p;
    memcpy(s->fetching[s->fetching_count++].digest, digest, 32);
    step(p, &in);
}

/* Whom to ask for it now: where its case came from; else the parent; else, when nobody there is up, any child. */
static struct peer *whom_to_ask(struct site *s, const struct exchange_paper_row *x, const unsigned char digest[32])
{
    struct peer *parent = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;
    struct peer *source = x->from[0] ? peer_find(s, x->from) : parent;

    if (may_fetch(source, digest))
        return source;
    if (may_fetch(parent, digest))
        return parent;
    if (x->from[0] && source && source->up && !refused(source, digest))
        return NULL;
    for (int i = 0; i < s->peer_count; i++)
        if (may_fetch(s->peers[i].peer, digest))
            return s->peers[i].peer;
    return NULL;
}

static void fetch_wanted(struct site *s, const struct glance *g)
{
    unsigned char digest[32];

    fetched(s);
    for (int i = 0; i < g->wanted_count; i++) {
        if (!hex_decode(g->wanted[i].digest + 7, digest, 32) || being_fetched(s, digest))
            continue;
        struct peer *p = whom_to_ask(s, &g->wanted[i], digest);
        if (p)
            fetch(p, &g->wanted[i], digest);
    }
}

static void show_heads(struct peer *p, const struct glance *g)
{
    for (int i = 0; i < g->head_count && p->ws; i++) {
        struct exchange_head_row *h = &g->heads[i];
        struct link_input in = {.kind = IN_HEAD, .seq = h->seq};
        struct sent_head *known = NULL;
        for (int k = 0; k < p->head_count && !known; k++)
            if (!strcmp(p->heads[k].origin, h->origin))
                known = &p->heads[k];
        if (known && known->seq >= h->seq)
            continue;
        if (!known) {
            p->heads = mem_realloc(p->heads, sizeof *p->heads * (size_t)(p->head_count + 1));
            known = &p->heads[p->head_count++];
            snprintf(known->origin, sizeof known->origin, "%s", h->origin);
        }
        known->seq = h->seq;
        snprintf(in.origin, sizeof in.origin, "%s", h->origin);
        memcpy(in.digest, h->hash, 32);
        exchange_sign(&p->site->office, h);
        memcpy(in.signature, h->signature, 64);
        step(p, &in);
    }
}

void replica_glanced(struct site *s, struct glance *g)
{
    struct peer *parent = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;

    for (int i = 0; i < g->link_count; i++) {
        struct peer *p = peer_find(s, g->links[i].peer);
        if (p && g->links[i].head_pos > p->head_pos)
            tell_head(p, g->links[i].head_pos);
    }
    fetch_wanted(s, g);
    if (!parent || !parent->up || !g->whole)
        return;
    show_heads(parent, g);
    for (int i = 0; s->ticks % HAVE_EVERY_TICKS == 0 && i < g->unsent_count; i++) {
        struct link_input in = {.kind = IN_HAVE};
        if (hex_decode(g->unsent[i].digest + 7, in.digest, 32))
            step(parent, &in);
    }
}

void replica_add_status(struct site *s, struct json *status)
{
    struct json *link = json_get(status, "link"), *children = json_get(status, "children");

    if (link) {
        json_set_text(link, "state", s->up ? "up" : "down");
        json_set_int(link, "skew_ms", s->skew_ms);
        if (s->last_reason[0])
            json_set_text(link, "reason", s->last_reason);
    }
    for (size_t i = 0; i < json_count(children); i++) {
        struct json *c = json_at(children, i);
        const struct peer *p = peer_find(s, json_get_text(c, "site"));
        json_set_text(c, "state", p && p->up ? "up" : "down");
    }
}

/* ---- enrolment ----------------------------------------------------------------------------------*/

struct enrolment {
    struct job job;
    struct site *site;
    struct request *req;
    struct json *in, *out;
    struct problem problem;
};

static enum err enrol_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct enrolment *n = (struct enrolment *)job;

    return enrol_answer(&n->site->folder, &n->site->office, db, n->in, &n->out, &n->problem, e);
}

static void reply_json(struct request *req, int status, const struct json *j)
{
    struct buf text = {0};

    json_canonical(j, &text);
    request_reply(req, status, NULL, 0, status < 400 ? "application/json" : "application/problem+json", text.data, text.len);
    buf_free(&text);
}

static void reply_problem_text(struct request *req, int status, const char *zh, const char *en)
{
    struct json *j = json_object();

    json_set_int(j, "status", status);
    json_set_text(j, "detail", zh);
    json_set_text(j, "detail_en", en);
    reply_json(req, status, j);
    json_free(j);
}

static void enrol_done(struct job *job)
{
    struct enrolment *n = (struct enrolment *)job;

    if (job->err == OK) {
        log_line(LOG_LEVEL_INFO, "enrol", "enrolled=%s", json_get_text(n->out, "site"));
        reply_json(n->req, 201, n->out);
        site_glance(n->site, false);
    } else if (n->problem.status) {
        log_line(LOG_LEVEL_WARN, "enrol", "refused=%s", n->problem.code);
        reply_problem_text(n->req, n->problem.status, n->problem.zh, n->problem.en);
    } else {
        log_line(LOG_LEVEL_WARN, "enrol", "failed=%s text=\"%s\"", err_name(job->err), job->msg.text);
        reply_problem_text(n->req, 503, "上级站点暂时无法登记，请稍后再试", "The parent cannot enrol now; try again later");
    }
    json_free(n->in);
    json_free(n->out);
    mem_free(n);
}

static void enrol_handle(struct request *req, void *arg)
{
    struct site *s = arg;
    struct errmsg e;
    size_t n;
    const char *body = request_body(req, &n);
    struct json *in = NULL;

    if (json_parse(body ? body : "", n, &in, &e) != OK || !json_is_object(in)) {
        json_free(in);
        reply_problem_text(req, 400, "登记请求无法读懂", "The request cannot be read");
        return;
    }
    struct enrolment *x = mem_alloc(sizeof *x);
    x->site = s;
    x->req = req;
    x->in = in;
    x->job.run = enrol_run;
    x->job.done = enrol_done;
    request_hold(req);
    store_write(s->store, &x->job);
}

const struct route *site_sync_routes(struct site *s, size_t *ret_count)
{
    s->routes[0] = (struct route){.method = "POST", .path = "/sync/v1/enrol", .handle = enrol_handle, .arg = s, .body_max = 16384};
    *ret_count = 1;
    return s->routes;
}

void site_sync_fallback(struct request *req, void *site)
{
    (void)site;
    reply_problem_text(req, 404, "这里只供下级站点连接", "Only child sites connect here");
}

const struct ws_endpoint *site_sync_endpoint(struct site *s)
{
    s->endpoint = (struct ws_endpoint){
        .path = "/sync/v1", .subprotocol = "doorstep.sync.v1", .message_max = WIRE_FRAME_BYTES_MAX,
        .on_open = served_open, .on_message = served_message, .on_close = served_close, .arg = s,
    };
    return &s->endpoint;
}
