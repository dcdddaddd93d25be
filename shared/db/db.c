/* SQLite behind a small strict face. What the header calls a wrong program asserts here. */
#include "db/inside.h"

#include "base/mem.h"
#include "db/log_vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 5000

/* ---- connection -------------------------------------------------------------------------------*/

static enum err use_wal(struct db *db, struct errmsg *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->h, "PRAGMA journal_mode=WAL", -1, &st, NULL);
    enum err err;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    err = db_fail(db, rc, e);
    if (rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "wal")) {
        errmsg_set(e, "this file system does not carry a write-ahead log");
        err = ERR_UNSUPPORTED;
    }
    sqlite3_finalize(st);
    return err;
}

/* Nobody asks SQLite how much memory it has; counting takes a lock at each allocation. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum err db_open(const char *path, enum db_mode mode, struct db **ret, struct errmsg *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct db *db = mem_alloc(sizeof *db);
    int flags =
        mode == DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
    enum err err;
    int rc;

    pthread_once(&once, configure);
    db->mode = mode;
    db->path = mem_strdup(path);
    rc = sqlite3_open_v2(path, &db->h, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                         log_vfs_name());
    if (!db->h) {
        fputs("out of memory\n", stderr);
        abort();
    }
    if ((err = db_fail(db, rc, e)) != OK)
        goto fail;
    sqlite3_busy_timeout(db->h, BUSY_MS);
    /* A reader opens the file writable too, since WAL needs its shared memory; query_only keeps it
     * from writing. */
    err = use_wal(db, e);
    if (err == OK)
        err = db_exec(db,
                      "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                      "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; "
                      "PRAGMA wal_autocheckpoint=4000;",
                      e);
    if (err == OK && mode == DB_READ)
        err = db_exec(db, "PRAGMA query_only=ON", e);
    if (err != OK)
        goto fail;
    *ret = db;
    return OK;
fail:
    errmsg_wrap(e, "open %s", path);
    db_close(db);
    return err;
}

void db_close(struct db *db)
{
    int rc;

    if (!db)
        return;
    for (int i = 0; i < BUCKETS; i++) {
        while (db->bucket[i]) {
            struct stmt *st = db->bucket[i];
            db->bucket[i] = st->next;
            sqlite3_finalize(st->st);
            mem_free(st->sql);
            mem_free(st);
        }
    }
    rc = sqlite3_close(db->h);
    assert(rc == SQLITE_OK);
    mem_free(db->path);
    mem_free(db);
}

const char *db_path(struct db *db)
{
    return db->path;
}

enum err db_exec(struct db *db, const char *sql, struct errmsg *e)
{
    int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

    return db_fail(db, rc, e);
}

/* ---- transactions -----------------------------------------------------------------------------*/

static void reset_all(struct db *db)
{
    for (int i = 0; db->running && i < BUCKETS; i++)
        for (struct stmt *st = db->bucket[i]; st; st = st->next)
            if (st->running)
                db_reset(st);
}

/* A statement that begins or ends something: prepared once like all others. */
static enum err control(struct db *db, const char *sql, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);
    int rc = st->st ? sqlite3_step(st->st) : stmt_prepare(st);
    enum err err = db_fail(db, rc, e);

    assert(!st->running);
    db_reset(st);
    return err == OK && rc != SQLITE_DONE ? ERR_BUSY : err;
}

enum err db_begin(struct db *db, struct errmsg *e)
{
    assert(!db_in_transaction(db));
    db->depth = 0;
    enum err err = control(db, db->mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", e);
    db->begun = err == OK;
    return err;
}

enum err db_commit(struct db *db, struct errmsg *e)
{
    enum err err;

