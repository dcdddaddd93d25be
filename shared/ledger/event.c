/* The encoding of an event and its sums. Nothing of links, rows or clocks. */
#include "ledger/event.h"

#include "base/crypto.h"
#include "base/ids.h"

#include <assert.h>
#include <string.h>

#define TAG_PERSONAL "doorstep.personal.2"
#define TAG_CORE "doorstep.event.2"
#define TAG_SAID "doorstep.said.2"
#define LEN(tag) (sizeof(tag) - 1)

static const unsigned char zeros[32];

static void put_text(struct buf *out, const void *s, size_t n)
{
    buf_varint(out, n);
    buf_append(out, s, n);
}

/* The fields of the core from hlc to more: what stands in the encoding is what is hashed. */
static void put_fields(const struct event *ev, struct buf *out)
{
    buf_varint(out, ev->hlc);
    put_text(out, ev->kind, strlen(ev->kind));
    put_text(out, ev->dossier, strlen(ev->dossier));
    put_text(out, ev->street, strlen(ev->street));
    put_text(out, ev->actor, strlen(ev->actor));
    put_text(out, ev->record, ev->record_len);
    put_text(out, ev->more, ev->more_len);
}

static void check(const struct event *ev)
{
    assert(!(ev->flags & ~(unsigned)EVENT_FLAGS_ALL));
    assert(!(ev->flags & EVENT_PERSONAL) == (ev->form == EVENT_FORM_NONE));
    assert(!(ev->flags & EVENT_SIGNED) == !ev->signature);
    assert(ev->form != EVENT_FORM_HERE || (ev->personal && ev->salt));
    assert(ev->form != EVENT_FORM_DIGEST || ev->personal_digest);
    (void)ev;
}

void event_encode(const struct event *ev, struct buf *out)
{
    check(ev);
    buf_reserve(out, ev->record_len + ev->personal_len + ev->more_len + 320);
    buf_u8(out, EVENT_VERSION);
    buf_u8(out, ev->flags);
    buf_u8(out, ev->form);
    put_text(out, ev->origin, strlen(ev->origin));
    buf_varint(out, ev->seq);
    put_fields(ev, out);
    if (ev->form == EVENT_FORM_HERE) {
        buf_append(out, ev->salt, EVENT_SALT_BYTES);
        put_text(out, ev->personal, ev->personal_len);
    } else if (ev->form == EVENT_FORM_DIGEST) {
        buf_append(out, ev->personal_digest, 32);
    }
    if (ev->signature)
        buf_append(out, ev->signature, 64);
}

/* ---- sums -------------------------------------------------------------------------------------*/

void event_personal_digest(const unsigned char salt[EVENT_SALT_BYTES], const char *personal,
                           size_t len, unsigned char out[32])
{
    const struct bytes all[] = {
        {TAG_PERSONAL, LEN(TAG_PERSONAL)}, {salt, EVENT_SALT_BYTES}, {personal, len}};

    crypto_sha256_of(all, 3, out);
}

/* fields: the encoding from hlc to more. */
static void sum_of(const struct event *ev, const void *fields, size_t n, struct event_sum *ret)
{
    unsigned char head[LEN(TAG_CORE) + 12 + 2];

    if (ev->form == EVENT_FORM_HERE)
        event_personal_digest(ev->salt, ev->personal, ev->personal_len, ret->personal);
    else
        memcpy(ret->personal, ev->form == EVENT_FORM_DIGEST ? ev->personal_digest : zeros, 32);
    memcpy(head, TAG_CORE, LEN(TAG_CORE));
    memcpy(head + LEN(TAG_CORE), ev->origin, 12);
    head[sizeof head - 2] = EVENT_VERSION;
    head[sizeof head - 1] = (unsigned char)ev->flags;
    const struct bytes all[] = {{head, sizeof head}, {fields, n}, {ret->personal, 32}};
    crypto_sha256_of(all, 3, ret->core);
    ret->made = true;
}

