/* Every answer of this floor leaves here, so every answer has the same guards. */
#include "api/reply.h"

#include "base/mem.h"
#include "net/http.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define PAIRS_MAX 24
#define GUARDS 9 /* at most, of guard_headers() */

static const char csp[] = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
                          "base-uri 'self'; frame-ancestors 'none'";

static bool has(const char *const (*pairs)[2], int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcasecmp(pairs[i][0], name))
            return true;
    return false;
}

static int guard_headers(struct request *req, const char *const (*pairs)[2], int count,
                         struct http_header *out)
{
    static const struct http_header always[] = {
        {"Content-Security-Policy", csp},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"},
    };
    int n = 0;
    assert(count <= PAIRS_MAX - GUARDS);
    for (int i = 0; i < count; i++)
        out[n++] = (struct http_header){pairs[i][0], pairs[i][1]};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        out[n++] = always[i];
    if (request_is_https(req))
        out[n++] = (struct http_header){"Strict-Transport-Security", "max-age=31536000"};
    if (!has(pairs, count, "Cache-Control"))
        out[n++] = (struct http_header){"Cache-Control", "private, no-cache"};
    return n;
}

void reply_send(struct request *req, int status, const char *const (*pairs)[2], int pair_count,
                const char *type, const void *p, size_t n)
{
    struct http_header h[PAIRS_MAX];
    int count = guard_headers(req, pairs, pair_count, h);
    request_reply(req, status, h, count, type, p, n);
}

void reply_file(struct request *req, const char *const (*pairs)[2], int pair_count,
                const char *type, int fd, long long size)
{
    struct http_header h[PAIRS_MAX];
    int64_t from = 0, len = size;
    int status = request_range(req, size, &from, &len);
    int count = guard_headers(req, pairs, pair_count, h);
    h[count++] = (struct http_header){"Accept-Ranges", "bytes"};
    request_reply_file(req, status, h, count, type, fd, from, len);
}

void reply_problem(struct request *req, const struct problem *p, const char *const (*pairs)[2],
                   int pair_count)
{
    const char *all[PAIRS_MAX][2];
    bool english = reply_english(request_header(req, "accept-language"));
    for (int i = 0; i < pair_count; i++) {
        all[i][0] = pairs[i][0];
        all[i][1] = pairs[i][1];
    }
    int n = pair_count;
    all[n][0] = "Content-Language";
    all[n++][1] = english ? "en" : "zh-CN";
    if ((p->status == 429 || p->status == 503) && !has(pairs, pair_count, "Retry-After")) {
        all[n][0] = "Retry-After";
        all[n++][1] = "5";
    }
    struct json *o = reply_problem_json(p, english);
    struct buf text = {0};
    json_canonical(o, &text);
    reply_send(req, p->status, (const char *const(*)[2])all, n, "application/problem+json",
               text.data, text.len);
    buf_free(&text);
    json_free(o);
}
