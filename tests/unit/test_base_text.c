/* One cleaning of texts: what goes, what is refused, what stays. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void expect(enum text_kind kind, const char *in, const char *out)
{
    struct buf b = {0};

    buf_puts(&b, "before:");
    assert_int_equal(text_clean(kind, in, &b), TEXT_GOOD);
    assert_string_equal(buf_text(&b) + 7, out);
    buf_free(&b);
}

static void fault(enum text_kind kind, const char *in, enum text_fault why)
{
    struct buf b = {0};

    assert_int_equal(text_clean(kind, in, &b), why);
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
        expect(TEXT_LINE, nothing[i], "");
    expect(TEXT_LINE, "\xe3\x80\x80林\xe2\x80\x8b海\xc2\xa0", "林海");
    expect(TEXT_LINE,
           "甲\xe3\x80\x80路\xc2\xa0"
           "1",
           "甲 路 1");
    expect(TEXT_LINE, "a\tb", "a b");
    /* an ideographic variation belongs to its character */
    expect(TEXT_LINE, "\xe8\xbe\xbb\xf3\xa0\x84\x80", "\xe8\xbe\xbb\xf3\xa0\x84\x80");
    expect(TEXT_LINE, "林\xf0\xa0\x85\xa4\xe4\xb6\xae\xe3\x9b\x83",
           "林\xf0\xa0\x85\xa4\xe4\xb6\xae\xe3\x9b\x83");
}

static void what_misleads_is_refused(void **state)
{
    (void)state;
    fault(TEXT_LINE, "王\n编号 FAKE0001", TEXT_CONTROL);
    fault(TEXT_LINE, "王\r编号", TEXT_CONTROL);
    fault(TEXT_LINE, "王\xe2\x80\xa8编号", TEXT_CONTROL);
    fault(TEXT_LINE, "王\xc2\x85编号", TEXT_CONTROL);
    fault(TEXT_LINE, "a\x01", TEXT_CONTROL);
    fault(TEXT_LINE, "a\x7f", TEXT_CONTROL);
    fault(TEXT_LINES, "a\x1b[31m", TEXT_CONTROL);
    fault(TEXT_LINE,
          "\xe2\x80\xae"
          "100",
          TEXT_TURNED);
    fault(TEXT_LINES,
          "a\xe2\x81\xa6"
          "b",
          TEXT_TURNED);
    fault(TEXT_LINE, "\xff", TEXT_NOT_UTF8);
    fault(TEXT_LINE, "\xc0\xaf", TEXT_NOT_UTF8);
    fault(TEXT_LINE, "\xed\xa0\x80", TEXT_NOT_UTF8);
    fault(TEXT_LINE, "\xf4\x90\x80\x80", TEXT_NOT_UTF8);
    fault(TEXT_LINE, "\xe4\xb8", TEXT_NOT_UTF8);
}

static void lines_and_numbers(void **state)
{
    (void)state;
    expect(TEXT_LINES, " one\r\ntwo\rthree\n\n", "one\ntwo\nthree");
    expect(TEXT_LINES, "a\tb", "a\tb");
    expect(TEXT_NUMBER,
           " 100 0000\xc2\xa0"
           "0009\xe2\x80\xac",
           "10000000009");
    expect(TEXT_NUMBER,
           "\xe2\x80\xad"
           "100\xe2\x80\x8b"
           "00000009\xe2\x80\xac",
           "10000000009");
    fault(TEXT_NUMBER, "100\n00000009", TEXT_CONTROL);
}

static void wildcards_are_letters(void **state)
{
    struct buf b = {0};

    (void)state;
    text_like("50%_a\\b", &b);
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
