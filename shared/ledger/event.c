#include "ledger/event.h"

#include "base/crypto.h"
#include "base/ids.h"

#include <string.h>

#define EVENT_VERSION 1

static void put_text(struct buf *out, const char *s, size_t n)
{
    buf_varint(out, n);
    buf_append(out, s, n);
}

void event_encode(const struct event *ev, struct buf *out)
{
    buf_u8(out, EVENT_VERSION);
    put_text(out, ev->origin, strlen(ev->origin));
    buf_varint(out, ev->seq);
    buf_varint(out, ev->hlc);
    put_text(out, ev->kind, strlen(ev->kind));
    put_text(out, ev->case_no, strlen(ev->case_no));
    put_text(out, ev->street, strlen(ev->street));
    put_text(out, ev->actor, strlen(ev->actor));
    put_text(out, ev->body, ev->body_len);
}

/* A text of min..max bytes without NUL; NULL when it is not one. */
static const char *get_text(struct reader *r, struct arena *a, size_t min, size_t max, size_t *len)
{
    uint64_t n = reader_varint(r);
    const unsigned char *p;

    if (r->bad || n < min || n > max)
        return NULL;
    p = reader_bytes(r, (size_t)n);
    if (!p || memchr(p, 0, (size_t)n))
        return NULL;
    if (len)
        *len = (size_t)n;
    return arena_strndup(a, (const char *)p, (size_t)n);
}

static bool origin_valid(const char *s)
{
    char site[13];

    event_site(s, site);
    if (!division_valid(site) || (s[12] && (s[12] != '.' || !s[13] || s[13] == '0')))
        return false;
    for (const char *p = s + 12 + (s[12] == '.'); *p; p++)
        if (*p < '0' || *p > '9')
            return false;
    return true;
}

enum err event_decode(struct reader *r, struct arena *a, struct event *ret, struct errmsg *e)
{
    struct event ev = {0};
    unsigned version = reader_u8(r);

    if (r->bad || version != EVENT_VERSION) {
        errmsg_set(e, "event: version %d expected, found %u", EVENT_VERSION, version);
        return ERR_PEER;
    }
    ev.origin = get_text(r, a, 12, 24, NULL);
    ev.seq = reader_varint(r);
    ev.hlc = reader_varint(r);
    ev.kind = get_text(r, a, 1, 64, NULL);
    ev.case_no = get_text(r, a, 0, 32, NULL);
    ev.street = get_text(r, a, 12, 12, NULL);
    ev.actor = get_text(r, a, 0, 64, NULL);
    ev.body = get_text(r, a, 2, EVENT_BODY_MAX, &ev.body_len);
    if (r->bad || !ev.origin || !ev.kind || !ev.case_no || !ev.street || !ev.actor || !ev.body ||
        !ev.seq || ev.seq > INT64_MAX || ev.hlc > INT64_MAX || !origin_valid(ev.origin) ||
        !division_valid(ev.street)) {
        errmsg_set(e, "event: a field is missing, too long or not what it should be");
        return ERR_PEER;
    }
    *ret = ev;
    return OK;
}

void event_hash(const unsigned char prev[32], const struct event *ev, unsigned char out[32])
{
    struct buf b = {0};

    buf_append(&b, prev, 32);
    event_encode(ev, &b);
    crypto_sha256(b.data, b.len, out);
    buf_free(&b);
}

void event_encoding(const struct event *ev, struct arena *a, struct event_encoding *ret)
{
    static const unsigned char room[32];
    struct buf b = {0};

    buf_append(&b, room, 32);
    event_encode(ev, &b);
    ret->n = b.len;
    ret->p = arena_alloc(a, b.len);
    memcpy(ret->p, b.data, b.len);
    buf_free(&b);
}

void event_encoding_hash(const unsigned char prev[32], struct event_encoding *x,
                         unsigned char out[32])
{
    memcpy(x->p, prev, 32);
    crypto_sha256(x->p, x->n, out);
}

void event_site(const char *origin, char out[13])
{
    size_t n = strnlen(origin, 12);

    memcpy(out, origin, n);
    out[n] = 0;
}
