/* A client masks all that it sends. The library does it byte by byte, which was the largest single
 * cost of sending papers: 2.5 ms for a megabyte; here it is done eight bytes at a time, both ways.
 */
#include "net/ws_frame.h"

#include "base/crypto.h"

#include <string.h>

static size_t put_length(unsigned char *h, size_t n, bool masked)
{
    int bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;

    h[1] = (unsigned char)((masked ? 0x80 : 0) | (bytes ? bytes == 2 ? 126 : 127 : n));
    for (int i = 0; i < bytes; i++)
        h[2 + i] = (unsigned char)((uint64_t)n >> (8 * (bytes - 1 - i)));
    return 2 + (size_t)bytes;
}

static void mask(unsigned char *p, size_t n, const unsigned char key[4])
{
    uint64_t k, x;
    size_t i = 0;

    memcpy(&k, key, 4);
    memcpy((unsigned char *)&k + 4, key, 4);
    for (; i + 8 <= n; i += 8) {
        memcpy(&x, p + i, 8);
        x ^= k;
        memcpy(p + i, &x, 8);
    }
    for (; i < n; i++)
        p[i] ^= key[i % 4];
}

size_t ws_frame(unsigned char *payload, size_t n, bool binary)
{
    unsigned char h[WS_FRAME_HEADER_MAX];
    size_t len = put_length(h, n, true);

    h[0] = binary ? 0x82 : 0x81; /* whole, not a fragment */
    crypto_random(h + len, 4);
    mask(payload, n, h + len);
    memcpy(payload - len - 4, h, len + 4);
    return len + 4;
}

size_t ws_frame_header(unsigned char out[WS_FRAME_HEADER_MAX], enum ws_opcode op, size_t n)
{
    out[0] = (unsigned char)(0x80 | op);
    return put_length(out, n, false);
}

size_t ws_frame_close(unsigned char out[WS_CONTROL_MAX], int code, const char *reason)
{
    size_t n = strlen(reason);

    if (n > WS_CONTROL_MAX - 2)
        for (n = WS_CONTROL_MAX - 2; n && ((unsigned char)reason[n] & 0xc0) == 0x80; n--)
            ;
    out[0] = (unsigned char)(code >> 8);
    out[1] = (unsigned char)code;
    memcpy(out + 2, reason, n);
    return n + 2;
}

bool ws_frame_code_valid(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* ---- read -------------------------------------------------------------------------------------*/

static bool is_control(enum ws_opcode op)
{
    return op >= WS_CLOSE;
}

/* The first two bytes are there: how long is the header, and may a frame begin so? */
static bool begin_header(struct ws_reader *r)
{
    unsigned b0 = r->header[0], b1 = r->header[1], op = b0 & 15, len = b1 & 127;

    if (b0 & 0x70 || !(b1 & 0x80)) /* a reserved bit; no mask */
        return false;
    r->fin = b0 & 0x80;
    r->need = 2 + (len == 126 ? 2u : len == 127 ? 8u : 0u) + 4;
    if (op == WS_CLOSE || op == WS_PING || op == WS_PONG) {
        r->op = (enum ws_opcode)op;
        return r->fin && len <= WS_CONTROL_MAX;
    }
    if (op > WS_BINARY || (op == WS_CONTINUED) != r->in_message)
        return false;
    r->op = (enum ws_opcode)op;
    return true;
}

static bool end_header(struct ws_reader *r)
{
    unsigned len = r->header[1] & 127, bytes = r->need - 6;

    r->left = bytes ? 0 : len;
    for (unsigned i = 0; i < bytes; i++)
        r->left = r->left << 8 | r->header[2 + i];
    memcpy(r->key, r->header + r->need - 4, 4);
    if (r->left >> 63 || (bytes == 2 && r->left < 126) || (bytes == 8 && r->left < 65536))
        return false; /* the shortest form is the only one */
    r->in_payload = true;
    r->have = r->need = 0;
    r->control_len = 0;
    return true;
}

/* Bytes of a header. false: the peer is wrong. */
static bool take_header(struct ws_reader *r, const unsigned char *p, size_t n, size_t *used)
{
    while (*used < n && !r->in_payload) {
        r->header[r->have++] = p[(*used)++];
        if (r->have == 2 && !begin_header(r))
            return false;
        if (r->have > 2 && r->have == r->need && !end_header(r))
            return false;
    }
    return true;
}

/* The key goes on where this piece ended. */
static void unmask(struct ws_reader *r, unsigned char *p, size_t n)
{
    unsigned char turned[4];

    mask(p, n, r->key);
    for (unsigned i = 0; i < 4; i++)
        turned[i] = r->key[(i + n) % 4];
    memcpy(r->key, turned, 4);
}

enum ws_got ws_reader_next(struct ws_reader *r, unsigned char *p, size_t n, size_t *ret_used,
                           struct ws_piece *ret)
{
    size_t used = 0;

    *ret_used = n;
    if (!r->in_payload && !take_header(r, p, n, &used))
        return WS_GOT_BAD;
    if (!r->in_payload)
        return WS_GOT_MORE;
    size_t take = n - used < r->left ? n - used : (size_t)r->left;
    unmask(r, p + used, take);
    r->left -= take;
    r->in_payload = r->left > 0;
    *ret = (struct ws_piece){.op = r->op, .p = p + used, .n = take, .frame_left = r->left};
    *ret_used = used + take;
    if (is_control(r->op)) {
        memcpy(r->control + r->control_len, p + used, take);
        r->control_len += (unsigned)take;
        return r->in_payload ? WS_GOT_MORE : WS_GOT_CONTROL;
    }
    if (r->in_payload && !take) /* a header alone */
        return WS_GOT_MORE;
    ret->first = !r->in_message;
    if (ret->first)
        r->binary = r->op == WS_BINARY;
    r->in_message = r->in_payload || !r->fin;
    ret->last = !r->in_message;
    return WS_GOT_PIECE;
}
