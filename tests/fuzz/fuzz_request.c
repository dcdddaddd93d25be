/* What comes in at the door: heads, chunked bodies and frames of WebSockets. How the bytes are cut on their way changes
 * nothing, no text holds what it may not, and what is taken is never more than there was. */
#include "base/arena.h"
#include "base/buf.h"
#include "fuzz.h"
#include "net/chunked.h"
#include "net/head.h"
#include "net/ws_frame.h"

#include <string.h>

static void head(const uint8_t *p, size_t n)
{
    size_t len = head_length((const char *)p, n);
    struct arena *a = arena_create();
    struct head h;

    FUZZ_CHECK(len <= n);
    if (len && head_parse(a, (const char *)p, len, &h) == FAULT_NONE) {
        FUZZ_CHECK(h.method[0] && (h.path[0] == '/' || !strcmp(h.path, "*")));
        FUZZ_CHECK(h.length >= -1 && h.header_count <= HEAD_HEADERS_MAX &&
                   h.query_count <= HEAD_QUERY_MAX);
        FUZZ_CHECK(!h.minor || head_header(&h, "host"));
        for (const char *c = h.path; *c; c++)
            FUZZ_CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
        for (int i = 0; i < h.header_count; i++)
            FUZZ_CHECK(!strpbrk(h.header[i].value, "\r\n") && head_header(&h, h.header[i].name));
    }
    arena_destroy(a);
}

/* All that a chunked body says when it comes in pieces of `step` bytes; how it ended. */
static enum chunked_got chunks(const uint8_t *p, size_t n, size_t step, struct buf *out)
{
    struct chunked c = {0};
    enum chunked_got got = CHUNKED_MORE;
    size_t at = 0, end = 0;

    while (at < n && got != CHUNKED_END && got != CHUNKED_BAD) {
        size_t used = 0, len = 0;
        const char *body = NULL;
        if (at == end)
            end = n - at < step ? n : at + step;
        got = chunked_next(&c, (const char *)p + at, end - at, &used, &body, &len);
        FUZZ_CHECK(got == CHUNKED_BAD || used <= end - at);
        if (got == CHUNKED_BODY) {
            FUZZ_CHECK(len && (const uint8_t *)body >= p + at &&
                       (const uint8_t *)body + len <= p + end);
            buf_append(out, body, len);
        }
        if (got != CHUNKED_BAD)
            at += used;
    }
    return got;
}

static enum ws_got frames(const uint8_t *p, size_t n, size_t step, struct buf *out)
{
    struct ws_reader r = {0};
    struct buf copy = {0};
    enum ws_got got = WS_GOT_MORE;
    size_t at = 0, end = 0;

    buf_append(&copy, p, n);
    while (at < n && got != WS_GOT_BAD) {
        struct ws_piece x = {0};
        size_t used = 0;
        if (at == end)
            end = n - at < step ? n : at + step;
        got = ws_reader_next(&r, copy.data + at, end - at, &used, &x);
        FUZZ_CHECK(used <= end - at && r.control_len <= WS_CONTROL_MAX);
        if (got == WS_GOT_PIECE) {
            FUZZ_CHECK(x.p >= copy.data && x.p + x.n <= copy.data + n);
            buf_append(out, x.p, x.n);
            if (x.last)
                buf_putc(out, r.binary ? 'B' : 'T');
        } else if (got == WS_GOT_CONTROL) {
            buf_putc(out, (char)x.op);
            buf_append(out, r.control, r.control_len);
        }
        at += used;
    }
    buf_free(&copy);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf whole = {0}, cut = {0};
    size_t step = n ? p[0] % 7 + 1 : 1;

    head(p, n);
    bool end = chunks(p, n, n + 1, &whole) == CHUNKED_END;
    FUZZ_CHECK((chunks(p, n, step, &cut) == CHUNKED_END) == end);
    FUZZ_CHECK(whole.len == cut.len && (!cut.len || !memcmp(whole.data, cut.data, cut.len)));
    buf_reset(&whole);
    buf_reset(&cut);
    bool bad = frames(p, n, n + 1, &whole) == WS_GOT_BAD;
    FUZZ_CHECK((frames(p, n, step, &cut) == WS_GOT_BAD) == bad);
    FUZZ_CHECK(whole.len == cut.len && (!cut.len || !memcmp(whole.data, cut.data, cut.len)));
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static const char *const texts[] = {
        "GET /a%20b/%e4%b8%ad?q=a+b&x HTTP/1.1\r\nHost: h:1\r\nCookie: a=1\r\ncookie: b=2\r\n\r\n",
        "POST http://h/p HTTP/1.0\r\nContent-Length: 7\r\nContent-Length: 7\r\nConnection: "
        "keep-alive\r\n\r\n",
        "GET /s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
        "websocket\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\nExpect: "
        "100-continue\r\n\r\n",
        "4;a=b\r\nWiki\r\n5 \r\npedia\r\n0\r\nT: x\r\n\r\nnext",
        "1\r\na\r\n0\r\n\r\n",
    };
    static const unsigned char wire[] = {0x01, 0x83, 1,    2,    3, 4,   'a',  'b',  'c', 0x89,
                                         0x81, 9,    9,    9,    9, 'p', 0x80, 0x80, 1,   2,
                                         3,    4,    0x88, 0x82, 0, 0,   0,    0,    3,   0xe8};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        give(texts[i], strlen(texts[i]));
    give(wire, sizeof wire);
}
