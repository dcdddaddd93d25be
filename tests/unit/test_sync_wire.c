/* Every frame: pack, unpack, pack is equal; every cut and every longer form is refused. */
#include "sync/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void same_again(const struct frame *f, unsigned version)
{
    struct buf a = {0}, b = {0};
    struct frame back;
    struct errmsg e;

    wire_pack(f, version, &a);
    assert_int_equal(wire_unpack(a.data, a.len, version, &back, &e), OK);
    wire_pack(&back, version, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    /* EVENTS and CHUNK end with bytes of any length, HELLO with what later versions add */
    if (f->kind != FRAME_EVENTS && f->kind != FRAME_CHUNK) {
        for (size_t n = 0; n < a.len; n++)
            assert_int_equal(wire_unpack(a.data, n, version, &back, &e), ERR_PEER);
        buf_u8(&a, 0);
        assert_int_equal(wire_unpack(a.data, a.len, version, &back, &e),
                         f->kind == FRAME_HELLO ? OK : ERR_PEER);
    }
    buf_free(&a);
    buf_free(&b);
}

static void every_frame_comes_back(void **state)
{
    const unsigned char bytes[5] = {1, 2, 3, 4, 5};
    struct frame f[] = {
        {.kind = FRAME_HELLO,
         .oldest = 2,
         .newest = 3,
         .site = "331002003901",
         .peer = "331002003000",
         .stream = "s",
         .recv_stream = "r",
         .pos = 300,
         .wall_ms = 1795464679338},
        {.kind = FRAME_EVENTS,
         .pos = 9,
         .count = 2,
         .raw_bytes = 70,
         .bytes = bytes,
         .bytes_len = 5},
        {.kind = FRAME_ACK, .pos = 1ull << 40},
        {.kind = FRAME_WANT, .digest = "d", .offset = 77, .max = 4096},
        {.kind = FRAME_CHUNK,
         .digest = "d",
         .offset = 77,
         .total = 82,
         .bytes = bytes,
         .bytes_len = 5},
        {.kind = FRAME_NONE, .digest = "d"},
        {.kind = FRAME_HAVE, .digest = "d"},
        {.kind = FRAME_RECALL, .origin = "331002003901", .seq = 9, .digest = "d"},
        {.kind = FRAME_RECALLED,
         .origin = "331002003901",
         .seq = 9,
         .verdict = RECALL_BEYOND,
         .pos = 7,
         .hlc = 77,
         .feed = 8},
        {.kind = FRAME_CLOCK_ASK, .mono_ms = 5, .wall_ms = 1795464679338},
        {.kind = FRAME_CLOCK,
         .mono_ms = 5,
         .now_ms = 6,
         .promised_ms = 7,
         .length_ms = 8,
         .pos = 9,
         .wall_ms = 1795464679338},
        {.kind = FRAME_HEAD,
         .origin = "331002003901.2",
         .seq = 12,
         .digest = "h",
         .signature = "x"},
        {.kind = FRAME_PING, .nonce = 3},
        {.kind = FRAME_PONG, .nonce = 3},
        {.kind = FRAME_BYE, .code = BYE_STORE, .reason = "no room"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof f / sizeof *f; i++)
        for (unsigned version = WIRE_OLDEST; version <= WIRE_NEWEST; version++)
            same_again(&f[i], version);
}

static void refused(const struct frame *f)
{
    struct buf b = {0};
    struct frame back;
    struct errmsg e;

    wire_pack(f, WIRE_NEWEST, &b);
    assert_int_equal(wire_unpack(b.data, b.len, WIRE_NEWEST, &back, &e), ERR_PEER);
    buf_free(&b);
}

static void limits_are_kept(void **state)
{
    const unsigned char bytes[5] = {0};
    struct frame f[] = {
        {.kind = FRAME_EVENTS,
         .pos = 9,
         .count = 0,
         .raw_bytes = 0,
         .bytes = bytes,
         .bytes_len = 5},
        {.kind = FRAME_EVENTS,
         .pos = 5000,
         .count = 1001,
         .raw_bytes = 70,
         .bytes = bytes,
         .bytes_len = 5},
        {.kind = FRAME_EVENTS,
         .pos = 9,
         .count = 2,
         .raw_bytes = WIRE_BATCH_BYTES_MAX + 1,
         .bytes = bytes,
         .bytes_len = 5},
        {.kind = FRAME_EVENTS,
         .pos = 1,
         .count = 2,
         .raw_bytes = 9,
         .bytes = bytes,
         .bytes_len = 5},
        {.kind = FRAME_HELLO,
         .oldest = 3,
         .newest = 2,
         .site = "331002003901",
         .peer = "331002003000"},
        {.kind = FRAME_HELLO,
         .oldest = 0,
         .newest = 2,
         .site = "331002003901",
         .peer = "331002003000"},
        {.kind = FRAME_WANT, .max = 0},
        {.kind = FRAME_WANT, .max = WIRE_CHUNK_BYTES_MAX + 1},
        {.kind = FRAME_CHUNK, .offset = 80, .total = 82, .bytes = bytes, .bytes_len = 5},
        {.kind = FRAME_CHUNK, .offset = 10, .total = 82, .bytes_len = 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof f / sizeof *f; i++)
        refused(&f[i]);
}

static void hello_has_an_end(void **state)
{
    const struct frame f = {.kind = FRAME_HELLO,
                            .oldest = 2,
                            .newest = 9,
                            .site = "331002003901",
                            .peer = "331002003000"};
    struct buf b = {0};
    struct frame back;
    struct errmsg e;

    (void)state;
    wire_pack(&f, 0, &b);
    for (int i = 0; i <= WIRE_HELLO_REST_MAX; i++) {
        assert_int_equal(wire_unpack(b.data, b.len, 0, &back, &e), OK);
        buf_u8(&b, 0x80);
    }
    assert_int_equal(wire_unpack(b.data, b.len, 0, &back, &e), ERR_PEER);
    buf_free(&b);
}

/* Version 3 is 2 and the wall clock. */
static void what_version_3_adds(void **state)
{
    const struct frame all[] = {{.kind = FRAME_CLOCK_ASK, .mono_ms = 5, .wall_ms = 77},
                                {.kind = FRAME_CLOCK, .mono_ms = 5, .wall_ms = 77}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buf two = {0}, three = {0};
        struct frame f;
        struct errmsg e;
        wire_pack(&all[i], 2, &two);
        wire_pack(&all[i], 3, &three);
        assert_int_equal(three.len, two.len + 8);
        assert_memory_equal(two.data, three.data, two.len);
        assert_int_equal(wire_unpack(two.data, two.len, 2, &f, &e), OK);
        assert_int_equal(f.wall_ms, 0);
        assert_int_equal(wire_unpack(three.data, three.len, 3, &f, &e), OK);
        assert_int_equal(f.wall_ms, 77);
        assert_int_equal(wire_unpack(two.data, two.len, 3, &f, &e), ERR_PEER);
        assert_int_equal(wire_unpack(three.data, three.len, 2, &f, &e), ERR_PEER);
        buf_free(&two);
        buf_free(&three);
    }
}

static void the_lower_of_both_newest(void **state)
{
    static const struct {
        unsigned oldest, newest, peer_oldest, peer_newest, both;
    } all[] = {{2, 2, 2, 2, 2}, {2, 3, 2, 2, 2}, {2, 3, 2, 3, 3}, {2, 3, 3, 4, 3},
               {2, 3, 4, 5, 0}, {2, 2, 3, 4, 0}, {2, 9, 4, 6, 6}, {5, 7, 3, 5, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(
            wire_common(all[i].oldest, all[i].newest, all[i].peer_oldest, all[i].peer_newest),
            all[i].both);
        assert_int_equal(
            wire_common(all[i].peer_oldest, all[i].peer_newest, all[i].oldest, all[i].newest),
            all[i].both);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_comes_back),   cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(hello_has_an_end),         cmocka_unit_test(what_version_3_adds),
        cmocka_unit_test(the_lower_of_both_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
