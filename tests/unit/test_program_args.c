/* The command line: what is taken, and the sentence for what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "program/args.h"

#define KNOWN (ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_NAME) | ARGS_BIT(ARGS_JSON))

static struct args a;
static struct errmsg e;

static enum err read_words(char **argv)
{
    int n = 0;

    while (argv[n])
        n++;
    e.text[0] = 0;
    return args_read(n, argv, KNOWN, &a, &e);
}

#define READ(...) read_words((char *[]){"command", __VA_ARGS__, NULL})

static void options_and_words(void **state)
{
    (void)state;
    assert_int_equal(read_words((char *[]){"command", NULL}), OK);
    assert_null(a.value[ARGS_DATA]);
    assert_int_equal(a.word_count, 0);
    assert_int_equal(READ("--data", "d", "--name=n=m", "--json", "one", "two"), OK);
    assert_string_equal(a.value[ARGS_DATA], "d");
    assert_string_equal(a.value[ARGS_NAME], "n=m");
    assert_string_equal(a.value[ARGS_JSON], "");
    assert_null(a.value[ARGS_SITE]);
    assert_int_equal(a.word_count, 2);
    assert_string_equal(a.words[0], "one");
    assert_string_equal(a.words[1], "two");
    assert_int_equal(READ("--data=", "--name", "--json"), OK); /* a value is what stands behind */
    assert_string_equal(a.value[ARGS_DATA], "");
    assert_string_equal(a.value[ARGS_NAME], "--json");
    assert_null(a.value[ARGS_JSON]);
}

static void wrong_ones_are_named(void **state)
{
    (void)state;
    assert_int_equal(READ("--json", "--dta", "x"), ERR_INVALID);
    assert_string_equal(e.text, "unknown option --dta; this command knows --data= --name= --json");
    assert_int_equal(READ("--site", "x"), ERR_INVALID); /* of another command */
    assert_string_equal(e.text, "unknown option --site; this command knows --data= --name= --json");
    assert_int_equal(READ("--dat", "x"), ERR_INVALID); /* shortened */
    assert_string_equal(e.text, "unknown option --dat; this command knows --data= --name= --json");
    assert_int_equal(READ("--da=x"), ERR_INVALID);
    assert_int_equal(READ("--json=yes"), ERR_INVALID);
    assert_string_equal(e.text,
                        "unknown option --json=yes; this command knows --data= --name= --json");
    assert_int_equal(READ("-d"), ERR_INVALID);
    assert_string_equal(e.text, "unknown option -d; this command knows --data= --name= --json");
    assert_int_equal(READ("--json", "--data"), ERR_INVALID);
    assert_string_equal(e.text, "--data needs a value");
    assert_int_equal(READ("file", "--json"), ERR_INVALID);
    assert_string_equal(e.text, "options stand before files: --json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_words),
        cmocka_unit_test(wrong_ones_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
