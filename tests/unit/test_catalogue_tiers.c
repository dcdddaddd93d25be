/* Who decides an item: of every version, also when a newer one has come before. */
#include "catalogue/items.h"
#include "db/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[64];
static struct db *db;
static struct errmsg msg;

static void good(enum err err)
{
    if (err != OK)
        fail_msg("%s: %s", err_name(err), msg.text);
}

static int setup(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof path, "/tmp/doorstep-tiers-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    good(db_open(path, DB_WRITE, &db, &msg));
    good(migrate(db, schema_migrations, schema_migration_count, &msg));
    good(db_begin(db, &msg));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    good(db_commit(db, &msg));
    db_close(db);
    return unlink(path);
}

/* As the fact comes: of the version, at the clock, with the tiers as JSON. */
static void publish(int version, uint64_t hlc, const char *decided_at)
{
    const struct fact_kind *k = NULL;
    struct json *record = NULL;
    char text[200];

    for (size_t i = 0; i < catalogue_facts.count; i++)
        if (!strcmp(catalogue_facts.kinds[i].kind, "item.published/1"))
            k = &catalogue_facts.kinds[i];
    assert_non_null(k);
    snprintf(text, sizeof text,
             "{\"code\":\"card\",\"decided_at\":%s,\"name\":\"x\",\"version\":%d}", decided_at,
             version);
    struct event ev = {.kind = k->kind, .hlc = hlc, .record = text, .record_len = strlen(text)};
    good(json_parse(text, strlen(text), &record, &msg));
    good(k->apply(NULL, db, &ev, record, NULL, &msg));
    json_free(record);
}

static void expect(const char *code, int version, const char *want)
{
    char got[ITEM_TIERS_BYTES];

    good(item_tiers(db, code, version, got, &msg));
    assert_string_equal(got, want);
}

static void an_older_version_is_known(void **state)
{
    (void)state;
    publish(1, 10, "[\"street\",\"community\"]");
    publish(3, 30, "[\"district\"]");
    publish(2, 20, "[\"street\",\"street\"]"); /* comes late */
    expect("card", 1, " street community ");
    expect("card", 2, " street ");
    expect("card", 3, " district ");
    expect("card", 4, "");
    expect("licence", 1, "");
}

static void of_one_version_the_newest_word_stands(void **state)
{
    (void)state;
    publish(1, 10, "[\"street\"]");
    publish(1, 12, "[\"community\"]");
    publish(1, 11, "[\"district\"]");
    expect("card", 1, " community ");
}

static void what_is_no_tier_decides_nothing(void **state)
{
    (void)state;
    publish(1, 10, "[\"village\",7]");
    publish(2, 10, "\"street\"");
    expect("card", 1, " ");
    expect("card", 2, " ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_older_version_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(of_one_version_the_newest_word_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_tier_decides_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
