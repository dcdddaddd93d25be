/* json_parse: what is accepted has one canonical form, which parses to itself. */
#include "base/json.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct json *a = NULL, *b = NULL;
    struct errmsg e;
    struct buf first = {0}, second = {0};

    if (json_parse((const char *)p, n, &a, &e) == OK) {
        json_canonical(a, &first);
        FUZZ_CHECK(json_parse((const char *)first.data, first.len, &b, &e) == OK);
        json_canonical(b, &second);
        FUZZ_CHECK(first.len == second.len && !memcmp(first.data, second.data, first.len));
    }
    json_free(a);
    json_free(b);
    buf_free(&first);
    buf_free(&second);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static const char *const all[] = {
        "{\"item\":\"birth\",\"n\":[1,-2,3.5e10,true,null],\"名\":\"周大海\\u20ac\\n\"}",
        "[]",
        "\"\\ud83d\\ude00\"",
        "{\"a\":{\"b\":{\"c\":[[[]]]}}}",
        "1e308",
        "-0",
        "9007199254740993",
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        give(all[i], strlen(all[i]));
}
