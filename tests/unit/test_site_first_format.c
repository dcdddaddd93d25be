/* A folder of the first released format (tests/fixtures/first-format): every later program reads it, and
 * folds it to the same rows. */
#include "base/crypto.h"
#include "base/text.h"
#include "db/migrate.h"
#include "dossiers/all.h"
#include "ledger/row.h"
#include "office/rebuild.h"
#include "site/folder.h"
#include "site/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define FIXTURE "tests/fixtures/first-format"
#define LINES_MAX 40

/* A line of the fixture's file `digest`: what is read of a table, in which order, and its SHA-256. Columns
 * that are added later do not count. */
struct line {
    char table[40], columns[400], key[120], digest[65];
};

static char dir[64];
static struct errmsg msg;
static struct line lines[LINES_MAX];
static int line_count, said;

static void good(enum err err)
{
    if (err != OK)
        fail_msg("%s: %s", err_name(err), msg.text);
}

/* ---- the folder -------------------------------------------------------------------------------*/

static int copy_of_fixture(void **state)
{
    char cmd[300];

    (void)state;
    strcpy(dir, "/tmp/doorstep-first-format-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(cmd, sizeof cmd, "cp -r " FIXTURE "/. %s && gunzip %s/doorstep.db.gz", dir, dir);
    return system(cmd);
}

static int remove_copy(void **state)
{
    char cmd[100];

    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static void open_folder(struct folder *f, struct db **db, struct office *o)
{
    good(folder_read(dir, f, &msg));
    good(folder_open_db(f, db, &msg));
    good(db_begin(*db, &msg));
    good(folder_office(f, o, *db, &msg));
}

static void close_folder(struct db *db, struct office *o)
{
    office_close(o);
    db_close(db);
}

/* ---- digests ----------------------------------------------------------------------------------*/

static void digest_rows(struct db *db, const struct line *l, char out[65])
{
    struct sha256 *h = sha256_create();
    unsigned char sum[32];
    char sql[700];
    int columns = 1;
    enum err err;
    bool row;

    for (const char *at = l->columns; *at; at++)
        columns += *at == ',';
    snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY %s /* full scan */", l->columns, l->table,
             l->key);
    struct stmt *st = db_stmt(db, sql);
    while ((err = db_step(st, &row, &msg)) == OK && row)
        for (int i = 0; i < columns; i++) {
            const char *text = col_text(st, i);
            sha256_update(h, text ? text : "\1", text ? strlen(text) + 1 : 2);
        }
    good(err);
    sha256_final(h, sum);
    sha256_destroy(h);
    hex_encode(sum, 32, out);
}

/* Every event as it goes over the wire: no program ever reads another one out of these rows. */
static void digest_events(struct db *db, char out[65])
{
    struct stmt *st = db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event ORDER BY origin, seq "
                                                               "/* full scan */");
    struct sha256 *h = sha256_create();
    unsigned char sum[32];
    enum err err;
    bool row;

    while ((err = db_step(st, &row, &msg)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        struct buf b = {0};
        event_encode(&ev, &b);
        sha256_update(h, b.data, b.len);
        buf_free(&b);
    }
    good(err);
    sha256_final(h, sum);
    sha256_destroy(h);
    hex_encode(sum, 32, out);
}

static void digest_of(struct db *db, const struct line *l, char out[65])
{
    if (text_is(l->table, "events"))
        digest_events(db, out);
    else
        digest_rows(db, l, out);
}

static void read_digests(void)
{
    FILE *f = fopen(FIXTURE "/digest", "r");
    char text[700];

    assert_non_null(f);
    for (line_count = 0; fgets(text, sizeof text, f); line_count++) {
        struct line *l = &lines[line_count];
        assert_true(line_count < LINES_MAX);
        assert_int_equal(sscanf(text, "%39[^\t]\t%399[^\t]\t%119[^\t]\t%64[0-9a-f]", l->table,
                                l->columns, l->key, l->digest),
                         4);
    }
    fclose(f);
    assert_true(line_count > 10);
}

static void expect_digests(struct db *db, const char *when)
{
    char found[65];

    for (int i = 0; i < line_count; i++) {
        digest_of(db, &lines[i], found);
        if (strcmp(found, lines[i].digest) != 0)
            fail_msg("%s: %s is not what it was: %s", when, lines[i].table, found);
    }
}

/* ---- tests ------------------------------------------------------------------------------------*/

static void count(const char *line)
{
    (void)line;
    said++;
}

static void it_verifies(void **state)
{
    struct folder f;

    (void)state;
    said = 0;
    good(folder_read(dir, &f, &msg));
    good(verify_site(&f, count, &msg));
    assert_int_equal(said, 4); /* ledger, personal parts, papers, projections */
}

static void it_is_read_as_it_was(void **state)
{
    struct folder f;
    struct office o;
    struct db *db;

    (void)state;
    read_digests();
    open_folder(&f, &db, &o);
    expect_digests(db, "as it lies");
    good(office_rebuild(&o, db, &msg));
    expect_digests(db, "folded again");
    close_folder(db, &o);
}

static void a_newer_schema_keeps_it(void **state)
{
    struct migration list[64];
    struct folder f;
    struct office o;
    struct db *db;
    char path[128];
    int version;

    (void)state;
    read_digests();
    assert_true(schema_migration_count < 63);
    memcpy(list, schema_migrations, sizeof *list * (size_t)schema_migration_count);
    list[schema_migration_count] =
        (struct migration){list[schema_migration_count - 1].version + 1, "of a later program",
                           "CREATE TABLE later (a TEXT NOT NULL);"
                           "ALTER TABLE case_file ADD COLUMN later TEXT NOT NULL DEFAULT '';"
                           "CREATE INDEX ticket_later ON ticket (called_ms)"};
    good(folder_read(dir, &f, &msg));
    snprintf(path, sizeof path, "%s/doorstep.db", dir);
    good(db_open(path, DB_WRITE, &db, &msg));
    good(migrate(db, list, schema_migration_count + 1, &msg));
    good(migrate_version(db, &version, &msg));
    assert_int_equal(version, list[schema_migration_count].version);
    good(db_begin(db, &msg));
    good(folder_office(&f, &o, db, &msg));
    expect_digests(db, "migrated");
    good(office_rebuild(&o, db, &msg));
    expect_digests(db, "migrated, and folded again");
    good(db_commit(db, &msg));
    close_folder(db, &o);
    /* And the program of before says so, instead of opening it. */
    assert_int_equal(folder_open_db(&f, &db, &msg), ERR_UNSUPPORTED);
}

static int64_t number(struct db *db, const char *sql)
{
    struct stmt *st = db_stmt(db, sql);
    bool row;

    good(db_step(st, &row, &msg));
    int64_t n = row ? col_int(st, 0) : -1;
    db_reset(st);
    return n;
}

/* The fixture holds what it is kept for. */
static void it_holds_something_of_everything(void **state)
{
    static const char *const some[] = {
        "event WHERE state = 'applied'",       "event WHERE state = 'unknown'",
        "event WHERE state = 'aside'",         "event WHERE state = 'denied'",
        "event WHERE personal IS NOT NULL",    "event WHERE signature IS NOT NULL",
        "event WHERE more IS NOT NULL",        "event WHERE flags % 2 = 1",
        "case_file WHERE custody_no = 3",      "case_file WHERE state = 'draft'",
        "case_file WHERE state = 'refused'",   "case_file WHERE state = 'withdrawn'",
        "certificate WHERE state = 'revoked'", "delivery WHERE state = 'in_transit'",
        "ticket WHERE state = 'finished'",     "ticket WHERE state = 'passed'",
        "ticket WHERE state = 'left'",         "repair",
        "site WHERE ended = 'revoked'",        "document WHERE state = 'here'",
    };
    struct folder f;
    struct office o;
    struct db *db;
    char sql[200];

    (void)state;
    open_folder(&f, &db, &o);
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s /* full scan */", some[i]);
        if (number(db, sql) < 1)
            fail_msg("the fixture has no %s", some[i]);
    }
    close_folder(db, &o);
}

