/* wire_unpack: what is accepted packs to the same bytes' meaning again. */
#include "base/buf.h"
#include "fuzz.h"
#include "sync/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct frame a, b;
    struct errmsg e;
    struct buf first = {0}, second = {0};

    for (unsigned version = WIRE_OLDEST; version <= WIRE_NEWEST; version++) {
        buf_reset(&first);
        buf_reset(&second);
        if (wire_unpack(p, n, version, &a, &e) != OK)
            continue;
        wire_pack(&a, version, &first);
        FUZZ_CHECK(wire_unpack(first.data, first.len, version, &b, &e) == OK);
        wire_pack(&b, version, &second);
        FUZZ_CHECK(first.len == second.len && !memcmp(first.data, second.data, first.len));
    }
    buf_free(&first);
    buf_free(&second);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static const unsigned char bytes[] = "some bytes";
    const struct frame all[] = {
        {.kind = FRAME_HELLO,
         .oldest = 2,
         .newest = 3,
         .site = "331002003901",
         .peer = "331002003000",
         .pos = 300},
        {.kind = FRAME_EVENTS,
         .pos = 70000,
         .count = 3,
         .raw_bytes = 900,
         .bytes = bytes,
         .bytes_len = 10},
        {.kind = FRAME_ACK, .pos = 1u << 31},
        {.kind = FRAME_WANT, .digest = "abc", .offset = 1000, .max = 4096},
        {.kind = FRAME_CHUNK,
         .digest = "abc",
         .offset = 5,
         .total = 100,
         .bytes = bytes,
         .bytes_len = 10},
        {.kind = FRAME_NONE, .digest = "abc"},
        {.kind = FRAME_HAVE, .digest = "abc"},
        {.kind = FRAME_CLOCK_ASK, .mono_ms = 12345},
        {.kind = FRAME_CLOCK,
         .mono_ms = 12345,
         .now_ms = 3,
         .promised_ms = 4,
         .length_ms = 5,
         .pos = 6},
        {.kind = FRAME_HEAD, .origin = "331002003901.12", .seq = 77},
        {.kind = FRAME_PING, .nonce = 9},
        {.kind = FRAME_BYE, .code = BYE_STORE, .reason = "no room"},
        {.kind = FRAME_RECALL, .origin = "331002003901", .seq = 9},
        {.kind = FRAME_RECALLED,
         .origin = "331002003901",
         .seq = 9,
         .verdict = RECALL_BEYOND,
         .pos = 3,
         .hlc = 4,
         .feed = 5},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct buf b = {0};
        for (unsigned version = WIRE_OLDEST; version <= WIRE_NEWEST; version++) {
            buf_reset(&b);
            wire_pack(&all[i], version, &b);
            give(b.data, b.len);
        }
        buf_free(&b);
    }
}
