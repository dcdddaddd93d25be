/* The layer under SQLite that gathers the writes of the log: few calls reach the disk, and what a
 * COMMIT promises holds as if each write had gone there by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "db/db.h"
#include "db/log_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[96];

/* ---- a disk that counts what is written to a log, and refuses it -------------------------------
 */

static sqlite3_vfs disk, *real_disk;
static sqlite3_io_methods log_methods;
static const sqlite3_io_methods *real_log;
static int writes, syncs;
static int64_t bytes, unsynced;
static int refuse_at; /* which write from now on; -1: none */
static int refuse_count, refuse_code;

static int count_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (refuse_at >= 0 && writes >= refuse_at && refuse_count) {
        refuse_count--;
        (void)real_log->xWrite(f, p, n / 2, at); /* a part of it is there */
        return refuse_code;
    }
    writes++;
    bytes += n;
    unsynced += n;
    return real_log->xWrite(f, p, n, at);
}

static int count_sync(sqlite3_file *f, int flags)
{
    syncs++;
    unsynced = 0;
    return real_log->xSync(f, flags);
}

static int open_counted(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret)
{
    int rc = real_disk->xOpen(real_disk, name, f, flags, ret);

    (void)v;
    if (rc == SQLITE_OK && flags & SQLITE_OPEN_WAL) {
        real_log = f->pMethods;
        log_methods = *real_log;
        log_methods.xWrite = count_write;
        log_methods.xSync = count_sync;
        f->pMethods = &log_methods;
    }
    return rc;
}

static void count_anew(void)
{
    writes = syncs = 0;
    bytes = 0;
    refuse_at = -1;
}

/* `count` writes behind the first n. */
static void refuse(int n, int count, int code)
{
    count_anew();
    refuse_at = n;
    refuse_count = count;
    refuse_code = code;
}

static int setup(void **state)
{
    (void)state;
    count_anew();
    strcpy(folder, "/tmp/doorstep-log-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a.db", folder);
    return 0;
}