/* ---- making it --------------------------------------------------------------------------------*/

static void print_table(struct db *db, const char *table, const char *columns, const char *key)
{
    struct line l;

    COPY_TEXT(l.table, table);
    COPY_TEXT(l.columns, columns);
    COPY_TEXT(l.key, key);
    digest_of(db, &l, l.digest);
    printf("%s\t%s\t%s\t%s\n", l.table, l.columns, l.key, l.digest);
}

/* --digest: for make-first-format.mjs. */
static int print_digests(void)
{
    struct folder f;
    struct office o;
    struct db *db;

    if (copy_of_fixture(NULL) != 0)
        return 1;
    open_folder(&f, &db, &o);
    print_table(db, "events", "as encoded", "origin, seq");
    print_table(db, "event", "origin, seq, state, reason", "origin, seq");
    for (size_t g = 0; g < all_work.group_count; g++)
        for (size_t i = 0; i < all_work.groups[g]->table_count; i++) {
            const struct projection *p = &all_work.groups[g]->tables[i];
            print_table(db, p->table, p->columns, p->key);
        }
    for (size_t t = 0; t < all_work.type_count; t++)
        for (size_t i = 0; i < all_work.types[t]->table_count; i++) {
            const struct projection *p = &all_work.types[t]->tables[i];
            print_table(db, p->table, p->columns, p->key);
        }
    close_folder(db, &o);
    return remove_copy(NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_verifies, copy_of_fixture, remove_copy),
        cmocka_unit_test_setup_teardown(it_is_read_as_it_was, copy_of_fixture, remove_copy),
        cmocka_unit_test_setup_teardown(a_newer_schema_keeps_it, copy_of_fixture, remove_copy),
        cmocka_unit_test_setup_teardown(it_holds_something_of_everything, copy_of_fixture,
                                        remove_copy),
    };
    json_use_arenas();
    if (argc > 1 && text_is(argv[1], "--digest"))
        return print_digests();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
