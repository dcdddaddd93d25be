/* One request from its head to its answer, as a handler sees it. How the answer is written is told
 * in answer.c, whose turn it is in http.c. */
#include "net/request.h"

#include "base/mem.h"
#include "net/conn.h"
#include "net/door.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DISCARD_BYTES_MAX                                                                          \
    (16LL << 20)               /* a longer rest of a body is not read: the connection ends */
#define SMALL_BODY_BYTES 65536 /* a quarter of the memory of bodies is for these alone */

struct request *request_create(const struct http_config *c, struct guest *g)
{
    struct request *r = mem_alloc(sizeof *r);

    r->config = c;
    r->guest = g;
    r->arena = arena_create();
    r->fd = -1;
    return r;
}

void request_free(struct request *r)
{
    request_drop_body(r);
    buf_free(&r->out);
    if (r->fd >= 0)
        close(r->fd);
    arena_destroy(r->arena);
    mem_free(r);
}

const char *request_method(struct request *r)
{
    return r->head.method;
}

const char *request_path(struct request *r)
{
    return r->head.path;
}

const char *request_header(struct request *r, const char *name)
{
    return head_header(&r->head, name);
}

const char *request_query(struct request *r, const char *name)
{
    return head_query(&r->head, name);
}

const char *request_param(struct request *r, const char *name)
{
    for (int i = 0; i < r->params.count; i++)
        if (!strcmp(r->params.list[i].name, name))
            return r->params.list[i].value;
    return NULL;
}

const char *request_peer_ip(struct request *r)
{
    return r->ip;
}

const char *request_network(struct request *r)
{
    return r->network;
}

bool request_is_https(struct request *r)
{
    return r->https;
}

const void *request_body(struct request *r, size_t *ret_len)
{
    *ret_len = r->body.len;
    return r->body.data;
}

const struct refusal *request_refusal(struct request *r)
{
    return r->refusal;
}

void request_allow(struct request *r, char *out, size_t cap)
{
    route_allow(r->config, r->head.path, out, cap);
}

void request_hold(struct request *r)
{
    r->held = true;
    if (r->guest && r->body_ended)
        guest_patience(r->guest, 0);
}

bool request_gone(struct request *r)
{
    return !r->guest;
}

/* ---- body -------------------------------------------------------------------------------------*/

static void tell_end(struct request *r)
{
    if (r->body_ended && !r->paused && !r->end_told && r->on_end && !r->discard) {
        r->end_told = true;
        r->on_end(r, r->arg);
    }
}

void request_on_body(struct request *r,
                     void (*on_body)(struct request *, const void *, size_t, void *),
                     void (*on_end)(struct request *, void *),
                     void (*on_gone)(struct request *, void *), void *arg)
{
    assert(r->route && r->route->stream);
    r->on_body = on_body;
    r->on_end = on_end;
    r->on_gone = on_gone;
    r->arg = arg;
}

void request_pause(struct request *r)
{
    r->paused = true;
    if (r->guest && !r->body_ended) {
        conn_pause(guest_conn(r->guest), true);
        guest_patience(r->guest, 0);
    }
}

void request_drop_body(struct request *r)
{
    limits_give(r->config->limits, LIMIT_BODY_MEMORY_BYTES, r->body_counted);
    r->body_counted = 0;
    buf_free(&r->body);
}

void request_resume(struct request *r)
{
    r->paused = false;
    if (r->body.len && r->on_body && !r->discard)
        r->on_body(r, r->body.data, r->body.len, r->arg);
    request_drop_body(r);
    if (r->guest) { /* also when the body is in: the connection's next request comes the same way */
        conn_pause(guest_conn(r->guest), false);
        if (!r->body_ended)
            guest_patience(r->guest, r->config->limits->max[LIMIT_BODY_SECONDS]);
    }
    tell_end(r);
}

void request_discard(struct request *r)
{
    r->discard = true;
    if (r->paused)
        request_resume(r);
}