void event_sum(const struct event *ev, struct event_sum *ret)
{
    struct buf fields = {0};

    check(ev);
    buf_reserve(&fields, ev->record_len + ev->more_len + 256);
    put_fields(ev, &fields);
    sum_of(ev, fields.data, fields.len, ret);
    buf_free(&fields);
}

void event_hash(const unsigned char prev[32], const char *origin, uint64_t seq,
                const unsigned char core[32], unsigned char out[32])
{
    unsigned char text[32 + EVENT_ORIGIN_MAX + 8 + 32], *p = text;
    size_t n = strlen(origin);

    assert(n <= EVENT_ORIGIN_MAX);
    memcpy(p, prev, 32);
    memcpy(p += 32, origin, n);
    p += n;
    for (int i = 0; i < 8; i++)
        *p++ = (unsigned char)(seq >> (56 - 8 * i));
    memcpy(p, core, 32);
    crypto_sha256(text, (size_t)(p - text) + 32, out);
}

void event_id(const struct event_sum *sum, unsigned char out[EVENT_ID_BYTES])
{
    assert(sum->made);
    memcpy(out, sum->core, EVENT_ID_BYTES);
}

static void said_text(const struct event_sum *sum, unsigned char out[LEN(TAG_SAID) + 32])
{
    assert(sum->made);
    memcpy(out, TAG_SAID, LEN(TAG_SAID));
    memcpy(out + LEN(TAG_SAID), sum->core, 32);
}

void event_sign(const unsigned char seed[32], const struct event_sum *sum, unsigned char sig[64])
{
    unsigned char text[LEN(TAG_SAID) + 32];

    said_text(sum, text);
    crypto_sign(seed, text, sizeof text, sig);
}

bool event_signed_by(const unsigned char key[32], const struct event_sum *sum,
                     const unsigned char sig[64])
{
    unsigned char text[LEN(TAG_SAID) + 32];

    said_text(sum, text);
    return crypto_verify(key, text, sizeof text, sig);
}

/* ---- decoding ---------------------------------------------------------------------------------*/

/* min..max bytes behind a varint length, where they stand; NULL when they are not there. */
static const unsigned char *get_bytes(struct reader *r, size_t min, size_t max, size_t *ret_len)
{
    uint64_t n = reader_varint(r);

    if (r->bad || n < min || n > max) {
        r->bad = true;
        return NULL;
    }
    *ret_len = (size_t)n;
    return reader_bytes(r, (size_t)n);
}

/* A text of min..max bytes without NUL, copied. NULL when it is not one. */
static const char *get_text(struct reader *r, struct arena *a, size_t min, size_t max, size_t *len)
{
    size_t n;
    const unsigned char *p = get_bytes(r, min, max, &n);

    if (!p || memchr(p, 0, n)) {
        r->bad = true;
        return NULL;
    }
    if (len)
        *len = n;
    return arena_strndup(a, (const char *)p, n);
}

/* A name that stands in logs, lists and other programs as it is: ASCII, nothing that parts words. */
static const char *get_name(struct reader *r, struct arena *a, size_t min, size_t max)
{
    const char *name = get_text(r, a, min, max, NULL);

    for (const char *p = name; p && *p; p++)
        r->bad |= *p <= ' ' || *p > '~' || *p == '"' || *p == '\\';
    return r->bad ? NULL : name;
}

