/* Every answer of this floor leaves here, so every answer has the same guards. */
#include "api/reply.h"

#include "api/api.h"
#include "base/mem.h"
#include "net/http.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define PAIRS_MAX 20

static const char csp[] = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
                          "base-uri 'self'; frame-ancestors 'none'";

static int guard_headers(const char *const (*pairs)[2], int count, struct http_header *out)
{
    assert(count <= PAIRS_MAX - 4);
    bool cache = false;
    int n = 0;
    for (int i = 0; i < count; i++) {
        out[n++] = (struct http_header){pairs[i][0], pairs[i][1]};
        cache = cache || !strcasecmp(pairs[i][0], "Cache-Control");
    }
    out[n++] = (struct http_header){"Content-Security-Policy", csp};
    out[n++] = (struct http_header){"X-Content-Type-Options", "nosniff"};
    out[n++] = (struct http_header){"Referrer-Policy", "same-origin"};
    if (!cache)
        out[n++] = (struct http_header){"Cache-Control", "private, no-cache"};
    return n;
}

void reply_send(struct request *req, int status, const char *const (*pairs)[2], int pair_count,
                const char *type, const void *p, size_t n)
{
    struct http_header h[PAIRS_MAX];
    int count = guard_headers(pairs, pair_count, h);
    request_reply(req, status, h, count, type, p, n);
}

void reply_file(struct request *req, const char *const (*pairs)[2], int pair_count,
                const char *type, int fd, long long size)
{
    struct http_header h[PAIRS_MAX];
    int64_t from = 0, len = size;
    int status = request_range(req, size, &from, &len);
    int count = guard_headers(pairs, pair_count, h);
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
    all[pair_count][0] = "Content-Language";
    all[pair_count][1] = english ? "en" : "zh-CN";
    struct json *o = reply_problem_json(p, english);
    struct buf text = {0};
    json_canonical(o, &text);
    reply_send(req, p->status, (const char *const(*)[2])all, pair_count + 1,
               "application/problem+json", text.data, text.len);
    buf_free(&text);
    json_free(o);
}

void api_reply_problem(struct request *req, const struct problem *p)
{
    reply_problem(req, p, NULL, 0);
}

void api_reply_json(struct request *req, int status, const struct json *body)
{
    struct buf text = {0};
    json_canonical(body, &text);
    reply_send(req, status, NULL, 0, "application/json", text.data, text.len);
    buf_free(&text);
}
