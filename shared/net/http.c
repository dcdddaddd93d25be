/* From the bytes of a connection to a struct request, and back. One request at a time lives on a
 * connection; what a client sends ahead waits.
 *
 *            head whole           body in            answer written
 *   HEAD ------------------> BODY ----------> ANSWER ----------------> HEAD
 *     \                        \                 \--close_after--> LINGER --> closed
 *      \--WebSocket--> ws_serve \--too slow, too large, too much--> refused, LINGER */
#include "net/http.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/answer.h"
#include "net/chunked.h"
#include "net/conn.h"
#include "net/door.h"
#include "net/listen.h"
#include "net/loop.h"
#include "net/request.h"
#include "net/route.h"
#include "net/ws_serve.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define AHEAD_BYTES_MAX                                                                            \
    (64 *                                                                                          \
     1024) /* of requests that are sent before the last one is answered                       \
                 */
#define LINGER_S 2
#define LINGER_BYTES_MAX (1LL << 20)
#define STALLED_US 1000000 /* a body that has not grown for so long gives way to one that does */

struct http {
    struct http_config config;
    struct door *door;
    int port;
    /* links whose request gathers its body in memory; the one that grew last at the end */
    struct link *gathering, **gathering_end;
};

enum phase { PHASE_HEAD, PHASE_BODY, PHASE_ANSWER, PHASE_LINGER };

