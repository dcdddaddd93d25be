/* Sockets: who connects, who is dialled, and the frames that come in. */
#include "base/log.h"
#include "base/mem.h"
#include "site/enrol.h"
#include "site/peer.h"

#include <stdio.h>
#include <string.h>

#define BACKOFF_MS_MAX 30000
/* Events that are inflated and wait for the writer, of all links together; more stays as it came. A
 * thousand children that return at once have a gigabyte in their windows. */
#define STORE_BYTES_MAX (4 << 20)
#define WAITING_BYTES_MAX (2 * WIRE_FRAME_BYTES_MAX) /* of one link: more than its window */

extern const unsigned char sync_dictionary_2[];
extern const size_t sync_dictionary_2_len;

static void frame_in(struct peer *p, const void *bytes, size_t n)
{
    struct link_input in = {.kind = IN_FRAME, .bytes = bytes, .bytes_len = n};

    peer_step(p, &in);
}

/* Our outbox for the peer ends there now. */
void link_tell_head(struct peer *p, uint64_t head_pos)
{
    struct link_input in = {.kind = IN_LOCAL, .head_pos = head_pos};

    p->head_pos = head_pos;
    peer_step(p, &in);
}

/* ---- frames that wait -------------------------------------------------------------------------*/

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

/* Events wait for room, and what comes behind them waits with them, but for what says that the peer
 * lives: nothing depends on the order of that. */
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

/* A peer that does not let us in says so at once; its connection may be gone before our store has
 * opened the link, and the frame with it. */
static bool took_early_bye(struct peer *p, const void *bytes, size_t n)
{
    struct link_effects fx = {.count = 1};
    struct frame f;
    struct errmsg e;

    if (p->link || wire_unpack(bytes, n, WIRE_NEWEST, &f, &e) != OK || f.kind != FRAME_BYE)
        return false;
    fx.item[0] = (struct link_effect){.kind = FX_CLOSE, .code = f.code, .by_peer = true};
    snprintf(fx.item[0].reason, sizeof fx.item[0].reason, "%s", f.reason);
    effects_do(p, &fx);
    return true;
}

static void take_frame(struct peer *p, const void *bytes, size_t n)
{
    if (took_early_bye(p, bytes, n))
        return;
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
void links_let_in(struct site *s)
{
    while (s->held && !crowded(s)) {
        struct peer *p = s->held;
        s->held = p->held_next;
        p->held = false;
        take_waiting(p);
        peer_release(p);
    }
}

/* ---- opening and closing ----------------------------------------------------------------------*/

static enum err open_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;
    enum err err;

    if (!t->peer->x.is_parent &&
        (err = enrol_replaced(db, t->peer->fingerprint, &t->peer->replaced, e)) != OK)
        return err;
    if (t->peer->replaced) {
        errmsg_set(e, "its certificate was replaced by a newer one");
        return ERR_DENIED;
    }
    return exchange_open(&t->peer->x, db, &t->in, e);
}

/* In the protocol's own words: a closing code does not reach the operator at the other end. */
static void refuse_link(struct peer *p, enum err why)
{
    struct frame bye = {.kind = FRAME_BYE,
                        .code =
                            why == ERR_NOT_FOUND || why == ERR_DENIED ? BYE_REFUSED : BYE_STORE};
    struct buf bytes = {0};

    snprintf(bye.reason, sizeof bye.reason, "%s",
             why == ERR_NOT_FOUND ? "this site is not enrolled at its parent"
             : p->replaced        ? "the certificate of this site was replaced by a newer one"
             : why == ERR_DENIED
                 ? "this site was revoked by its parent; it has to be invited and enrolled again"
                 : "the other site cannot open the link now");
    wire_pack(&bye, WIRE_NEWEST, &bytes);
    ws_send(p->ws, bytes.data, bytes.len, true);
    buf_free(&bytes);
    ws_close(p->ws, 1008, bye.reason);
}

