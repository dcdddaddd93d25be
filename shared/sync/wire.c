#include "sync/wire.h"

#include <string.h>

static const char magic[4] = "DST1";

#define CLOCKS_TELL_WALL 3 /* from this version on */

static void put_text(struct buf *out, const char *s)
{
    buf_u8(out, (unsigned)strlen(s));
    buf_puts(out, s);
}

void wire_pack(const struct frame *f, unsigned version, struct buf *out)
{
    buf_u8(out, f->kind);
    switch (f->kind) {
    case FRAME_HELLO:
        buf_append(out, magic, sizeof magic);
        buf_u8(out, f->oldest);
        buf_u8(out, f->newest);
        buf_append(out, f->site, 12);
        buf_append(out, f->peer, 12);
        buf_append(out, f->stream, 16);
        buf_append(out, f->recv_stream, 16);
        buf_varint(out, f->pos);
        buf_u64(out, (uint64_t)f->wall_ms);
        break;
    case FRAME_EVENTS:
        buf_varint(out, f->pos);
        buf_varint(out, f->count);
        buf_varint(out, f->raw_bytes);
        buf_append(out, f->bytes, f->bytes_len);
        break;
    case FRAME_ACK:
        buf_varint(out, f->pos);
        break;
    case FRAME_WANT:
        buf_append(out, f->digest, 32);
        buf_varint(out, f->offset);
        buf_varint(out, f->max);
        break;
    case FRAME_CHUNK:
        buf_append(out, f->digest, 32);
        buf_varint(out, f->offset);
        buf_varint(out, f->total);
        buf_append(out, f->bytes, f->bytes_len);
        break;
    case FRAME_NONE:
    case FRAME_HAVE:
        buf_append(out, f->digest, 32);
        break;
    case FRAME_CLOCK_ASK:
        buf_u64(out, (uint64_t)f->mono_ms);
        if (version >= CLOCKS_TELL_WALL)
            buf_u64(out, (uint64_t)f->wall_ms);
        break;
    case FRAME_CLOCK:
        buf_u64(out, (uint64_t)f->mono_ms);
        buf_u64(out, (uint64_t)f->now_ms);
        buf_u64(out, (uint64_t)f->promised_ms);
        buf_u64(out, (uint64_t)f->length_ms);
        buf_varint(out, f->pos);
        if (version >= CLOCKS_TELL_WALL)
            buf_u64(out, (uint64_t)f->wall_ms);
        break;
    case FRAME_HEAD:
        put_text(out, f->origin);
        buf_varint(out, f->seq);
        buf_append(out, f->digest, 32);
        buf_append(out, f->signature, 64);
        break;
    case FRAME_RECALL:
        put_text(out, f->origin);
        buf_varint(out, f->seq);
        buf_append(out, f->digest, 32);
        break;
    case FRAME_RECALLED:
        put_text(out, f->origin);
        buf_varint(out, f->seq);
        buf_u8(out, f->verdict);
        buf_varint(out, f->pos);
        buf_varint(out, f->hlc);
        buf_varint(out, f->feed);
        break;
    case FRAME_PING:
    case FRAME_PONG:
        buf_u64(out, f->nonce);
        break;
    case FRAME_BYE:
        buf_u8(out, f->code);
        put_text(out, f->reason);
        break;
    }
}

static void get(struct reader *r, void *out, size_t n)
{
    const unsigned char *p = reader_bytes(r, n);

    if (p)
        memcpy(out, p, n);
}

/* A text of at most cap-1 bytes without NUL. */
static void get_text(struct reader *r, char *out, size_t cap)
{
    size_t n = reader_u8(r);
    const unsigned char *p = n < cap ? reader_bytes(r, n) : NULL;

    if (!p || memchr(p, 0, n)) {
        r->bad = true;
        return;
    }
    memcpy(out, p, n);
    out[n] = 0;
}

static void get_rest(struct reader *r, struct frame *f)
{
    f->bytes_len = r->left;
    f->bytes = reader_bytes(r, r->left);
}

static void unpack_hello(struct reader *r, struct frame *f)
{
    char m[4] = "";

    get(r, m, 4);
    if (memcmp(m, magic, 4))
        r->bad = true;
    f->oldest = reader_u8(r);
    f->newest = reader_u8(r);
    get(r, f->site, 12);
    get(r, f->peer, 12);
    get(r, f->stream, 16);
    get(r, f->recv_stream, 16);
    f->pos = reader_varint(r);
    f->wall_ms = (int64_t)reader_u64(r);
    /* protocol.md 3: "what a later version adds stands behind and is passed over" */
    if (f->newest < f->oldest || !f->oldest || r->left > WIRE_HELLO_REST_MAX)
        r->bad = true;
    if (!r->bad)
        reader_bytes(r, r->left);
    for (int i = 0; i < 12; i++)
        if (f->site[i] < '0' || f->site[i] > '9' || f->peer[i] < '0' || f->peer[i] > '9')
            r->bad = true;
}