struct link {
    struct http *http;
    struct guest *guest;
    enum phase phase;
    struct buf in; /* of a head, or what came ahead */
    struct request *req;
    struct chunked chunked;
    int64_t lingered;
    struct link *next, **at; /* in http->gathering; at NULL: it is not */
    int64_t grew_us;
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t limit(const struct link *k, enum limit x)
{
    return k->http->config.limits->max[x];
}

/* ---- refusals ---------------------------------------------------------------------------------*/

#define UNREAD "请求无法读懂。"

static const struct refusal faults[] = {
    [FAULT_LINE] = {400, "bad-request", "request line", "METHOD /path HTTP/1.1", UNREAD,
                    "The request line cannot be read.", NULL, NULL},
    [FAULT_VERSION] = {505, "http-version", "HTTP version", "HTTP/1.1", "不支持这个 HTTP 版本。",
                       "This version of HTTP is not spoken here.", NULL, NULL},
    [FAULT_TARGET] = {400, "bad-target", "path", "a path of whole %HH, without control characters",
                      "网址有误。", "The address cannot be read.", NULL, NULL},
    [FAULT_HEADER] = {400, "bad-header", "header", "Name: value", UNREAD,
                      "A header cannot be read.", NULL, NULL},
    [FAULT_MANY] = {431, "too-many-headers", "header", "at most 64 headers", "请求头过多。",
                    "There are too many headers.", NULL, NULL},
    [FAULT_HOST] = {400, "bad-host", "Host", "one Host", "请求中没有主机名（Host），或不止一个。",
                    "The request must have one Host.", NULL, NULL},
    [FAULT_LENGTH] = {400, "bad-length", "Content-Length",
                      "one whole number, and no Transfer-Encoding beside it",
                      "请求内容的长度自相矛盾。",
                      "What the request says of the length of its body contradicts itself.", NULL,
                      NULL},
    [FAULT_ENCODING] = {501, "transfer-encoding", "Transfer-Encoding", "chunked",
                        "不支持这种传输编码。", "This transfer coding is not known here.", NULL,
                        NULL},
    [FAULT_EXPECT] = {417, "expectation", "Expect", "100-continue", "不支持这种 Expect。",
                      "This expectation is not known here.", NULL, NULL},
};

static const struct refusal head_too_large = {431,
                                              "head-too-large",
                                              "header",
                                              "at most 16 KB of headers",
                                              "请求头过大。",
                                              "The headers are too large.",
                                              NULL,
                                              NULL};
static const struct refusal too_slow = {408,
                                        "too-slow",
                                        NULL,
                                        "a whole request in time",
                                        "请求没有在规定时间内发完，请重试。",
                                        "The request did not come in time. Try again.",
                                        NULL,
                                        NULL};
static const struct refusal body_too_large = {413,
                                              "body-too-large",
                                              "body",
                                              "at most 1 MB (an upload: 64 MB)",
                                              "请求内容过大。",
                                              "The body is too large.",
                                              NULL,
                                              NULL};
static const struct refusal bad_chunks = {400,
                                          "bad-chunks",
                                          "body",
                                          "chunks of RFC 9112 7.1",
                                          "请求内容的分块有误。",
                                          "The chunks of the body cannot be read.",
                                          NULL,
                                          NULL};
static const struct refusal no_memory = {503,
                                         "busy",
                                         NULL,
                                         NULL,
                                         "本站正忙，请稍后重试。",
                                         "This site is busy. Try again in a moment.",
                                         "Retry-After",
                                         "5"};

static void call_handler(struct request *r)
{
    const struct http_config *c = r->config;

    r->in_handler = true;
    if (r->route && !r->refusal)
        r->route->handle(r, r->route->arg);
    else
        c->fallback(r, c->fallback_arg);
    r->in_handler = false;
    if (!r->replied && !r->held) {
        log_line(LOG_LEVEL_ERROR, "net", "unanswered=yes method=%s", r->head.method);
        request_reply(r, 500, NULL, 0, "text/plain", "no answer\n", 10);
    }
}

/* ---- bodies in memory -------------------------------------------------------------------------*/

static void gather_no_more(struct link *k)
{
    if (!k->at)
        return;
    *k->at = k->next;
    if (k->next)
        k->next->at = k->at;
    else
        k->http->gathering_end = k->at;
    k->at = NULL;
}

static void gather_grew(struct link *k)
{
    gather_no_more(k);
    k->next = NULL;
    k->at = k->http->gathering_end;
    *k->at = k;
    k->http->gathering_end = &k->next;
    k->grew_us = now_us();
}

/* The rest of what this connection sends is not read as requests. */
static void refuse(struct link *k, const struct refusal *why)
{
    struct request *r = k->req;

    assert(r && !r->replied);
    r->refusal = why;
    r->close_after = true;
    r->head.keep = false;
    k->phase = PHASE_ANSWER;
    gather_no_more(k);
    request_discard(r);
    request_drop_body(r);
    if (!r->body_ended)
        request_take_end(r);
    call_handler(r);
}

/* Of others, whose body has stalled. false: there is none. */
static bool make_room(struct link *k)
{
    struct link *oldest = k->http->gathering;

    if (!oldest || oldest == k || now_us() - oldest->grew_us < STALLED_US)
        return false;
    refuse(oldest, &no_memory);
    return true;
}

/* ---- whose it is ------------------------------------------------------------------------------*/

static bool trusted(const struct http_config *c, const struct address *a)
{
    for (size_t i = 0; i < c->trusted_count; i++)
        if (network_has(&c->trusted[i], a))
            return true;
    return false;
}

/* The last address of X-Forwarded-For that is no trusted proxy: each proxy adds whom it saw. */
static void forwarded(const struct request *r, struct address *ret)
{
    const char *list = head_header(&r->head, "x-forwarded-for");
    char one[64];

    for (const char *end = list ? list + strlen(list) : NULL; end && end > list;) {
        const char *begin = end;
        while (begin > list && begin[-1] != ',')
            begin--;
        const char *p = begin + strspn(begin, " \t");
        size_t n = 0;
        while (p + n < end && p[n] != ' ' && p[n] != '\t' && n < sizeof one - 1)
            n++;
        memcpy(one, p, n);
        one[n] = 0;
        if (!address_parse(one, ret) || !trusted(r->config, ret))
            return; /* whose it is, or as far back as it can be read */
        end = begin > list ? begin - 1 : list;
    }
}

static void read_origin(struct link *k, struct request *r)
{
    struct address a = *guest_address(k->guest);
    const char *proto = head_header(&r->head, "x-forwarded-proto");

    r->https = conn_is_tls(guest_conn(k->guest));
    if (guest_is_proxy(k->guest)) {
        struct address said = a;
        forwarded(r, &said);
        a = said;
        r->https = r->https || (proto && !strcasecmp(proto, "https"));
    }
    address_format(&a, r->ip);
    network_of_client(&a, r->network);
}

/* ---- a request begins -------------------------------------------------------------------------*/

static void body_ended(struct link *k)
{
    struct request *r = k->req;
    bool whole = !r->replied && !r->refusal && r->route && !r->route->stream;

    gather_no_more(k);
    k->phase = PHASE_ANSWER;
    guest_patience(k->guest, r->replied ? limit(k, LIMIT_BODY_SECONDS) : 0);
    request_take_end(r);
    if (whole)
        call_handler(r);
    else if (request_may_answer(r))
        conn_want_write(guest_conn(k->guest));
}

/* Is there a socket at this path? Then the request is answered, or no longer one. */
static bool begin_socket(struct link *k)
{
    const struct http_config *c = &k->http->config;
    struct request *r = k->req;

    for (int i = 0; i < HTTP_ENDPOINTS_MAX && c->endpoints[i]; i++) {
        if (strcmp(c->endpoints[i]->path, r->head.path))
            continue;
        const struct refusal *why = ws_serve_check(r, c->endpoints[i]);
        if (why) {
            refuse(k, why);
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
static bool begin(struct link *k, enum head_fault fault)
{
    struct request *r = k->req;
    struct guest *g = k->guest;
    int64_t length = r->head.length;

    read_origin(k, r);
    r->body_ended = !length || fault != FAULT_NONE;
    if (fault != FAULT_NONE) {
        refuse(k, &faults[fault]);
        return true;
    }
    if (begin_socket(k))
        return guest_user(g) == k;
    overrule_method(r);
    r->route = route_find(r->config, r->head.method, r->head.path, r->arena, &r->params);
    k->phase = length ? PHASE_BODY : PHASE_ANSWER;
    guest_patience(g, length ? limit(k, LIMIT_BODY_SECONDS) : 0);
    if (r->route && length > r->route->body_max) {
        r->refusal = &body_too_large;
        r->close_after = r->head.expects;
    } else if (!r->route) {
        r->close_after = r->head.expects; /* whether the body comes is not known */
    } else if (r->head.expects) {
        (void)conn_write(guest_conn(g), "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    if (!length || !r->route || r->refusal || r->route->stream)
        call_handler(r);
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------*/

/* n bytes of the body itself. */
static void take(struct link *k, const void *p, size_t n)
{
    struct request *r = k->req;

    if (r->head.length < 0 && r->route && !r->replied && !r->refusal &&
        r->received + (int64_t)n > r->route->body_max) {
        if (r->route->stream)
            request_discard(r); /* its handler counts, and refuses in its own words */
        else {
            refuse(k, &body_too_large);
            return;
        }
    }
    bool taken = request_take(r, p, n);
    while (!taken && make_room(k))
        taken = request_take(r, p, n);
    if (!taken) {
        if (r->held) /* a handler has it and cannot be told: the client may come again */
            conn_close(guest_conn(k->guest));
        else
            refuse(k, &no_memory);
        return;
    }
    if (r->body_counted)
        gather_grew(k);
    if (r->route && r->route->stream && !r->paused)
        guest_patience(k->guest, limit(k, LIMIT_BODY_SECONDS));
    if (r->replied && request_may_answer(r)) { /* more came than is read and dropped */
        k->phase = PHASE_ANSWER;
        conn_want_write(guest_conn(k->guest));
    }
}

/* Bytes while a body is awaited; how many of them were its. */
static size_t take_body(struct link *k, const unsigned char *p, size_t n)
{
    struct request *r = k->req;
    size_t used, len, done = 0;
    const char *body;

    if (r->head.length >= 0) {
        int64_t left = r->head.length - r->received;
        done = (int64_t)n < left ? n : (size_t)left;
        take(k, p, done);
        if (k->phase == PHASE_BODY && r->received == r->head.length)
            body_ended(k);
        return done;
    }
    while (k->phase == PHASE_BODY) {
        enum chunked_got got =
            chunked_next(&k->chunked, (const char *)p + done, n - done, &used, &body, &len);
        if (got == CHUNKED_BAD) {
            if (r->held || r->replied)
                conn_close(guest_conn(k->guest));
            else
                refuse(k, &bad_chunks);
            return n;
        }
        done += used;
        if (got == CHUNKED_BODY)
            take(k, body, len);
        else if (got == CHUNKED_END)
            body_ended(k);
        else
            break;
    }
    return done;
}

/* A head is in k->in, or the beginning of one. false: wait for more, or the link is gone. */
static bool take_head(struct link *k)
{
    size_t most = (size_t)limit(k, LIMIT_HEADER_BYTES);
    size_t n = head_length((const char *)k->in.data, k->in.len);

    if (!n && k->in.len <= most)
        return false;
    guest_waits(k->guest, false);
    struct request *r = k->req = request_create(&k->http->config, k->guest);
    r->began_us = now_us();
    memset(&k->chunked, 0, sizeof k->chunked);
    if (!n || n > most) {
        r->head.method = r->head.path = "";
        r->body_ended = true;
        read_origin(k, r);
        refuse(k, &head_too_large);
        return true;
    }
    enum head_fault fault = head_parse(r->arena, (const char *)k->in.data, n, &r->head);
    buf_consume(&k->in, n);
    return begin(k, fault);
}

static void go_on(struct link *k)
{
    for (;;) {
        if (k->phase == PHASE_HEAD && k->in.len) {
            if (!take_head(k))
                return;
        } else if (k->phase == PHASE_BODY && k->in.len) {
            size_t used = take_body(k, k->in.data, k->in.len);
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
    struct link *k = guest_user(g);

    if (k->phase == PHASE_LINGER) {
        k->lingered += (int64_t)n;
        if (k->lingered > LINGER_BYTES_MAX)
            conn_close(guest_conn(g));
        return;
    }
    if (k->phase == PHASE_HEAD && !k->in.len)
        guest_patience(g, limit(k, LIMIT_HEADER_SECONDS));
    if (k->phase == PHASE_BODY && !k->in.len) {
        size_t used = take_body(k, p, n);
        p += used;
        n -= used;
    }
    if (k->req && k->req->close_after)
        return; /* nothing more is read of it as a request */
    buf_append(&k->in, p, n);
    go_on(k);
}

/* ---- answers ----------------------------------------------------------------------------------*/

static void note(const struct http_config *c, const struct request *r)
{
    static const double within[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                    0.1,   0.25,   0.5,   1,    2.5,   10};
    double seconds = (double)(now_us() - r->began_us) / 1e6;
    struct http_stats *s = c->stats;

    if (!s)
        return;
    s->answers[r->status / 100 % 6]++;
    s->count++;
    s->seconds += seconds;
    for (size_t i = 0; i < sizeof within / sizeof within[0]; i++)
        if (seconds <= within[i])
            s->within[i]++;
}

static void linger(struct link *k)
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

static void answered(struct link *k)
{
    struct request *r = k->req;
    bool close_after = r->close_after || !r->head.keep;

    note(&k->http->config, r);
    k->req = NULL;
    request_free(r);
    if (close_after) {
        linger(k);
        return;
    }
    k->phase = PHASE_HEAD;
    guest_waits(k->guest, true);
    guest_patience(k->guest, limit(k, k->in.len ? LIMIT_HEADER_SECONDS : LIMIT_IDLE_SECONDS));
    conn_pause(guest_conn(k->guest), false);
    go_on(k);
}

static void on_writable(struct guest *g)
{
    struct link *k = guest_user(g);

    if (k->phase == PHASE_LINGER) {
        linger(k);
        return;
    }
    if (!k->req || !request_may_answer(k->req))
        return;
    k->phase = PHASE_ANSWER;
    guest_patience(g, limit(k, LIMIT_BODY_SECONDS));
    if (answer_write(k->req) > 0)
        answered(k);
}

static void on_late(struct guest *g)
{
    struct link *k = guest_user(g);
    struct conn *c = guest_conn(g);

    if (k->phase == PHASE_HEAD && k->in.len) {
        k->req = request_create(&k->http->config, g);
        k->req->head.method = k->req->head.path = "";
        k->req->began_us = now_us();
        k->req->body_ended = true;
        read_origin(k, k->req);
        guest_waits(g, false);
        refuse(k, &too_slow);
        guest_patience(g, LINGER_S);
    } else if (k->phase == PHASE_BODY && k->req->replied) { /* the answer does not wait for it */
        k->req->close_after = true;
        guest_patience(g, LINGER_S);
        conn_want_write(c);
    } else if (k->phase == PHASE_BODY && !k->req->held) {
        refuse(k, &too_slow);
        guest_patience(g, LINGER_S);
    } else {
        conn_close(c);
    }
}

static void on_close(struct guest *g)
{
    struct link *k = guest_user(g);

    gather_no_more(k);
    if (k->req)
        request_client_gone(k->req);
    buf_free(&k->in);
    mem_free(k);
}

static const struct guest_calls calls = {on_data, on_writable, on_late, on_close};

static void on_enter(struct guest *g, void *arg)
{
    struct link *k = mem_alloc(sizeof *k);

    k->http = arg;
    k->guest = g;
    guest_set_user(g, k);
    guest_waits(g, true);
    guest_patience(g, limit(k, LIMIT_HEADER_SECONDS));
}

/* ---- the server -------------------------------------------------------------------------------*/

enum err http_listen(struct loop *l, const struct http_config *c, struct http **ret,
                     struct errmsg *e)
{
    struct http *h = mem_alloc(sizeof *h);
    struct door_config d = {.loop = l,
                            .limits = c->limits,
                            .total = c->total,
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

void http_stats_metrics(const struct http_stats *s, struct buf *out)
{
    static const char *const le[] = {"0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",
                                     "0.1",   "0.25",   "0.5",   "1",    "2.5",   "10"};

    buf_puts(out, "# HELP doorstep_http_answers_total Answers, by the class of their status.\n"
                  "# TYPE doorstep_http_answers_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_printf(out, "doorstep_http_answers_total{class=\"%dxx\"} %llu\n", i,
                   (unsigned long long)s->answers[i]);
    buf_puts(out, "# HELP doorstep_http_seconds From the last byte of a head to the last of its "
                  "answer.\n# TYPE doorstep_http_seconds histogram\n");
    for (size_t i = 0; i < sizeof le / sizeof le[0]; i++)
        buf_printf(out, "doorstep_http_seconds_bucket{le=\"%s\"} %llu\n", le[i],
                   (unsigned long long)s->within[i]);
    buf_printf(out,
               "doorstep_http_seconds_bucket{le=\"+Inf\"} %llu\ndoorstep_http_seconds_sum %.6f\n"
               "doorstep_http_seconds_count %llu\n",
               (unsigned long long)s->count, s->seconds, (unsigned long long)s->count);
}
