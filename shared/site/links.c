/* Sockets: who connects, who is dialled. */
#include "site/links.h"

#include "base/log.h"
#include "base/mem.h"
#include "site/enrol.h"
#include "site/frames.h"
#include "site/replica.h"
#include "site/step.h"

#include <assert.h>

#include <stdio.h>
#include <string.h>

#define BACKOFF_MS_MAX 30000

extern const unsigned char sync_dictionary_2[];
extern const size_t sync_dictionary_2_len;

/* ---- opening and closing ----------------------------------------------------------------------*/

static enum err open_run(struct task *t, struct db *db, struct errmsg *e)
{
    enum err err;

    if (!t->peer->x.is_parent &&
        (err = enrol_replaced(db, t->peer->fingerprint, &t->peer->replaced, e)) != OK)
        return err;
    if (t->peer->replaced) {
        errmsg_set(e, "its certificate was replaced by a newer one");
        return ERR_DENIED;
    }
    return link_end_open(&t->peer->x, db, &t->in, e);
}

/* In the protocol's own words: a closing code does not reach the operator at the other end. */
static void refuse_link(struct peer *p, enum err why)
{
    struct frame bye = {.kind = FRAME_BYE,
                        .code =
                            why == ERR_NOT_FOUND || why == ERR_DENIED ? BYE_REFUSED : BYE_STORE};
    struct buf bytes = {0};

    assert(p->ws && !p->link && why != OK);
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

static void open_answer(struct task *t)
{
    struct peer *p = t->peer;
    struct site *s = p->site;

    if (t->job.err != OK && p->ws) {
        log_line(LOG_LEVEL_WARN, "replica", "link=refused peer=%s error=%s text=\"%s\"", p->x.peer,
                 err_name(t->job.err), t->job.msg.text);
        refuse_link(p, t->job.err);
    } else if (p->ws) {
        struct link_config c = {.parent_side = !p->x.is_parent,
                                .dictionary = sync_dictionary_2,
                                .dictionary_len = sync_dictionary_2_len};
        snprintf(c.site, sizeof c.site, "%s", s->office.site);
        snprintf(c.peer, sizeof c.peer, "%s", p->x.peer);
        assert(!p->link);
        p->link = link_create(&c);
        step_link(p, &t->in);
        step_head(p, p->head_pos); /* what a glance has seen meanwhile */
        frames_opened(p);
    }
}

static void connected(struct site *s, struct ws *ws, const char *code, bool is_parent)
{
    static const struct task_kind kind = {.write = true, .run = open_run, .answer = open_answer};
    struct peer *p = mem_alloc(sizeof *p);

    /* A newer connection of the same site takes over from one that hangs. */
    for (struct peer *x; (x = peer_find(s, code));) {
        ws_close(x->ws, 1000, "a newer connection of this site");
        ws_set_user(x->ws, NULL);
        x->ws = NULL;
        x->up = false;
        peer_release(x);
    }
    assert(!peer_find(s, code) && strlen(code) == 12);
    p->site = s;
    p->ws = ws;
    p->x = (struct link_end){.office = &s->office, .blobs = s->blobs, .is_parent = is_parent};
    snprintf(p->x.peer, sizeof p->x.peer, "%s", code);
    if (!is_parent)
        ws_peer_fingerprint(ws, p->fingerprint);
    p->heard_ms = p->said_ms = host_mono_ms(s->office.host);
    peer_add(s, p);
    peer_rest(p);
    ws_set_user(ws, p);
    task_start(task_new(p, NULL, &kind));
}

static void take_message(struct ws *ws, const void *bytes, size_t n, bool binary)
{
    struct peer *p = ws_user(ws);

    if (!p)
        return;
    struct site *s = p->site;
    if (!binary)
        ws_close(ws, 1003, "binary frames are expected");
    else
        frames_take(p, bytes, n);
    replica_settle(s); /* p may be gone now */
}

static enum err closed_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_closed(&t->peer->x, db, e);
}

static void connection_ended(struct peer *p)
{
    static const struct task_kind kind = {.write = true, .run = closed_run};
    struct site *s = p->site;

    if (p->up)
        log_line(LOG_LEVEL_INFO, "replica", "link=down peer=%s", p->x.peer);
    assert(p->ws);
    p->ws = NULL;
    p->up = false;
    if (p->x.is_parent && !s->stopping) {
        s->up = false;
        task_start(task_new(p, NULL, &kind));
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
    connected(s, ws, cn, false);
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

const struct ws_endpoint *links_endpoint(struct site *s)
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

    assert(s->uplink);
    s->redial = NULL;
    if (!s->stopping)
        ws_client_dial(s->uplink);
}

static void dialled_open(struct ws *ws, void *arg)
{
    struct site *s = arg;

    connected(s, ws, s->folder.parent, true);
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
    assert(s->backoff_ms >= BACKOFF_MS_MIN && s->backoff_ms <= BACKOFF_MS_MAX);
    host_random(s->office.host, &dice, sizeof dice);
    int64_t wait = s->backoff_ms / 2 + (int64_t)(dice % (uint32_t)(s->backoff_ms / 2 + 1));
    log_line(LOG_LEVEL_INFO, "replica", "uplink=down retry_ms=%lld reason=\"%s\"", (long long)wait,
             why);
    s->backoff_ms = s->backoff_ms * 2 > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : s->backoff_ms * 2;
    timer_cancel(s->redial);
    s->redial = loop_timer(s->loop, wait, dial, s);
}

enum err links_start(struct site *s, struct errmsg *e)
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

    assert(!s->uplink);
    if (!s->folder.parent[0])
        return OK;
    s->backoff_ms = BACKOFF_MS_MIN;
    s->uplink = ws_client_create(s->loop, &d, e);
    if (!s->uplink)
        return ERR_CORRUPT;
    s->redial = loop_timer(s->loop, 0, dial, s);
    return OK;
}

void links_stop(struct site *s)
{
    timer_cancel(s->redial);
    s->redial = NULL;
    for (int i = 0; i < s->peer_count; i++)
        if (s->peers[i].peer->ws)
            ws_close(s->peers[i].peer->ws, 1001, "this site stops");
    ws_client_destroy(s->uplink); /* it says nothing more, not even that the connection has ended */
    s->uplink = NULL;
    struct peer *up = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;
    if (up)
        connection_ended(up);
}

void links_finish(struct site *s)
{
    assert(!s->peer_count && !s->held && !s->finished);
    mem_free(s->peers);
    mem_free(s->fetching);
    arena_destroy(s->turn);
}