static int teardown(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* ---- rows ------------------------------------------------------------------------------------ ----*/

/* Ten pages of cache: what a transaction changes beyond that is written before its COMMIT. */
static struct db *open_small(void)
{
    struct db *db;

    assert_int_equal(db_open(path, DB_WRITE, &db, NULL), OK);
    assert_int_equal(db_exec(db,
                             "PRAGMA cache_size=10;"
                             "CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, v TEXT NOT NULL)",
                             NULL),
                     OK);
    return db;
}

/* A row to a page. */
static enum err put(struct db *db, int first, int n, char c)
{
    char text[3001];
    enum err err = OK;

    memset(text, c, 3000);
    text[3000] = 0;
    for (int k = first; err == OK && k < first + n; k++) {
        struct stmt *st = db_stmt(db, "INSERT INTO t(k, v) VALUES($k, $v)");
        bind_int(st, "k", k);
        bind_text(st, "v", text);
        err = db_run(st, NULL);
    }
    return err;
}

/* Rows of this letter, all of whose bytes are. */
static int count(struct db *db, char c)
{
    struct stmt *st = db_stmt(db, "SELECT k, v FROM t WHERE substr(v, 1, 1) = $c ORDER BY k");
    char letter[2] = {c, 0};
    bool row;
    int n = 0;

    bind_text(st, "c", letter);
    for (;; n++) {
        assert_int_equal(db_step(st, &row, NULL), OK);
        if (!row)
            return n;
        assert_int_equal(strspn(col_text(st, 1), letter), strlen(col_text(st, 1)));
    }
}

/* What is there after the power failed at this moment: the files as they are, without the shared
 * memory. */
static struct db *open_copy(void)
{
    char command[600], copy[100];
    struct db *db;

    snprintf(copy, sizeof copy, "%s/copy.db", folder);
    snprintf(command, sizeof command, "rm -f %s*; cp %s %s && cp %s-wal %s-wal", copy, path, copy,
             path, copy);
    assert_int_equal(system(command), 0);
    assert_int_equal(db_open(copy, DB_WRITE, &db, NULL), OK);
    assert_int_equal(db_check(db, NULL), OK);
    return db;
}

static void assert_after_a_crash(char c, int n)
{
    struct db *db = open_copy();

    assert_int_equal(count(db, c), n);
    db_close(db);
}

/* ---- tests ----------------------------------------------------------------------------------- ----*/

static void few_calls(void **state)
{
    struct db *db = open_small();

    (void)state;
    assert_int_equal(db_exec(db, "PRAGMA cache_size=-8000", NULL), OK);
    count_anew();
    assert_int_equal(db_begin(db, NULL), OK);
    assert_int_equal(put(db, 1, 300, 'a'), OK);
    assert_int_equal(writes, 0);
    assert_int_equal(db_commit(db, NULL), OK);
    assert_true(bytes > 300 * 4120);
    assert_in_range(writes, 1, bytes / (LOG_VFS_BYTES - 4120) + 2);
    assert_int_equal(syncs, 1);
    assert_int_equal(unsynced, 0);
    count_anew();
    assert_int_equal(db_begin(db, NULL), OK);
    assert_int_equal(put(db, 301, 1, 'a'), OK);
    assert_int_equal(db_commit(db, NULL), OK);
    assert_int_equal(writes, 1);
    assert_int_equal(syncs, 1);
    assert_int_equal(unsynced, 0);
    assert_after_a_crash('a', 301);
    db_close(db);
}

static void a_reader_sees_a_commit_at_once(void **state)
{
    struct db *db = open_small(), *reader;

    (void)state;
    assert_int_equal(db_open(path, DB_READ, &reader, NULL), OK);
    for (int k = 1; k <= 60; k++) {
        assert_int_equal(db_begin(db, NULL), OK);
        assert_int_equal(put(db, k, 1, 'a'), OK);
        assert_int_equal(count(reader, 'a'), k - 1);
        assert_int_equal(db_commit(db, NULL), OK);
        assert_int_equal(count(reader, 'a'), k);
    }
    db_close(reader);
    db_close(db);
}

/* Every write of a transaction in turn: refused, torn, the transaction is gone, and stays gone when
 * the disk is well again. Then the same rows go in. */
static void refuse_each(int code, enum err expected)
{
    struct db *db = open_small();
    int n = 0;

    assert_int_equal(db_begin(db, NULL), OK);
    assert_int_equal(put(db, 1, 5, 'a'), OK);
    assert_int_equal(db_commit(db, NULL), OK);
    for (;; n++) {
        enum err err;
        assert_int_equal(db_begin(db, NULL), OK);
        refuse(n, 1, code);
        err = put(db, 6, 150, 'b');
        if (err == OK)
            err = db_commit(db, NULL);
        else
            db_rollback(db, NULL);
        if (!refuse_count)
            assert_int_equal(err, expected);
        if (err == OK)
            break;
        assert_after_a_crash('b', 0);
        assert_after_a_crash('a', 5);
        assert_int_equal(count(db, 'b'), 0);
        db_close(db);
        db = open_small();
        assert_int_equal(count(db, 'b'), 0);
        assert_int_equal(count(db, 'a'), 5);
        assert_int_equal(db_begin(db, NULL), OK); /* the log is a new one: give it its head */
        assert_int_equal(db_exec(db, "PRAGMA user_version=1", NULL), OK);
        assert_int_equal(db_commit(db, NULL), OK);
    }
    assert_true(n >= 4);
    assert_after_a_crash('b', 150);
    db_close(db);
}

static void a_full_disk_fails_the_commit(void **state)
{
    (void)state;
    refuse_each(SQLITE_FULL, ERR_FULL);
}

static void an_error_fails_the_commit(void **state)
{
    (void)state;
    refuse_each(SQLITE_IOERR_WRITE, ERR_IO);
}

/* Pages that left the cache before the COMMIT are read back, changed again, undone, and carried
 * into the file. */
static void more_than_the_cache_holds(void **state)
{
    struct db *db = open_small();

    (void)state;
    for (int round = 0; round < 3; round++) {
        count_anew();
        assert_int_equal(db_begin(db, NULL), OK);
        assert_int_equal(put(db, 1 + round * 1000, 200, 'a'), OK);
        assert_true(writes > 0);
        assert_int_equal(count(db, 'a'), 200 * (round + 1));
        assert_int_equal(db_savepoint(db), OK);
        assert_int_equal(put(db, 201 + round * 1000, 100, 'x'), OK);
        assert_int_equal(db_exec(db, "UPDATE t SET v = replace(v, 'a', 'x')", NULL), OK);
        assert_int_equal(count(db, 'a'), 0);
        assert_int_equal(db_undo(db), OK);
        assert_int_equal(count(db, 'x'), 0);
        assert_int_equal(count(db, 'a'), 200 * (round + 1));
        assert_int_equal(put(db, 201 + round * 1000, 15, 'b'), OK);
        assert_int_equal(db_commit(db, NULL), OK);
        assert_after_a_crash('b', 15 * (round + 1));
        assert_int_equal(db_checkpoint(db, NULL), OK); /* so that the log begins anew */
        assert_int_equal(db_check(db, NULL), OK);
        assert_after_a_crash('a', 200 * (round + 1));
    }
    db_close(db);
    db = open_small();
    assert_int_equal(db_check(db, NULL), OK);
    assert_int_equal(count(db, 'a') + count(db, 'b'), 645);
    db_close(db);
}

/* Where an undone transaction had been gathered, another connection writes. */
static void what_was_undone_is_dropped(void **state)
{
    struct db *db = open_small(), *other = open_small();

    (void)state;
    assert_int_equal(db_begin(db, NULL), OK);
    count_anew();
    assert_int_equal(put(db, 1, 20, 'a'), OK);
    assert_int_equal(writes, 0);
    assert_int_equal(db_rollback(db, NULL), OK);
    assert_int_equal(db_begin(other, NULL), OK);
    assert_int_equal(put(other, 1, 30, 'b'), OK);
    assert_int_equal(db_commit(other, NULL), OK);
    assert_int_equal(count(db, 'b'), 30);
    assert_int_equal(db_begin(db, NULL), OK);
    assert_int_equal(put(db, 31, 1, 'b'), OK);
    assert_int_equal(db_commit(db, NULL), OK);
    assert_int_equal(count(other, 'b'), 31);
    assert_after_a_crash('b', 31);
    db_close(db);
    db_close(other);
}

/* A statement reads a page that is only gathered, while the disk is full. SQLite undoes this
 * statement and no more; the transaction goes on, with the pages that it was told are written. */
static void a_refused_read_leaves_no_hole(void **state)
{
    struct db *db = open_small();

    (void)state;
    assert_int_equal(db_begin(db, NULL), OK);
    refuse(0, 1, SQLITE_FULL);
    assert_int_equal(put(db, 1, 18, 'a'), OK);
    assert_int_equal(refuse_count, 1);
    assert_int_equal(db_exec(db, "UPDATE t SET v = replace(v, 'a', 'x')", NULL), ERR_FULL);
    assert_int_equal(refuse_count, 0);
    assert_true(db_in_transaction(db));
    assert_int_equal(put(db, 19, 12, 'a'), OK);
    assert_int_equal(db_commit(db, NULL), OK);
    assert_int_equal(count(db, 'a'), 30);
    assert_after_a_crash('a', 30);
    /* and when it stays full, no COMMIT gets past it */
    assert_int_equal(db_begin(db, NULL), OK);
    refuse(0, 1000, SQLITE_FULL);
    assert_int_equal(put(db, 31, 20, 'b'), OK);
    assert_int_equal(db_exec(db, "UPDATE t SET v = replace(v, 'a', 'x')", NULL), ERR_FULL);
    assert_int_not_equal(db_in_transaction(db) ? db_commit(db, NULL) : ERR_FULL, OK);
    count_anew();
    assert_after_a_crash('a', 30);
    assert_after_a_crash('b', 0);
    assert_int_equal(count(db, 'a'), 30);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(few_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_sees_a_commit_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_fails_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_fails_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_the_cache_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_undone_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_read_leaves_no_hole, setup, teardown),
    };

    real_disk = sqlite3_vfs_find(NULL);
    disk = *real_disk;
    disk.zName = "counted";
    disk.xOpen = open_counted;
    sqlite3_vfs_register(&disk, 1);
    return cmocka_run_group_tests_name("db_log", tests, NULL, NULL);
}