static void unpack_clock(struct reader *r, unsigned version, struct frame *f)
{
    f->mono_ms = (int64_t)reader_u64(r);
    f->now_ms = (int64_t)reader_u64(r);
    f->promised_ms = (int64_t)reader_u64(r);
    f->length_ms = (int64_t)reader_u64(r);
    f->pos = reader_varint(r);
    if (version >= CLOCKS_TELL_WALL)
        f->wall_ms = (int64_t)reader_u64(r);
}

unsigned wire_common(unsigned oldest, unsigned newest, unsigned peer_oldest, unsigned peer_newest)
{
    unsigned both = newest < peer_newest ? newest : peer_newest;

    return both >= oldest && both >= peer_oldest ? both : 0;
}

enum err wire_unpack(const void *p, size_t n, unsigned version, struct frame *ret, struct errmsg *e)
{
    struct reader r = {p, n, false};
    struct frame f = {0};
    unsigned kind = reader_u8(&r);

    f.kind = (enum frame_kind)kind;
    if (n > WIRE_FRAME_BYTES_MAX || kind < FRAME_HELLO || kind > FRAME_RECALLED) {
        errmsg_set(e, "frame kind %u of %zu bytes is not known", kind, n);
        return ERR_PEER;
    }
    switch (f.kind) {
    case FRAME_HELLO:
        unpack_hello(&r, &f);
        break;
    case FRAME_EVENTS:
        f.pos = reader_varint(&r);
        f.count = reader_varint(&r);
        f.raw_bytes = reader_varint(&r);
        get_rest(&r, &f);
        if (!f.count || f.count > WIRE_BATCH_EVENTS_MAX || f.raw_bytes > WIRE_BATCH_BYTES_MAX ||
            f.pos < f.count)
            r.bad = true;
        break;
    case FRAME_ACK:
        f.pos = reader_varint(&r);
        break;
    case FRAME_WANT:
        get(&r, f.digest, 32);
        f.offset = reader_varint(&r);
        f.max = reader_varint(&r);
        if (!f.max || f.max > WIRE_CHUNK_BYTES_MAX || f.offset > INT64_MAX)
            r.bad = true;
        break;
    case FRAME_CHUNK:
        get(&r, f.digest, 32);
        f.offset = reader_varint(&r);
        f.total = reader_varint(&r);
        get_rest(&r, &f);
        if (f.total > INT64_MAX || f.offset > f.total || f.bytes_len > f.total - f.offset ||
            (!f.bytes_len && f.offset != f.total) || f.bytes_len > WIRE_CHUNK_BYTES_MAX)
            r.bad = true;
        break;
    case FRAME_NONE:
    case FRAME_HAVE:
        get(&r, f.digest, 32);
        break;
    case FRAME_CLOCK_ASK:
        f.mono_ms = (int64_t)reader_u64(&r);
        if (version >= CLOCKS_TELL_WALL)
            f.wall_ms = (int64_t)reader_u64(&r);
        break;
    case FRAME_CLOCK:
        unpack_clock(&r, version, &f);
        break;
    case FRAME_HEAD:
        get_text(&r, f.origin, sizeof f.origin);
        f.seq = reader_varint(&r);
        get(&r, f.digest, 32);
        get(&r, f.signature, 64);
        break;
    case FRAME_RECALL:
        get_text(&r, f.origin, sizeof f.origin);
        f.seq = reader_varint(&r);
        get(&r, f.digest, 32);
        break;
    case FRAME_RECALLED:
        get_text(&r, f.origin, sizeof f.origin);
        f.seq = reader_varint(&r);
        f.verdict = reader_u8(&r);
        f.pos = reader_varint(&r);
        f.hlc = reader_varint(&r);
        f.feed = reader_varint(&r);
        if (f.verdict > RECALL_BEYOND)
            r.bad = true;
        break;
    case FRAME_PING:
    case FRAME_PONG:
        f.nonce = reader_u64(&r);
        break;
    case FRAME_BYE: {
        unsigned code = reader_u8(&r);
        f.code = code >= BYE_PROTOCOL && code <= BYE_WITHHELD ? (enum bye_code)code : BYE_PROTOCOL;
        get_text(&r, f.reason, sizeof f.reason);
        break;
    }
    }
    if (r.bad || r.left) {
        errmsg_set(e, "frame of kind %u: %s", kind,
                   r.left && !r.bad ? "bytes behind its end" : "a field is wrong");
        return ERR_PEER;
    }
    *ret = f;
    return OK;
}
