/* event_decode: what is accepted encodes to the same bytes, and has the same sums. */
#include "fuzz.h"
#include "ledger/event.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_create();
    struct reader r = {.p = p, .left = n};
    struct event ev, again;
    struct event_sum sum, made;
    struct errmsg e;
    struct buf out = {0};

    if (event_decode(&r, a, &ev, &sum, &e) == OK) {
        event_encode(&ev, &out);
        FUZZ_CHECK(out.len == n - r.left && !memcmp(out.data, p, out.len));
        struct reader back = {.p = out.data, .left = out.len};
        FUZZ_CHECK(event_decode(&back, a, &again, NULL, &e) == OK && !back.left);
        FUZZ_CHECK(ev.seq == again.seq && ev.hlc == again.hlc && ev.form == again.form &&
                   !strcmp(ev.record, again.record));
        FUZZ_CHECK(ev.record_len + ev.personal_len <= EVENT_TEXT_BYTES_MAX);
        again = event_copy(&ev, a);
        event_sum(&again, &made);
        FUZZ_CHECK(!memcmp(made.core, sum.core, 32) && !memcmp(made.personal, sum.personal, 32));
    }
    buf_free(&out);
    arena_destroy(a);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static const unsigned char bytes[64] =
        "sixty-four bytes that stand for salt, digest and signature";
    const struct event all[] = {
        {.origin = "331002003901",
         .seq = 1,
         .hlc = 1790000000000ULL << 16,
         .kind = "case.filed/1",
         .dossier = "331002003261124500008",
         .street = "331002003000",
         .actor = "",
         .flags = EVENT_PERSONAL,
         .form = EVENT_FORM_HERE,
         .record = "{\"item\":\"x\"}",
         .record_len = 12,
         .personal = "{\"name\":\"x\"}",
         .personal_len = 12,
         .salt = bytes},
        {.origin = "331002003901.77",
         .seq = 900000,
         .hlc = 5,
         .kind = "case.granted/1",
         .dossier = "",
         .street = "331002003000",
         .actor = "agent.east",
         .record = "{}",
         .record_len = 2},
        {.origin = "331002000000",
         .seq = 300,
         .hlc = 1,
         .kind = "dossier.forgotten/1",
         .dossier = "q331002003260105A012",
         .street = "331002003000",
         .actor = "",
         .flags = EVENT_CRITICAL | EVENT_SIGNED | EVENT_PERSONAL,
         .form = EVENT_FORM_DIGEST,
         .record = "{}",
         .record_len = 2,
         .more = bytes,
         .more_len = 9,
         .personal_digest = bytes,
         .signature = bytes},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct buf b = {0};
        event_encode(&all[i], &b);
        give(b.data, b.len);
        buf_free(&b);
    }
}
