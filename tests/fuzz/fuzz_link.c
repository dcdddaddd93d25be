/* The engine against a peer that says anything: frames of any bytes in any order. It never crashes,
 * never asks to store what was not sent, and says nothing after it has closed. Input: u16 length,
 * bytes, again. */
#include "base/crypto.h"
#include "base/deflate.h"
#include "base/mem.h"
#include "fuzz.h"
#include "sync/link.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct link_config c = {.site = "331002003000", .peer = "331002003901", .parent_side = true};
    struct link *l = link_create(&c);
    struct arena *turn = arena_create();
    struct link_effects fx;
    struct link_input in = {.kind = IN_OPENED, .head_pos = 10, .stream = "s"};
    bool closed = false;
    int64_t now = 1000;

    link_step(l, &in, turn, &fx);
    while (n >= 2) {
        size_t len = (size_t)(p[0] << 8 | p[1]);
        p += 2;
        n -= 2;
        if (len > n)
            len = n;
        in = (struct link_input){
            .kind = IN_FRAME, .now_ms = now += 10, .bytes = p, .bytes_len = len};
        arena_reset(turn);
        link_step(l, &in, turn, &fx);
        FUZZ_CHECK(fx.count <= LINK_EFFECTS_MAX && (!closed || !fx.count));
        for (int i = 0; i < fx.count; i++) {
            const struct link_effect *x = &fx.item[i];
            closed |= x->kind == FX_CLOSE;
            if (x->kind == FX_STORE) {
                FUZZ_CHECK(x->pos > x->prev_pos && x->event_count);
                for (size_t k = 0; k < x->event_count; k++)
                    FUZZ_CHECK(x->events[k].bytes || !x->events[k].len);
            }
            FUZZ_CHECK(x->kind != FX_ACKED || x->pos <= 10);
        }
        p += len;
        n -= len;
    }
    link_destroy(l);
    arena_destroy(turn);
    return 0;
}

static void put(struct buf *b, const struct frame *f)
{
    struct buf one = {0};

    wire_pack(f, WIRE_NEWEST, &one);
    buf_u16(b, (unsigned)one.len);
    buf_append(b, one.data, one.len);
    buf_free(&one);
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    struct buf b = {0}, raw = {0}, packed = {0};
    struct deflater *d = deflater_create(6, NULL, 0);
    struct frame hello = {.kind = FRAME_HELLO,
                          .oldest = 2,
                          .newest = 3,
                          .site = "331002003901",
                          .peer = "331002003000",
                          .stream = "child"};
    struct frame f;

    buf_varint(&raw, 5);
    buf_puts(&raw, "event");
    deflater_run(d, raw.data, raw.len, &packed);
    put(&b, &hello);
    f = (struct frame){.kind = FRAME_EVENTS,
                       .pos = 1,
                       .count = 1,
                       .raw_bytes = raw.len,
                       .bytes = packed.data,
                       .bytes_len = packed.len};
    put(&b, &f);
    f = (struct frame){.kind = FRAME_WANT, .max = 100};
    put(&b, &f);
    f = (struct frame){.kind = FRAME_CLOCK_ASK, .mono_ms = 5};
    put(&b, &f);
    f = (struct frame){.kind = FRAME_RECALL, .origin = "331002003901", .seq = 1};
    put(&b, &f);
    f = (struct frame){.kind = FRAME_ACK, .pos = 3};
    put(&b, &f);
    give(b.data, b.len);
    deflater_destroy(d);
    buf_free(&b);
    buf_free(&raw);
    buf_free(&packed);
}