static void open_done(struct job *job)
{
    struct task *t = (struct task *)job;
    struct peer *p = t->peer;
    struct site *s = p->site;

    if (job->err != OK && p->ws) {
        log_line(LOG_LEVEL_WARN, "replica", "link=refused peer=%s error=%s text=\"%s\"", p->x.peer,
                 err_name(job->err), job->msg.text);
        refuse_link(p, job->err);
    } else if (p->ws) {
        struct link_config c = {.parent_side = !p->x.is_parent,
                                .dictionary = sync_dictionary_2,
                                .dictionary_len = sync_dictionary_2_len};
        snprintf(c.site, sizeof c.site, "%s", s->office.site);
        snprintf(c.peer, sizeof c.peer, "%s", p->x.peer);
        p->link = link_create(&c);
        peer_step(p, &t->in);
        link_tell_head(p, p->head_pos); /* what a glance has seen meanwhile */
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
        peer_release(x);
    }
    p->site = s;
    p->ws = ws;
    p->x = (struct exchange){.office = &s->office, .blobs = s->blobs, .is_parent = is_parent};
    snprintf(p->x.peer, sizeof p->x.peer, "%s", code);
    if (!is_parent)
        ws_peer_fingerprint(ws, p->fingerprint);
    p->heard_ms = p->said_ms = host_mono_ms(s->office.host);
    peer_add(s, p);
    peer_rest(p);
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
        struct task *t = task_new(p, NULL, closed_run, task_plain_done);
        store_write(s->store, &t->job);
    }
    peer_release(p);
}

/* ---- the parent's end -------------------------------------------------------------------------*/

static void served_open(struct ws *ws, void *arg)
{
    struct site *s = arg;
    const char *cn = ws_peer_cn(ws);

    if (!division_valid(cn) || !division_within(cn, s->office.site) ||
        !strcmp(cn, s->office.site)) {
        log_line(LOG_LEVEL_WARN, "replica",
                 "link=refused certificate=%s reason=\"no certificate of a child\"",
                 cn[0] ? cn : "none");
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

const struct ws_endpoint *site_sync_endpoint(struct site *s)
{
    s->endpoint = (struct ws_endpoint){
        .path = "/sync/v1",
        .subprotocol = "doorstep.sync.v1",
        .message_max = WIRE_FRAME_BYTES_MAX,
        .on_open = served_open,
        .on_message = served_message,
        .on_close = served_close,
        .arg = s,
    };
    return &s->endpoint;
}

/* ---- the child's end --------------------------------------------------------------------------*/

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

    if (!s->reason_said)
        snprintf(s->last_reason, sizeof s->last_reason, "%s", why);
    s->reason_said = false;
    if (p)
        connection_ended(p);
    if (s->stopping)
        return;
    /* 0.5 s doubling to 30 s, each between half and the whole of it: a thousand nodes do not come
     * at once. */
    host_random(s->office.host, &dice, sizeof dice);
    int64_t wait = s->backoff_ms / 2 + (int64_t)(dice % (uint32_t)(s->backoff_ms / 2 + 1));
    log_line(LOG_LEVEL_INFO, "replica", "uplink=down retry_ms=%lld reason=\"%s\"", (long long)wait,
             why);
    s->backoff_ms = s->backoff_ms * 2 > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : s->backoff_ms * 2;
    timer_cancel(s->redial);
    s->redial = loop_timer(s->loop, wait, dial, s);
}

enum err replica_start(struct site *s, struct errmsg *e)
{
    struct ws_dial d = {
        .host = s->parent_host,
        .port = s->parent_port,
        .path = "/sync/v1",
        .subprotocol = "doorstep.sync.v1",
        .ca_path = s->ca,
        .cert_path = s->cert,
        .key_path = s->key,
        .expected_cn = s->folder.parent,
        .message_max = WIRE_FRAME_BYTES_MAX,
        .on_open = dialled_open,
        .on_message = dialled_message,
        .on_close = dialled_close,
        .arg = s,
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
