/* event_decode: what is accepted encodes to the same bytes, and has the same hash. */
#include "fuzz.h"
#include "ledger/event.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_create();
    struct reader r = {.p = p, .left = n};
    struct event ev, again;
    struct errmsg e;
    struct buf out = {0};

    if (event_decode(&r, a, &ev, &e) == OK) {
        event_encode(&ev, &out);
        FUZZ_CHECK(out.len == n - r.left && !memcmp(out.data, p, out.len));
        struct reader back = {.p = out.data, .left = out.len};
        FUZZ_CHECK(event_decode(&back, a, &again, &e) == OK && !back.left);
        FUZZ_CHECK(ev.seq == again.seq && ev.hlc == again.hlc && !strcmp(ev.body, again.body));
    }
    buf_free(&out);
    arena_destroy(a);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    const struct event all[] = {
        {.origin = "331002003901",
         .seq = 1,
         .hlc = 1790000000000ULL << 16,
         .kind = "case.filed/1",
         .case_no = "331002003261124500008",
         .street = "331002003000",
         .actor = "",
         .body = "{\"item\":\"x\"}",
         .body_len = 12},
        {.origin = "331002003901.77",
         .seq = 900000,
         .hlc = 5,
         .kind = "case.granted/1",
         .case_no = "",
         .street = "331002003000",
         .actor = "agent.east",
         .body = "{}",
         .body_len = 2},
    };

    for (size_t i = 0; i < 2; i++) {
        struct buf b = {0};
        event_encode(&all[i], &b);
        give(b.data, b.len);
        buf_free(&b);
    }
}
