/* Every frame: pack, unpack, pack is equal; every cut and every longer form is refused. */
#include "sync/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void same_again(const struct frame *f)
{
    struct buf a = {0}, b = {0};
    struct frame back;
    struct errmsg e;

    wire_pack(f, &a);
    assert_int_equal(wire_unpack(a.data, a.len, &back, &e), OK);
    wire_pack(&back, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    /* EVENTS and CHUNK end with bytes of any length */
    if (f->kind != FRAME_EVENTS && f->kind != FRAME_CHUNK) {
        for (size_t n = 0; n < a.len; n++)
            assert_int_equal(wire_unpack(a.data, n, &back, &e), ERR_PEER);
        buf_u8(&a, 0);
        assert_int_equal(wire_unpack(a.data, a.len, &back, &e), ERR_PEER);
    }
    buf_free(&a);
    buf_free(&b);
}

static void every_frame_comes_back(void **state)
{
    const unsigned char bytes[5] = {1, 2, 3, 4, 5};
    struct frame f[] = {
        {.kind = FRAME_HELLO,
         .version = 1,
         .dictionary = 1,
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
        {.kind = FRAME_CLOCK_ASK, .mono_ms = 5},
        {.kind = FRAME_CLOCK,
         .mono_ms = 5,
         .now_ms = 6,
         .promised_ms = 7,
         .length_ms = 8,
         .pos = 9},
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
        same_again(&f[i]);
}

static void refused(const struct frame *f)
{
    struct buf b = {0};
    struct frame back;
    struct errmsg e;

    wire_pack(f, &b);
    assert_int_equal(wire_unpack(b.data, b.len, &back, &e), ERR_PEER);
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
        {.kind = FRAME_WANT, .max = 0},
        {.kind = FRAME_WANT, .max = WIRE_CHUNK_BYTES_MAX + 1},
        {.kind = FRAME_CHUNK, .offset = 80, .total = 82, .bytes = bytes, .bytes_len = 5},
        {.kind = FRAME_CHUNK, .offset = 10, .total = 82, .bytes_len = 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof f / sizeof *f; i++)
        refused(&f[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_comes_back),
        cmocka_unit_test(limits_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
