/* One request from its body to its answer. */
#include "net/request.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PIECE_BYTES (48 * 1024)
#define DISCARD_BYTES_MAX                                                                          \
    (16LL << 20) /* a longer rest of a body is not read: the connection ends */
#define SLOW_CLIENT_S 60

static void pairs_free(struct pair *p, int n)
{
    for (int i = 0; i < n; i++) {
        mem_free(p[i].name);
        mem_free(p[i].value);
    }
}

void request_free(struct request *r)
{
    pairs_free(r->headers, r->header_count);
    pairs_free(r->query, r->query_count);
    pairs_free(r->params, r->param_count);
    pairs_free(r->out_headers, r->out_count);
    mem_free(r->path);
    mem_free(r->type);
    buf_free(&r->body);
    buf_free(&r->out);
    if (r->fd >= 0)
        close(r->fd);
    mem_free(r);
}

static const char *find(const struct pair *p, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(p[i].name, name))
            return p[i].value;
    return NULL;
}

const char *request_method(struct request *r)
{
    return r->method;
}

const char *request_path(struct request *r)
{
    return r->path;
}

const char *request_header(struct request *r, const char *name)
{
    return find(r->headers, r->header_count, name);
}

const char *request_query(struct request *r, const char *name)
{
    return find(r->query, r->query_count, name);
}

const char *request_param(struct request *r, const char *name)
{
    return find(r->params, r->param_count, name);
}

const char *request_peer_ip(struct request *r)
{
    return r->ip;
}

bool request_is_tls(struct request *r)
{
    return r->http->tls;
}

const void *request_body(struct request *r, size_t *ret_len)
{
    *ret_len = r->body.len;
    return r->body.data;
}

bool request_too_large(struct request *r)
{
    return r->too_large;
}

void request_hold(struct request *r)
{
    r->held = true;
    if (r->wsi)
        lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);
}

bool request_gone(struct request *r)
{
    return !r->wsi;
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
    r->on_body = on_body;
    r->on_end = on_end;
    r->on_gone = on_gone;
    r->arg = arg;
}

void request_pause(struct request *r)
{
    r->paused = true;
    if (r->wsi && !r->body_ended)
        lws_rx_flow_control(r->wsi, 0);
}

void request_resume(struct request *r)
{
    r->paused = false;
    if (r->body.len && r->on_body && !r->discard)
        r->on_body(r, r->body.data, r->body.len, r->arg);
    buf_free(&r->body);
    if (r->wsi) /* also when the body is in: the connection's next request comes the same way */
        lws_rx_flow_control(r->wsi, 1);
    tell_end(r);
}

void request_discard(struct request *r)
{
    r->discard = true;
    if (r->paused)
        request_resume(r);
}

void request_take(struct request *r, const void *p, size_t n)
{
    r->received += (int64_t)n;
    if (r->discard)
        return;
    if (!r->route || !r->route->stream || r->paused)
        buf_append(&r->body, p, n);
    else if (r->on_body)
        r->on_body(r, p, n, r->arg);
    if (r->wsi)
        lws_set_timeout(r->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SLOW_CLIENT_S);
}

void request_take_end(struct request *r)
{
    r->body_ended = true;
    if (r->wsi)
        lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);
    if (r->replied)
        request_kick(r);
    else
        tell_end(r);
}

/* ---- answer -----------------------------------------------------------------------------------*/

void request_kick(struct request *r)
{
    if (!r->wsi)
        return;
    if (!r->body_ended) {
        if (r->content_length - r->received <= DISCARD_BYTES_MAX)
            return; /* the answer comes when the body is in */
        r->close_after = true;
    }
    lws_set_timeout(r->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SLOW_CLIENT_S);
    lws_callback_on_writable(r->wsi);
}

static void start_reply(struct request *r, int status, const struct http_header *headers, int count,
                        const char *type)
{
    assert(!r->replied && count <= HTTP_HEADERS_MAX);
    r->replied = true;
    r->status = status;
    for (int i = 0; i < count; i++)
        r->out_headers[r->out_count++] =
            (struct pair){mem_strdup(headers[i].name), mem_strdup(headers[i].value)};
    r->type = type ? mem_strdup(type) : NULL;
}

static void finish_reply(struct request *r)
{
    if (!r->wsi) {
        if (!r->in_handler)
            request_free(r);
        return;
    }
    request_discard(r);
    request_kick(r);
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

static bool put(struct request *r, const char *name, const char *value, unsigned char **p,
                unsigned char *end)
{
    char with_colon[80];

    snprintf(with_colon, sizeof with_colon, "%s:", name);
    return !lws_add_http_header_by_name(r->wsi, (unsigned char *)with_colon,
                                        (const unsigned char *)value, (int)strlen(value), p, end);
}

static int write_headers(struct request *r, bool last)
{
    unsigned char block[LWS_PRE + 8192], *p = block + LWS_PRE, *end = block + sizeof block - 1;
    bool has_length = r->status != 204 && r->status != 304;
    char length[24];

    snprintf(length, sizeof length, "%lld", (long long)r->length);
    if (lws_add_http_header_status(r->wsi, (unsigned)r->status, &p, end) ||
        (r->type && !put(r, "content-type", r->type, &p, end)) ||
        (has_length && !put(r, "content-length", length, &p, end)) ||
        (r->content_range[0] && !put(r, "content-range", r->content_range, &p, end)) ||
        (r->close_after && !put(r, "connection", "close", &p, end)))
        return -1;
    for (int i = 0; i < r->out_count; i++)
        if (!put(r, r->out_headers[i].name, r->out_headers[i].value, &p, end))
            return -1;
    if (lws_finalize_http_header(r->wsi, &p, end))
        return -1;
    size_t n = (size_t)(p - (block + LWS_PRE));
    r->headers_sent = true;
    return lws_write(r->wsi, block + LWS_PRE, n,
                     last ? LWS_WRITE_HTTP_HEADERS | LWS_WRITE_H2_STREAM_END
                          : LWS_WRITE_HTTP_HEADERS) < (int)n
               ? -1
               : 0;
}

int request_write(struct request *r)
{
    unsigned char piece[LWS_PRE + PIECE_BYTES];
    bool no_body = !r->length || !strcmp(r->method, "HEAD") || r->status == 204 || r->status == 304;
    size_t n;

    lws_set_timeout(r->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SLOW_CLIENT_S);
    if (!r->headers_sent) {
        if (write_headers(r, no_body))
            return -1;
        if (no_body)
            return 1;
        lws_callback_on_writable(r->wsi);
        return 0;
    }
    if (r->fd >= 0) {
        ssize_t got =
            pread(r->fd, piece + LWS_PRE,
                  r->file_left < PIECE_BYTES ? (size_t)r->file_left : PIECE_BYTES, r->file_at);
        if (got <= 0)
            return -1;
        n = (size_t)got;
        r->file_at += got;
        r->file_left -= got;
    } else {
        n = r->out.len - r->out_at < PIECE_BYTES ? r->out.len - r->out_at : PIECE_BYTES;
        memcpy(piece + LWS_PRE, r->out.data + r->out_at, n);
        r->out_at += n;
    }
    bool last = r->fd >= 0 ? !r->file_left : r->out_at == r->out.len;
    if (lws_write(r->wsi, piece + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
        (int)n)
        return -1;
    if (last)
        return 1;
    lws_callback_on_writable(r->wsi);
    return 0;
}
