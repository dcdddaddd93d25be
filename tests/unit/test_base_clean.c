/* One cleaning of texts: what goes, what is refused, what stays. */
#include "base/clean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void expect(enum clean_kind kind, const char *in, const char *out)
{
    struct buf b = {0};

    buf_puts(&b, "before:");
    assert_int_equal(clean_text(kind, in, &b), CLEAN_GOOD);
    assert_string_equal(buf_text(&b) + 7, out);
    buf_free(&b);
}

static void fault(enum clean_kind kind, const char *in, enum clean_fault why)
{
    struct buf b = {0};

    assert_int_equal(clean_text(kind, in, &b), why);
    buf_free(&b);
}

static void what_shows_nothing_goes(void **state)
{
    static const char *const nothing[] = {"",
                                          " ",
                                          "\xe3\x80\x80",
                                          "\xc2\xa0",
                                          "\xe2\x80\x8b",
                                          "\xef\xbb\xbf",
                                          "\xe2\x81\xa0",
                                          "\xc2\xad",
                                          "\xe3\x85\xa4",
                                          "\xe2\xa0\x80",
                                          " \xe3\x80\x80\xe2\x80\x8d\xc2\xa0",
                                          "\xf3\xa0\x84\x80",
                                          "\xef\xb8\x8f",
                                          "\xe2\x80\x8e",
                                          "\n\n",
                                          "\xf3\xa0\x81\x81"};

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        expect(CLEAN_LINE, nothing[i], "");
    expect(CLEAN_LINE, "\xe3\x80\x80林\xe2\x80\x8b海\xc2\xa0", "林海");
    expect(CLEAN_LINE,
           "甲\xe3\x80\x80路\xc2\xa0"
           "1",
           "甲 路 1");
    expect(CLEAN_LINE, "a\tb", "a b");
    /* an ideographic variation belongs to its character */
    expect(CLEAN_LINE, "\xe8\xbe\xbb\xf3\xa0\x84\x80", "\xe8\xbe\xbb\xf3\xa0\x84\x80");
    expect(CLEAN_LINE, "林\xf0\xa0\x85\xa4\xe4\xb6\xae\xe3\x9b\x83",
           "林\xf0\xa0\x85\xa4\xe4\xb6\xae\xe3\x9b\x83");
}

static void what_misleads_is_refused(void **state)
{
    (void)state;
    fault(CLEAN_LINE, "王\n编号 FAKE0001", CLEAN_CONTROL);
    fault(CLEAN_LINE, "王\r编号", CLEAN_CONTROL);
    fault(CLEAN_LINE, "王\xe2\x80\xa8编号", CLEAN_CONTROL);
    fault(CLEAN_LINE, "王\xc2\x85编号", CLEAN_CONTROL);
    fault(CLEAN_LINE, "a\x01", CLEAN_CONTROL);
    fault(CLEAN_LINE, "a\x7f", CLEAN_CONTROL);
    fault(CLEAN_LINES, "a\x1b[31m", CLEAN_CONTROL);
    fault(CLEAN_LINE,
          "\xe2\x80\xae"
          "100",
          CLEAN_TURNED);
    fault(CLEAN_LINES,
          "a\xe2\x81\xa6"
          "b",
          CLEAN_TURNED);
    fault(CLEAN_LINE, "\xff", CLEAN_NOT_UTF8);
    fault(CLEAN_LINE, "\xc0\xaf", CLEAN_NOT_UTF8);
    fault(CLEAN_LINE, "\xed\xa0\x80", CLEAN_NOT_UTF8);
    fault(CLEAN_LINE, "\xf4\x90\x80\x80", CLEAN_NOT_UTF8);
    fault(CLEAN_LINE, "\xe4\xb8", CLEAN_NOT_UTF8);
}

static void lines_and_numbers(void **state)
{
    (void)state;
    expect(CLEAN_LINES, " one\r\ntwo\rthree\n\n", "one\ntwo\nthree");
    expect(CLEAN_LINES, "a\tb", "a\tb");
    expect(CLEAN_NUMBER,
           " 100 0000\xc2\xa0"
           "0009\xe2\x80\xac",
           "10000000009");
    expect(CLEAN_NUMBER,
           "\xe2\x80\xad"
           "100\xe2\x80\x8b"
           "00000009\xe2\x80\xac",
           "10000000009");
    expect(CLEAN_NUMBER, "100\t00000009", "10000000009");
    fault(CLEAN_NUMBER, "100\n00000009", CLEAN_CONTROL);
}

static void wildcards_are_letters(void **state)
{
    struct buf b = {0};

    (void)state;
    clean_like("50%_a\\b", &b);
    assert_string_equal(buf_text(&b), "50\\%\\_a\\\\b");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_shows_nothing_goes), cmocka_unit_test(what_misleads_is_refused),
        cmocka_unit_test(lines_and_numbers), cmocka_unit_test(wildcards_are_letters)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
