/* Bytes of a body, with or without a length: to the request, within its route's size and the memory
 * that there is for all bodies. */
#include "net/http_body.h"

#include "net/conn.h"
#include "net/door.h"
#include "net/http_link.h"
#include "net/refusal.h"
#include "net/request.h"

#define STALLED_US 1000000 /* a body that has not grown for so long gives way to one that does */

/* Of others, whose body has stalled. false: there is none. */
static bool make_room(struct http_link *k)
{
    struct http_link *oldest = k->http->gathering;

    if (!oldest || oldest == k || http_link_now_us() - oldest->grew_us < STALLED_US)
        return false;
    http_link_refuse(oldest, &refusal_no_memory);
    return true;
}

static void body_ended(struct http_link *k)
{
    struct request *r = k->req;
    bool whole = !r->replied && !r->refusal && r->route && !r->route->stream;

    http_link_no_body(k);
    k->phase = PHASE_ANSWER;
    guest_patience(k->guest, r->replied ? http_link_limit(k, LIMIT_BODY_SECONDS) : 0);
    request_take_end(r);
    if (whole)
        http_link_handle(r);
    else if (request_may_answer(r))
        conn_want_write(guest_conn(k->guest));
}

/* n bytes of the body itself. */
static void take(struct http_link *k, const void *p, size_t n)
{
    struct request *r = k->req;

    if (r->head.length < 0 && r->route && !r->replied && !r->refusal &&
        r->received + (int64_t)n > r->route->body_max) {
        if (r->route->stream) /* its handler has it, and was told of as much as there may be */
            conn_close(guest_conn(k->guest));
        else
            http_link_refuse(k, &refusal_body_too_large);
        return;
    }
    bool taken = request_take(r, p, n);
    while (!taken && make_room(k))
        taken = request_take(r, p, n);
    if (!taken) {
        if (r->held) /* a handler has it and cannot be told: the client may come again */
            conn_close(guest_conn(k->guest));
        else
            http_link_refuse(k, &refusal_no_memory);
        return;
    }
    if (r->body_counted)
        http_link_grew(k);
    if (r->route && r->route->stream && !r->paused)
        guest_patience(k->guest, http_link_limit(k, LIMIT_BODY_SECONDS));
    if (r->replied && request_may_answer(r)) { /* more came than is read and dropped */
        k->phase = PHASE_ANSWER;
        conn_want_write(guest_conn(k->guest));
    }
}

size_t http_body_take(struct http_link *k, const unsigned char *p, size_t n)
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
                http_link_refuse(k, &refusal_bad_chunks);
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