static const unsigned char *get_copy(struct reader *r, struct arena *a, size_t n)
{
    const unsigned char *p = reader_bytes(r, n);

    return p ? (const unsigned char *)arena_strndup(a, (const char *)p, n) : NULL;
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

static void get_fields(struct reader *r, struct arena *a, struct event *ev)
{
    const unsigned char *more;

    ev->hlc = reader_varint(r);
    ev->kind = get_name(r, a, 1, 64);
    ev->dossier = get_name(r, a, 0, 32);
    ev->street = get_name(r, a, 12, 12);
    ev->actor = get_name(r, a, 0, 64);
    ev->record = get_text(r, a, 2, EVENT_TEXT_BYTES_MAX, &ev->record_len);
    more = get_bytes(r, 0, EVENT_MORE_BYTES_MAX, &ev->more_len);
    if (more && ev->more_len)
        ev->more = (const unsigned char *)arena_strndup(a, (const char *)more, ev->more_len);
}

static void get_personal(struct reader *r, struct arena *a, struct event *ev)
{
    if (ev->form == EVENT_FORM_HERE) {
        ev->salt = get_copy(r, a, EVENT_SALT_BYTES);
        if (!r->bad)
            ev->personal =
                get_text(r, a, 2, EVENT_TEXT_BYTES_MAX - ev->record_len, &ev->personal_len);
    } else if (ev->form == EVENT_FORM_DIGEST) {
        ev->personal_digest = get_copy(r, a, 32);
    }
    if (ev->flags & EVENT_SIGNED)
        ev->signature = get_copy(r, a, 64);
}

enum err event_decode(struct reader *r, struct arena *a, struct event *ret,
                      struct event_sum *ret_sum, struct errmsg *e)
{
    struct event ev = {0};
    unsigned version = reader_u8(r), form;
    const unsigned char *fields;
    size_t n;

    if (r->bad || version != EVENT_VERSION) {
        errmsg_set(e, "event: version %d expected, found %u", EVENT_VERSION, version);
        return ERR_PEER;
    }
    ev.flags = reader_u8(r);
    form = reader_u8(r);
    if (r->bad || (ev.flags & ~(unsigned)EVENT_FLAGS_ALL) || form > EVENT_FORM_DIGEST ||
        !(ev.flags & EVENT_PERSONAL) != !form) {
        errmsg_set(e, "event: flags %u and form %u do not go together in version %d", ev.flags,
                   form, EVENT_VERSION);
        return ERR_PEER;
    }
    ev.form = (enum event_form)form;
    ev.origin = get_text(r, a, 12, EVENT_ORIGIN_MAX, NULL);
    ev.seq = reader_varint(r);
    fields = r->p;
    get_fields(r, a, &ev);
    n = (size_t)(r->p - fields);
    get_personal(r, a, &ev);
    if (r->bad || !ev.seq || ev.seq > INT64_MAX || ev.hlc > INT64_MAX || !origin_valid(ev.origin) ||
        !division_valid(ev.street)) {
        errmsg_set(e, "event: a field is missing, too long or not what it should be");
        return ERR_PEER;
    }
    if (ret_sum)
        sum_of(&ev, fields, n, ret_sum);
    *ret = ev;
    return OK;
}

static const unsigned char *copy_bytes(struct arena *a, const unsigned char *p, size_t n)
{
    return p ? (const unsigned char *)arena_strndup(a, (const char *)p, n) : NULL;
}

struct event event_copy(const struct event *ev, struct arena *a)
{
    struct event c = *ev;

    c.origin = arena_strdup(a, ev->origin);
    c.kind = arena_strdup(a, ev->kind);
    c.dossier = arena_strdup(a, ev->dossier);
    c.street = arena_strdup(a, ev->street);
    c.actor = arena_strdup(a, ev->actor);
    c.record = arena_strndup(a, ev->record, ev->record_len);
    c.more = copy_bytes(a, ev->more, ev->more_len);
    c.personal = ev->personal ? arena_strndup(a, ev->personal, ev->personal_len) : NULL;
    c.salt = copy_bytes(a, ev->salt, EVENT_SALT_BYTES);
    c.personal_digest = copy_bytes(a, ev->personal_digest, 32);
    c.signature = copy_bytes(a, ev->signature, 64);
    return c;
}

void event_site(const char *origin, char out[13])
{
    size_t n = strnlen(origin, 12);

    memcpy(out, origin, n);
    out[n] = 0;
}
