/* The same person and item again: found across weeks. */
#include "dossiers/case/duplicates.h"
#include "db/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define DAY_MS 86400000LL
#define NOW (1790000000000LL)
#define WHO "339900198506130110"

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
    snprintf(path, sizeof path, "/tmp/doorstep-duplicates-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    good(db_open(path, DB_WRITE, &db, &msg));
    good(migrate(db, schema_migrations, schema_migration_count, &msg));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    db_close(db);
    return unlink(path);
}

static void put(const char *no, const char *id, const char *item, int64_t filed_ms, const char *as)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO case_file (street, case_no, item, item_name, item_name_en, applicant_name, "
        "applicant_id, community, filed_at, custodian, custody_no, held, state, filed_ms, "
        "promised_ms, completed_ms, trips_saved, person) "
        "VALUES ('331002003000', $1, $2, '', '', '', $3, '', '', '', 1, '', $4, $5, 0, 0, 0, $6)");

    bind_text(st, 1, no);
    bind_text(st, 2, item);
    bind_text(st, 3, id);
    bind_text(st, 4, as);
    bind_int(st, 5, filed_ms);
    bind_int(st, 6, person_key(id, filed_ms));
    good(db_run(st, &msg));
}

static void expect(const char *id, const char *item, int64_t from_ms, int64_t to_ms,
                   const char *but, const char *want)
{
    struct json *list = json_array();
    struct buf got = {0};

    good(duplicates_find(db, id, item, from_ms, to_ms, but, list, &msg));
    for (size_t i = 0; i < json_count(list); i++)
        buf_printf(&got, "%s ", json_value_text(json_at(list, i)));
    assert_string_equal(buf_text(&got), want);
    buf_free(&got);
    json_free(list);
}

static void the_same_person_and_item(void **state)
{
    (void)state;
    good(db_begin(db, &msg));
    put("a", WHO, "card", NOW - DUPLICATE_MS, "completed");     /* the first day that counts */
    put("b", WHO, "card", NOW - DUPLICATE_MS - 1, "completed"); /* too old */
    put("c", WHO, "card", NOW - 70 * DAY_MS, "submitted");
    put("d", WHO, "licence", NOW - 60 * DAY_MS, "submitted"); /* another item */
    put("e", WHO, "card", NOW - 50 * DAY_MS, "withdrawn");
    put("f", WHO, "card", NOW - 40 * DAY_MS, "refused");
    put("g", "339900198506130129", "card", NOW - 30 * DAY_MS, "submitted"); /* born the same day */
    put("h", "559900198506130110", "card", NOW - 30 * DAY_MS,
        "submitted"); /* the same digits, another region */
    put("i", WHO, "card", NOW, "submitted");
    put("j", WHO, "card", NOW + 1, "submitted");
    expect(WHO, "card", NOW - DUPLICATE_MS, NOW, "", "i c a ");
    expect(WHO, "card", NOW - DUPLICATE_MS, NOW, "i", "c a ");
    expect(WHO, "card", NOW - DUPLICATE_MS, NOW + 1, "", "j i c a ");
    expect(WHO, "licence", NOW - DUPLICATE_MS, NOW, "", "d ");
    expect("339900198506130129", "card", NOW - DUPLICATE_MS, NOW, "", "g ");
    good(db_commit(db, &msg));
}

static void five_at_most_the_newest_first(void **state)
{
    char no[4];

    (void)state;
    good(db_begin(db, &msg));
    for (int i = 0; i < 26; i++) {
        snprintf(no, sizeof no, "%c", 'a' + i);
        put(no, WHO, "card", NOW - i * 7 * DAY_MS, "submitted");
    }
    expect(WHO, "card", NOW - DUPLICATE_MS, NOW, "", "a b c d e ");
    expect(WHO, "card", NOW - DUPLICATE_MS, NOW - 140 * DAY_MS, "", "u v w x y ");
    expect(WHO, "card", NOW - DUPLICATE_MS, NOW - 175 * DAY_MS, "", "z ");
    good(db_commit(db, &msg));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_person_and_item, setup, teardown),
        cmocka_unit_test_setup_teardown(five_at_most_the_newest_first, setup, teardown),
    };
    json_use_arenas();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
