/* From the bytes of a connection to a struct request, and back. One request at a time lives on a
 * connection; what a client sends ahead waits.
 *
 *            head whole           body in            answer written
 *   HEAD ------------------> BODY ----------> ANSWER ----------------> HEAD
 *     \                        \                 \--close_after--> LINGER --> closed
 *      \--WebSocket--> ws_serve \--too slow, too large, too much--> refused, LINGER */
#include "net/http.h"

#include "base/mem.h"
#include "net/answer.h"
#include "net/conn.h"
#include "net/door.h"
#include "net/http_body.h"
#include "net/http_link.h"
#include "net/listen.h"
#include "net/loop.h"
#include "net/origin.h"
#include "net/refusal.h"
#include "net/request.h"
#include "net/route.h"
#include "net/ws_serve.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define AHEAD_BYTES_MAX (64 * 1024) /* of requests sent before the last one is answered */
#define LINGER_S 2
#define LINGER_BYTES_MAX (1LL << 20)

/* ---- a request begins -------------------------------------------------------------------------*/

/* Is there a socket at this path? Then the request is answered, or no longer one. */
static bool begin_socket(struct http_link *k)
{
    const struct http_config *c = &k->http->config;
    struct request *r = k->req;

    for (int i = 0; i < HTTP_ENDPOINTS_MAX && c->endpoints[i]; i++) {
        if (strcmp(c->endpoints[i]->path, r->head.path))
            continue;
        const struct refusal *why = ws_serve_check(r, c->endpoints[i]);
        if (why) {
            http_link_refuse(k, why);
            return true;
        }
        struct buf early = k->in;
        k->in = (struct buf){0};
        k->req = NULL;
        ws_serve(r, c->endpoints[i], early.data, early.len);
        buf_free(&early);
        request_free(r);
        mem_free(k);
        return true;
    }
    return false;
}

/* tus 1.0, "X-HTTP-Method-Override": it is the method, and the actual one counts for nothing. Heard
 * of POST alone, which is what clients send that can send nothing else. */
static void overrule_method(struct request *r)
{
    const char *said = head_header(&r->head, "x-http-method-override");

    if (said && !strcmp(r->head.method, "POST") && strlen(said) <= HEAD_METHOD_MAX)
        r->head.method = said;
}

