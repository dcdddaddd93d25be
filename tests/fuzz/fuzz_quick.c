/* json_quick: what the quick reader takes, jansson takes too, and both make the same of it. */
#include "base/json_quick.h"
#include "fuzz.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    json_t *quick = json_quick((const char *)p, n, 64), *other;

    if (!quick)
        return 0;
    other = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(other && json_equal(quick, other));
    json_decref(quick);
    json_decref(other);
    return 0;
}

void fuzz_seeds(void (*give)(const void *p, size_t n))
{
    static const char *const all[] = {
        "{\"a\":\"x\\ny\",\"b\":[1,-2,0,123456789012345678],\"c\":{\"d\":null,\"e\":true,\"f\":"
        "false},\"名\":\"周大海\"}",
        "[[],{},\"\"]",
        "[\"abcdefghijklmnopqrstuvw\",\"abcdefghij\\\"klmnopq\\\\rstuvwxyz\","
        "\"0123456789周大海0123456789\"]",
        "\"\\\\\\\"\"",
        "0",
        "-1",
        "{\"b\":1,\"a\":2}",
        "{\"a\":1,\"a\":2}",
        "[1,]",
        "{\"a\" :1}",
        "\"\xed\xa0\x80\"",
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        give(all[i], strlen(all[i]));
}