    reset_all(db);
    assert(db->begun && !db->running);
    db->begun = false;
    if (!db_in_transaction(db)) {
        errmsg_set(e, "database: the transaction was lost");
        return ERR_IO;
    }
    err = control(db, "COMMIT", e);
    if (err != OK)
        (void)db_rollback(db, NULL);
    db->depth = 0;
    return err;
}

enum err db_rollback(struct db *db, struct errmsg *e)
{
    reset_all(db);
    db->depth = 0;
    db->begun = false;
    return db_in_transaction(db) ? control(db, "ROLLBACK", e) : OK;
}

int db_depth(struct db *db)
{
    return db->depth;
}

void db_reset_all(struct db *db)
{
    reset_all(db);
}

/* The levels that occur have their statements prepared; a deeper one would be a program gone wrong.
 */
static enum err savepoint_do(struct db *db, const char *const sql[SAVEPOINTS_MAX], int level)
{
    if (!db_in_transaction(db))
        return ERR_IO;
    assert(level >= 1 && level <= SAVEPOINTS_MAX);
    return control(db, sql[level - 1], NULL);
}

enum err db_savepoint(struct db *db)
{
    static const char *const sql[] = {"SAVEPOINT s1", "SAVEPOINT s2", "SAVEPOINT s3",
                                      "SAVEPOINT s4"};
    enum err err = savepoint_do(db, sql, db->depth + 1);

    if (err == OK)
        db->depth++;
    return err;
}

enum err db_release(struct db *db)
{
    static const char *const sql[] = {"RELEASE s1", "RELEASE s2", "RELEASE s3", "RELEASE s4"};

    assert(db->depth > 0);
    return savepoint_do(db, sql, db->depth--);
}

enum err db_undo(struct db *db)
{
    static const char *const sql[] = {"ROLLBACK TO s1", "ROLLBACK TO s2", "ROLLBACK TO s3",
                                      "ROLLBACK TO s4"};

    assert(db->depth > 0);
    enum err err = savepoint_do(db, sql, db->depth);
    return err == OK ? db_release(db) : err;
}

/* ---- the whole file ---------------------------------------------------------------------------*/

enum err db_check(struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "PRAGMA integrity_check(1)");
    enum err err;
    bool row;

    err = db_step(st, &row, e);
    assert(err != OK || row);
    if (err == OK && strcmp(col_text(st, 0), "ok")) {
        errmsg_set(e, "database: %s", col_text(st, 0));
        err = ERR_CORRUPT;
    }
    db_reset(st);
    return err;
}

static enum err sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC), rc;

    if (fd < 0)
        return ERR_IO;
    rc = fsync(fd);
    close(fd);
    return rc ? ERR_IO : OK;
}

/* VACUUM INTO reads one snapshot; the new file and its folder are synced here. */
enum err db_copy_to(struct db *db, const char *path, struct errmsg *e)
{
    sqlite3_stmt *st = NULL;
    char *folder, *slash;
    enum err err;
    int rc;

    if (access(path, F_OK) == 0) {
        errmsg_set(e, "%s is there already", path);
        return ERR_CONFLICT;
    }
    rc = sqlite3_prepare_v2(db->h, "VACUUM INTO $path", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(st, 1, path, -1, SQLITE_TRANSIENT);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    err = db_fail(db, rc, e);
    sqlite3_finalize(st);
    if (err != OK)
        goto fail;
    folder = mem_strdup(path);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    err = sync_path(path, O_RDONLY);
    if (err == OK)
        err = sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
    mem_free(folder);
    if (err == OK)
        return OK;
    errmsg_set(e, "sync %s: %m", path);
fail:
    errmsg_wrap(e, "copy database");
    unlink(path);
    return err;
}

/* ---- log --------------------------------------------------------------------------------------*/

static int log_grown(void *arg, sqlite3 *h, const char *name, int pages)
{
    struct db *db = arg;

    (void)h;
    (void)name;
    db->on_log(db->on_log_arg, pages);
    return SQLITE_OK;
}

void db_on_log(struct db *db, void (*fn)(void *arg, int pages), void *arg)
{
    assert(fn && db->mode == DB_WRITE);
    db->on_log = fn;
    db->on_log_arg = arg;
    sqlite3_wal_hook(db->h, log_grown, db);
}

enum err db_checkpoint(struct db *db, struct errmsg *e)
{
    int rc = sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ? OK : db_fail(db, rc, e);
}

enum err db_checkpoint_all(struct db *db, struct errmsg *e)
{
    int waited = 0, frames, rc;

    /* SQLite waits for readers and writers by itself, but not for another who carries back: then it
     * has not looked at the log. */
    while (rc = sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_RESTART, &frames, NULL),
           (rc & 0xff) == SQLITE_BUSY && frames < 0 && waited < BUSY_MS)
        waited += sqlite3_sleep(10);
    return db_fail(db, rc, e);
}