bool request_take(struct request *r, const void *p, size_t n)
{
    bool gathers = !r->route || !r->route->stream || r->paused;

    assert(!r->body_ended);
    if (gathers && !r->discard) {
        struct limits *l = r->config->limits;
        int64_t all = l->max[LIMIT_BODY_MEMORY_BYTES];
        int64_t most = r->body_counted + (int64_t)n <= SMALL_BODY_BYTES ? all : all - all / 4;
        if (l->used[LIMIT_BODY_MEMORY_BYTES] + (int64_t)n > most) {
            limits_note_refusal(l, LIMIT_BODY_MEMORY_BYTES);
            return false;
        }
        l->used[LIMIT_BODY_MEMORY_BYTES] += (int64_t)n;
        r->body_counted += (int64_t)n;
        buf_append(&r->body, p, n);
    } else if (r->on_body && !r->discard) {
        r->on_body(r, p, n, r->arg);
    }
    r->received += (int64_t)n;
    return true;
}

void request_take_end(struct request *r)
{
    assert(!r->body_ended);
    r->body_ended = true;
    if (!r->replied)
        tell_end(r);
}

void request_client_gone(struct request *r)
{
    r->guest = NULL;
    if (r->replied || !r->held) {
        request_free(r);
        return;
    }
    if (r->on_gone && !r->end_told) {
        r->end_told = true;
        r->on_gone(r, r->arg);
    }
}

/* ---- answer -----------------------------------------------------------------------------------*/

bool request_may_answer(struct request *r)
{
    if (!r->replied)
        return false;
    if (r->body_ended || r->close_after)
        return true;
    int64_t rest = r->head.length >= 0 ? r->head.length - r->received : r->received;
    r->close_after = rest > DISCARD_BYTES_MAX;
    return r->close_after;
}

static void start_reply(struct request *r, int status, const struct http_header *headers, int count,
                        const char *type)
{
    assert(!r->replied && count <= HTTP_HEADERS_MAX);
    r->replied = true;
    r->status = status;
    for (int i = 0; i < count; i++)
        r->out_headers[r->out_count++] = (struct http_header){
            arena_strdup(r->arena, headers[i].name), arena_strdup(r->arena, headers[i].value)};
    r->type = type ? arena_strdup(r->arena, type) : NULL;
}

static void finish_reply(struct request *r)
{
    if (!r->guest) {
        if (!r->in_handler)
            request_free(r);
        return;
    }
    request_discard(r);
    if (request_may_answer(r))
        conn_want_write(guest_conn(r->guest));
    else /* the answer comes when the body is in */
        guest_patience(r->guest, r->config->limits->max[LIMIT_BODY_SECONDS]);
}

void request_reply(struct request *r, int status, const struct http_header *headers, int count,
                   const char *type, const void *p, size_t n)
{
    start_reply(r, status, headers, count, type);
    buf_append(&r->out, p, n);
    r->length = (int64_t)n;
    finish_reply(r);
}

void request_reply_file(struct request *r, int status, const struct http_header *headers, int count,
                        const char *type, int fd, int64_t from, int64_t len)
{
    start_reply(r, status, headers, count, type);
    r->fd = fd;
    r->file_at = from;
    r->file_left = r->length = len;
    finish_reply(r);
}

static bool number_at(const char **p, int64_t *ret)
{
    if (**p < '0' || **p > '9' || strspn(*p, "0123456789") > 17)
        return false;
    *ret = strtoll(*p, (char **)p, 10);
    return true;
}

int request_range(struct request *r, int64_t size, int64_t *from, int64_t *len)
{
    const char *p = request_header(r, "range");
    int64_t a = -1, b = -1;

    *from = 0;
    *len = size;
    if (!p || strncasecmp(p, "bytes=", 6) || strchr(p, ','))
        return 200;
    p += 6;
    bool first = number_at(&p, &a);
    if (*p++ != '-')
        return 200;
    bool last = number_at(&p, &b);
    if (*p || (!first && !last))
        return 200;
    if (!first) { /* the last b bytes */
        a = b < size ? size - b : 0;
        b = size - 1;
    } else if (!last || b >= size) {
        b = size - 1;
    }
    if (a > b || a >= size) {
        *len = 0;
        snprintf(r->content_range, sizeof r->content_range, "bytes */%lld", (long long)size);
        return 416;
    }
    *from = a;
    *len = b - a + 1;
    snprintf(r->content_range, sizeof r->content_range, "bytes %lld-%lld/%lld", (long long)a,
             (long long)b, (long long)size);
    return 206;
}
