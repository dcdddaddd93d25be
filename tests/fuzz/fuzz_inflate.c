/* inflater_run: never more than it was allowed, whatever the bytes (a deflate bomb). */
#include "base/deflate.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct inflater *i = inflater_create("case.filed/1", 12);
    struct buf out = {0};
    enum err err = inflater_run(i, p, n, &out, 4096);

    FUZZ_CHECK(err != OK || out.len <= 4096);
    buf_free(&out);
    inflater_destroy(i);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static char zeros[60000];
    const char *const texts[] = {"case.filed/1 case.filed/1", ""};
    struct deflater *d = deflater_create(9, "case.filed/1", 12);
    struct buf out = {0};

    for (int i = 0; i < 2; i++) {
        buf_reset(&out);
        deflater_run(d, texts[i], strlen(texts[i]), &out);
        give(out.data, out.len);
    }
    buf_reset(&out);
    deflater_run(d, zeros, sizeof zeros, &out);
    give(out.data, out.len);
    buf_free(&out);
    deflater_destroy(d);
}