/* k->req has a head. The link is gone afterwards when false is returned: it is a socket now. */
static bool begin(struct http_link *k, enum head_fault fault)
{
    struct request *r = k->req;
    struct guest *g = k->guest;
    int64_t length = r->head.length;

    origin_read(r);
    r->body_ended = !length || fault != FAULT_NONE;
    if (fault != FAULT_NONE) {
        http_link_refuse(k, refusal_of_fault(fault));
        return true;
    }
    if (begin_socket(k))
        return guest_user(g) == k;
    overrule_method(r);
    r->route = route_find(r->config, r->head.method, r->head.path, r->arena, &r->params);
    k->phase = length ? PHASE_BODY : PHASE_ANSWER;
    guest_patience(g, length ? http_link_limit(k, LIMIT_BODY_SECONDS) : 0);
    if (r->route && length > r->route->body_max) {
        r->refusal = &refusal_body_too_large;
        r->close_after = r->head.expects;
    } else if (!r->route) {
        r->close_after = r->head.expects; /* whether the body comes is not known */
    } else if (r->head.expects) {
        (void)conn_write(guest_conn(g), "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    if (!length || !r->route || r->refusal || r->route->stream)
        http_link_handle(r);
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------*/

/* A head is in k->in, or the beginning of one. false: wait for more, or the link is gone. */
static bool take_head(struct http_link *k)
{
    size_t most = (size_t)http_link_limit(k, LIMIT_HEADER_BYTES);
    size_t n = head_length((const char *)k->in.data, k->in.len);

    if (!n && k->in.len <= most)
        return false;
    guest_waits(k->guest, false);
    struct request *r = k->req = request_create(&k->http->config, k->guest);
    r->began_us = http_link_now_us();
    memset(&k->chunked, 0, sizeof k->chunked);
    if (!n || n > most) {
        r->head.method = r->head.path = "";
        r->body_ended = true;
        origin_read(r);
        http_link_refuse(k, &refusal_head_too_large);
        return true;
    }
    enum head_fault fault = head_parse(r->arena, (const char *)k->in.data, n, &r->head);
    buf_consume(&k->in, n);
    return begin(k, fault);
}

static void go_on(struct http_link *k)
{
    for (;;) {
        if (k->phase == PHASE_HEAD && k->in.len) {
            if (!take_head(k))
                return;
        } else if (k->phase == PHASE_BODY && k->in.len) {
            size_t used = http_body_take(k, k->in.data, k->in.len);
            buf_consume(&k->in, used);
        } else {
            break;
        }
    }
    if (k->phase == PHASE_ANSWER && k->in.len > AHEAD_BYTES_MAX)
        conn_pause(guest_conn(k->guest), true);
    if (!k->in.len)
        buf_free(&k->in);
}

static void on_data(struct guest *g, unsigned char *p, size_t n)
{
    struct http_link *k = guest_user(g);

    if (k->phase == PHASE_LINGER) {
        k->lingered += (int64_t)n;
        if (k->lingered > LINGER_BYTES_MAX)
            conn_close(guest_conn(g));
        return;
    }
    if (k->phase == PHASE_HEAD && !k->in.len)
        guest_patience(g, http_link_limit(k, LIMIT_HEADER_SECONDS));
    if (k->phase == PHASE_BODY && !k->in.len) {
        size_t used = http_body_take(k, p, n);
        p += used;
        n -= used;
    }
    if (k->req && k->req->close_after)
        return; /* nothing more is read of it as a request */
    buf_append(&k->in, p, n);
    go_on(k);
}

/* ---- answers ----------------------------------------------------------------------------------*/

static void linger(struct http_link *k)
{
    struct conn *c = guest_conn(k->guest);

    k->phase = PHASE_LINGER;
    buf_free(&k->in);
    guest_patience(k->guest, LINGER_S);
    conn_pause(c, false);
    if (conn_is_full(c))
        conn_want_write(c);
    else
        conn_end_writing(c);
}

static void answered(struct http_link *k)
{
    struct request *r = k->req;
    bool close_after = r->close_after || !r->head.keep;

    if (k->http->config.stats)
        http_stats_note(k->http->config.stats, r->status, http_link_now_us() - r->began_us);
    k->req = NULL;
    request_free(r);
    if (close_after) {
        linger(k);
        return;
    }
    k->phase = PHASE_HEAD;
    guest_waits(k->guest, true);
    guest_patience(k->guest,
                   http_link_limit(k, k->in.len ? LIMIT_HEADER_SECONDS : LIMIT_IDLE_SECONDS));
    conn_pause(guest_conn(k->guest), false);
    go_on(k);
}

static void on_writable(struct guest *g)
{
    struct http_link *k = guest_user(g);

    if (k->phase == PHASE_LINGER) {
        linger(k);
        return;
    }
    if (!k->req || !request_may_answer(k->req))
        return;
    k->phase = PHASE_ANSWER;
    guest_patience(g, http_link_limit(k, LIMIT_BODY_SECONDS));
    if (answer_write(k->req) > 0)
        answered(k);
}

static void on_late(struct guest *g)
{
    struct http_link *k = guest_user(g);
    struct conn *c = guest_conn(g);

    if (k->phase == PHASE_HEAD && k->in.len) {
        k->req = request_create(&k->http->config, g);
        k->req->head.method = k->req->head.path = "";
        k->req->began_us = http_link_now_us();
        k->req->body_ended = true;
        origin_read(k->req);
        guest_waits(g, false);
        http_link_refuse(k, &refusal_too_slow);
        guest_patience(g, LINGER_S);
    } else if (k->phase == PHASE_BODY && k->req->replied) { /* the answer does not wait for it */
        k->req->close_after = true;
        guest_patience(g, LINGER_S);
        conn_want_write(c);
    } else if (k->phase == PHASE_BODY && !k->req->held) {
        http_link_refuse(k, &refusal_too_slow);
        guest_patience(g, LINGER_S);
    } else {
        conn_close(c);
    }
}

static void on_close(struct guest *g)
{
    struct http_link *k = guest_user(g);

    http_link_no_body(k);
    if (k->req)
        request_client_gone(k->req);
    buf_free(&k->in);
    mem_free(k);
}

static const struct guest_calls calls = {on_data, on_writable, on_late, on_close};

static void on_enter(struct guest *g, void *arg)
{
    struct http_link *k = mem_alloc(sizeof *k);

    k->http = arg;
    k->guest = g;
    guest_set_user(g, k);
    guest_waits(g, true);
    guest_patience(g, http_link_limit(k, LIMIT_HEADER_SECONDS));
}

/* ---- the server -------------------------------------------------------------------------------*/

enum err http_listen(struct loop *l, const struct http_config *c, struct http **ret,
                     struct errmsg *e)
{
    struct http *h = mem_alloc(sizeof *h);
    struct door_config d = {.loop = l,
                            .limits = c->limits,
                            .total = c->total,
                            /* many sites may come from one network, all at once after a cut */
                            .per_client = c->total != LIMIT_SYNC_CONNECTIONS,
                            .trusted = c->trusted,
                            .trusted_count = c->trusted_count,
                            .calls = &calls,
                            .on_enter = on_enter,
                            .arg = h};

    loop_on_end(l, mem_free, h);
    h->config = *c;
    h->gathering_end = &h->gathering;
    enum err err = listen_open(c->listen, c->option, &d.fd, &h->port, e);
    if (err != OK)
        return err;
    d.kind = conn_kind_create(l, c->cert_path, c->key_path, c->ca_path, e);
    if (!d.kind) {
        close(d.fd);
        return ERR_INVALID;
    }
    h->door = door_open(&d, e);
    if (!h->door)
        return ERR_IO;
    *ret = h;
    return OK;
}

int http_port(const struct http *h)
{
    return h->port;
}
