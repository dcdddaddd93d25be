#include "net/http_link.h"

#include "base/log.h"
#include "net/request.h"

#include <assert.h>
#include <time.h>

int64_t http_link_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t http_link_limit(const struct http_link *k, enum limit x)
{
    return k->http->config.limits->max[x];
}

void http_link_handle(struct request *r)
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

void http_link_no_body(struct http_link *k)
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

void http_link_grew(struct http_link *k)
{
    http_link_no_body(k);
    k->next = NULL;
    k->at = k->http->gathering_end;
    *k->at = k;
    k->http->gathering_end = &k->next;
    k->grew_us = http_link_now_us();
}

void http_link_refuse(struct http_link *k, const struct refusal *why)
{
    struct request *r = k->req;

    assert(r && !r->replied);
    r->refusal = why;
    r->close_after = true;
    r->head.keep = false;
    k->phase = PHASE_ANSWER;
    http_link_no_body(k);
    request_discard(r);
    request_drop_body(r);
    if (!r->body_ended)
        request_take_end(r);
    http_link_handle(r);
}
