/* clean_text: what it gives, it leaves alone, and nothing of what misleads is in it. */
#include "base/buf.h"
#include "base/clean.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char *text = malloc(n + 1);

    FUZZ_CHECK(text);
    memcpy(text, p, n);
    text[n] = 0;
    for (int kind = CLEAN_LINE; kind <= CLEAN_NUMBER; kind++) {
        struct buf one = {0}, two = {0};
        if (clean_text((enum clean_kind)kind, text, &one) == CLEAN_GOOD) {
            const char *s = buf_text(&one);
            FUZZ_CHECK(strlen(s) == one.len && one.len <= n);
            FUZZ_CHECK(!one.len || (s[0] != ' ' && s[one.len - 1] != ' '));
            FUZZ_CHECK(kind == CLEAN_LINES || !strpbrk(s, "\r\n\t\x1b\x7f"));
            FUZZ_CHECK(!strstr(s, "\xe2\x80\xae") && !strstr(s, "\xe2\x80\x8b"));
            FUZZ_CHECK(clean_text((enum clean_kind)kind, s, &two) == CLEAN_GOOD);
            FUZZ_CHECK(two.len == one.len && (!two.len || !memcmp(two.data, one.data, two.len)));
        }
        buf_free(&one);
        buf_free(&two);
    }
    free(text);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static const char *const texts[] = {"\xe3\x80\x80\xe5\x91\xa8\xe2\x80\x8b\xe5\xa4\xa7\xc2\xa0",
                                        " 100 0000\xe2\x80\xac"
                                        "0009",
                                        "a\r\nb\rc\t",
                                        "\xf3\xa0\x84\x80",
                                        "\xe8\xbe\xbb\xf3\xa0\x84\x80",
                                        "\xc2\x85",
                                        "\xff"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        give(texts[i], strlen(texts[i]));
}
