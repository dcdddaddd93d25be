/* The pure parts of the front door: heads, chunks, frames, addresses, limits. */
#include "base/mem.h"
#include "net/address.h"
#include "net/chunked.h"
#include "net/head.h"
#include "net/limits.h"
#include "net/route.h"
#include "net/ws_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static enum head_fault parse(struct arena *a, const char *text, struct head *h)
{
    assert_int_equal(head_length(text, strlen(text)), strlen(text));
    return head_parse(a, text, strlen(text), h);
}

static void heads(void **state)
{
    struct arena *a = arena_create();
    struct head h;

    (void)state;
    assert_int_equal(parse(a,
                           "\r\nPOST /a%20b/%e4%b8%ad?q=a+b%2B&empty=&bare&&x=1=2 HTTP/1.1\r\n"
                           "HOST: h:1\r\nCookie: a=1\r\ncookie: b=2\r\nX-A:  one \t\r\nx-a: two\r\n"
                           "Content-Length: 7\r\ncontent-length: 7\r\n\r\n",
                           &h),
                     FAULT_NONE);
    assert_string_equal(h.method, "POST");
    assert_string_equal(h.path, "/a b/\xe4\xb8\xad");
    assert_string_equal(head_query(&h, "q"), "a b+");
    assert_string_equal(head_query(&h, "empty"), "");
    assert_string_equal(head_query(&h, "bare"), "");
    assert_string_equal(head_query(&h, "x"), "1=2");
    assert_null(head_query(&h, "y"));
    assert_string_equal(head_header(&h, "cookie"), "a=1; b=2");
    assert_string_equal(head_header(&h, "x-a"), "one, two");
    assert_int_equal(h.length, 7);
    assert_true(h.keep);
    assert_int_equal(parse(a, "GET http://h/p?x=1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h),
                     FAULT_NONE);
    assert_string_equal(h.path, "/p");
    assert_true(h.keep);
    assert_int_equal(parse(a,
                           "GET /s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
                           "Upgrade: h2c, websocket\r\n\r\n",
                           &h),
                     FAULT_NONE);
    assert_true(h.upgrades);
    assert_int_equal(parse(a, "GET /s\tx HTTP/1.1\r\nHost: x\r\n\r\n", &h), FAULT_TARGET);
    assert_int_equal(parse(a, "GET s HTTP/1.1\r\nHost: x\r\n\r\n", &h), FAULT_TARGET);
    assert_int_equal(parse(a, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", &h), FAULT_HOST);
    assert_int_equal(
        parse(a, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", &h),
        FAULT_LENGTH);
    assert_int_equal(head_length("GET / HTTP/1.1\r\n", 16), 0);
    arena_destroy(a);
}

/* Every way to cut it in two gives the same body. */
static void chunks(void **state)
{
    static const char text[] = "4;a=b\r\nWiki\r\n5 \r\npedia\r\n0\r\nT: x\r\n\r\nnext";

    (void)state;
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        struct chunked c = {0};
        char whole[64] = "";
        size_t at = 0, used, len;
        const char *body;
        enum chunked_got got = CHUNKED_MORE;
        while (got != CHUNKED_END) {
            size_t end = at < cut ? cut : strlen(text);
            got = chunked_next(&c, text + at, end - at, &used, &body, &len);
            assert_int_not_equal(got, CHUNKED_BAD);
            at += used;
            if (got == CHUNKED_BODY)
                strncat(whole, body, len);
        }
        assert_string_equal(whole, "Wikipedia");
        assert_string_equal(text + at, "next");
    }
    static const char *const bad[] = {
        "\r\n", "g\r\n", "1\n", "1\r\nab\r\n", "fffffffffffffffff\r\n", "1;\n\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct chunked c = {0};
        size_t used, len;
        const char *body, *p = bad[i], *end = p + strlen(p);
        enum chunked_got got = CHUNKED_BODY;
        while (got == CHUNKED_BODY) {
            got = chunked_next(&c, p, (size_t)(end - p), &used, &body, &len);
            p += used;
        }
        assert_int_equal(got, CHUNKED_BAD);
    }
}

/* A client's frames, cut anywhere, come out whole. */
static void frames(void **state)
{
    unsigned char text[400], *p = text;
    static const struct {
        const char *body;
        unsigned char b0;
    } sent[] = {{"hel", 0x01}, {"ping", 0x89}, {"lo", 0x80}, {"", 0x82}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        size_t n = strlen(sent[i].body), h;
        memcpy(p + WS_FRAME_HEADER_MAX, sent[i].body, n);
        h = ws_frame(p + WS_FRAME_HEADER_MAX, n, false);
        memmove(p, p + WS_FRAME_HEADER_MAX - h, h + n);
        p[0] = sent[i].b0;
        p += h + n;
    }
    size_t all = (size_t)(p - text);
    for (size_t cut = 0; cut <= all; cut++) {
        struct ws_reader r = {0};
        struct ws_piece piece;
        unsigned char copy[400];
        char heard[64] = "";
        size_t at = 0, used;
        memcpy(copy, text, all);
        while (at < all) {
            size_t end = at < cut ? cut : all;
            enum ws_got got = ws_reader_next(&r, copy + at, end - at, &used, &piece);
            assert_int_not_equal(got, WS_GOT_BAD);
            at += used;
            if (got == WS_GOT_PIECE) {
                strncat(heard, (char *)piece.p, piece.n);
                if (piece.last)
                    strcat(heard, r.binary ? "|b" : "|t");
            } else if (got == WS_GOT_CONTROL) {
                assert_int_equal(piece.op, WS_PING);
                assert_int_equal(r.control_len, 4);
                assert_memory_equal(r.control, "ping", 4);
            }
        }
        assert_string_equal(heard, "hello|t|b");
    }
    static const unsigned char bad[][4] = {
        {0x81, 0x01}, /* no mask */
        {0xc1, 0x81}, /* a reserved bit */
        {0x83, 0x81}, /* an unknown kind */
        {0x80, 0x81}, /* goes on with nothing */
        {0x09, 0x81}, /* a ping in pieces */
        {0x89, 0xfe}, /* a ping of more than 125 bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ws_reader r = {0};
        struct ws_piece piece;
        unsigned char copy[2];
        size_t used;
        memcpy(copy, bad[i], 2);
        assert_int_equal(ws_reader_next(&r, copy, 2, &used, &piece), WS_GOT_BAD);
    }
}

static void addresses(void **state)
{
    struct address a;
    struct network n;
    char text[ADDRESS_TEXT_MAX];

    (void)state;
    assert_true(address_parse("203.0.113.9", &a) && address_is_v4(&a));
    assert_true(network_parse("203.0.113.0/24", &n) && network_has(&n, &a));
    assert_true(network_parse("203.0.113.9", &n) && network_has(&n, &a));
    assert_true(network_parse("203.0.112.0/23", &n) && network_has(&n, &a));
    assert_true(network_parse("0.0.0.0/0", &n) && network_has(&n, &a));
    assert_true(network_parse("203.0.114.0/23", &n) && !network_has(&n, &a));
    assert_true(network_parse("::/0", &n) && network_has(&n, &a));
    assert_true(address_parse("[2001:db8:1:2:3::4]", &a));
    network_of_client(&a, text);
    assert_string_equal(text, "2001:db8:1:2::");
    assert_true(network_parse("2001:db8::/32", &n) && network_has(&n, &a));
    assert_false(network_parse("10.0.0.1/8", &n)); /* a bit beyond the mask */
    assert_false(network_parse("10.0.0.0/33", &n));
    assert_false(network_parse("10.0.0.0/", &n));
    assert_false(network_parse("name", &n));
    assert_true(address_parse("::ffff:203.0.113.9", &a));
    address_format(&a, text);
    assert_string_equal(text, "203.0.113.9");
}

static void listening(void **state)
{
    struct sockaddr_storage at;
    socklen_t len;
    struct errmsg e;

    (void)state;
    assert_int_equal(address_resolve("127.0.0.1:0", "--listen", &at, &len, &e), OK);
    assert_int_equal(at.ss_family, AF_INET);
    assert_int_equal(address_resolve("[::1]:8400", "--listen", &at, &len, &e), OK);
    assert_int_equal(at.ss_family, AF_INET6);
    assert_int_equal(address_resolve("localhost:8400", "--listen", &at, &len, &e), OK);
    static const char *const wrong[] = {"8400",       "127.0.0.1", "127.0.0.1:",      "::1:8400",
                                        ":8400",      "[]:8400",   "127.0.0.1:65536", "1.2.3.4:x",
                                        "1.2.3.4:-1", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(address_resolve(wrong[i], "--listen", &at, &len, &e), ERR_INVALID);
        assert_non_null(strstr(e.text, "--listen"));
    }
}

static enum err read_conf(struct limits *l, const char *text, struct errmsg *e)
{
    char path[] = "/tmp/doorstep-limits-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    limits_init(l, true);
    enum err err = limits_read(l, path, e);
    unlink(path);
    return err;
}

static void limits_from_a_file(void **state)
{
    struct limits l;
    struct errmsg e;

    (void)state;
    assert_int_equal(read_conf(&l, "# ours\n\n connections = 100 \nheader_seconds=3\n", &e), OK);
    assert_int_equal(l.max[LIMIT_CONNECTIONS], 100);
    assert_int_equal(l.max[LIMIT_HEADER_SECONDS], 3);
    assert_int_equal(limits_read(&l, "/tmp/doorstep-no-such-file", &e), OK);
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"connections = 100\nconections = 5\n", "line 2"},
        {"conections = 5\n", "no limit named \"conections\""},
        {"connections = many\n", "from 8 to 100000"},
        {"connections = 0\n", "from 8 to 100000"},
        {"connections = 10 # ten\n", "from 8"},
        {"connections\n", "key = value"},
        {"connections = 100\nconnections = 200\n", "twice"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read_conf(&l, wrong[i].text, &e), ERR_INVALID);
        if (!strstr(e.text, wrong[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, wrong[i].says);
    }
}

static void limits_count(void **state)
{
    struct limits l;
    struct buf out = {0};

    (void)state;
    limits_init(&l, false);
    l.max[LIMIT_UPLOADS] = 3;
    assert_true(limits_take(&l, LIMIT_UPLOADS, 2));
    assert_false(limits_take(&l, LIMIT_UPLOADS, 2));
    assert_true(limits_take(&l, LIMIT_UPLOADS, 1));
    limits_give(&l, LIMIT_UPLOADS, 3);
    assert_true(limits_take(&l, LIMIT_UPLOADS, 3));
    limits_metrics(&l, &out);
    assert_non_null(strstr(buf_text(&out), "\ndoorstep_limit{name=\"uploads\"} 3\n"));
    assert_non_null(strstr(buf_text(&out), "\ndoorstep_limit_used{name=\"uploads\"} 3\n"));
    assert_non_null(strstr(buf_text(&out), "\ndoorstep_limit_refused_total{name=\"uploads\"} 1\n"));
    buf_free(&out);
}

static void nothing(struct request *req, void *arg)
{
    (void)req;
    (void)arg;
}

static void routes(void **state)
{
    static const struct route list[] = {
        {.method = "GET", .path = "/a/{x}/b", .handle = nothing},
        {.method = "PATCH", .path = "/a/{x}/b", .handle = nothing},
        {.method = "GET", .path = "/a", .handle = nothing},
        {.method = "HEAD", .path = "/a", .handle = nothing},
    };
    struct http_config c = {.routes = list, .route_count = 4};
    struct arena *a = arena_create();
    struct route_params p;
    char allow[80];

    (void)state;
    assert_ptr_equal(route_find(&c, "GET", "/a/1/b", a, &p), &list[0]);
    assert_int_equal(p.count, 1);
    assert_string_equal(p.list[0].name, "x");
    assert_string_equal(p.list[0].value, "1");
    assert_ptr_equal(route_find(&c, "HEAD", "/a/1/b", a, &p), &list[0]);
    assert_ptr_equal(route_find(&c, "HEAD", "/a", a, &p), &list[3]);
    assert_null(route_find(&c, "GET", "/a//b", a, &p));
    assert_null(route_find(&c, "GET", "/a/1/b/", a, &p));
    assert_null(route_find(&c, "get", "/a", a, &p));
    route_allow(&c, "/a/1/b", allow, sizeof allow);
    assert_string_equal(allow, "GET, HEAD, OPTIONS, PATCH");
    route_allow(&c, "/z", allow, sizeof allow);
    assert_string_equal(allow, "");
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),        cmocka_unit_test(chunks),
        cmocka_unit_test(frames),       cmocka_unit_test(addresses),
        cmocka_unit_test(listening),    cmocka_unit_test(limits_from_a_file),
        cmocka_unit_test(limits_count), cmocka_unit_test(routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
