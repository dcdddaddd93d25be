/* The parts of the calls that need no request: kinds of file, checksums, pauses, languages, paths.
 */
#include "catalogue/filetype.h"
#include "api/guard.h"
#include "api/reply.h"
#include "api/static.h"
#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void kinds_by_content(void **state)
{
    (void)state;
    assert_string_equal(filetype_of((const unsigned char *)"%PDF-1.7", 8), "application/pdf");
    assert_string_equal(filetype_of((const unsigned char *)"\xff\xd8\xff\xe0", 4), "image/jpeg");
    assert_null(filetype_of((const unsigned char *)"MZ this is no picture", 21));
    assert_null(filetype_of((const unsigned char *)"\xff\xd8", 2));
    assert_null(filetype_of((const unsigned char *)"", 0));
}

static void guard_pauses_and_forgets(void **state)
{
    (void)state;
    struct guard *g = guard_create();
    for (int i = 0; i < GUARD_FREE_TRIES - 1; i++)
        guard_failed(g, "clerk", "127.0.0.1", 1000);
    assert_int_equal(guard_wait_ms(g, "clerk", "127.0.0.1", 1000), 0);
    guard_failed(g, "clerk", "127.0.0.1", 1000);
    assert_int_equal(guard_wait_ms(g, "clerk", "127.0.0.1", 1000), GUARD_PAUSE_MS);
    assert_int_equal(guard_wait_ms(g, "clerk", "127.0.0.2", 1000), 0);
    assert_int_equal(guard_wait_ms(g, "clerk", "127.0.0.1", 1000 + GUARD_PAUSE_MS), 0);
    guard_failed(g, "clerk", "127.0.0.1", 2000);
    assert_int_equal(guard_wait_ms(g, "clerk", "127.0.0.1", 2000), 2 * GUARD_PAUSE_MS);
    guard_passed(g, "clerk", "127.0.0.1");
    assert_int_equal(guard_wait_ms(g, "clerk", "127.0.0.1", 2000), 0);
    guard_destroy(g);
}

static void language_of_the_reader(void **state)
{
    (void)state;
    assert_false(reply_english(NULL));
    assert_false(reply_english("zh-CN"));
    assert_false(reply_english("zh-CN,zh;q=0.9,en;q=0.8"));
    assert_false(reply_english("fr"));
    assert_true(reply_english("en-US,en;q=0.9"));
    assert_true(reply_english("en, zh;q=0.5"));
}

static void problem_shape(void **state)
{
    (void)state;
    struct problem p;
    problem_set(&p, 409, "transition", "action", NULL, "accept", "不能受理", "Cannot accept");
    problem_allow(&p, "withdraw");
    struct json *o = reply_problem_json(&p, true);
    assert_string_equal(json_get_text(o, "detail"), "Cannot accept");
    assert_int_equal(json_get_int(o, "status", 0), 409);
    assert_int_equal(json_count(json_get(o, "allowed")), 1);
    assert_non_null(json_get_text(o, "title"));
    json_free(o);
}

static void pages_by_path(void **state)
{
    (void)state;
    static const struct web_file file[] = {
        {.path = "/a.js"}, {.path = "/index.html"}, {.path = "/z"}};
    assert_ptr_equal(static_find(file, 3, "/"), &file[1]);
    assert_ptr_equal(static_find(file, 3, "/z"), &file[2]);
    assert_null(static_find(file, 3, "/b"));
    assert_null(static_find(file, 0, "/"));
    assert_true(static_accepts("gzip, deflate, br", "br"));
    assert_false(static_accepts("gzip, br;q=0", "br"));
    assert_false(static_accepts(NULL, "br"));
    assert_true(static_path_safe("/a/b.html"));
    assert_false(static_path_safe("/../etc/passwd"));
    assert_false(static_path_safe("/.git/config"));
    assert_false(static_path_safe("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_by_content),       cmocka_unit_test(guard_pauses_and_forgets),
        cmocka_unit_test(language_of_the_reader), cmocka_unit_test(problem_shape),
        cmocka_unit_test(pages_by_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
