/* SQLite behind a small strict face. What the header calls a wrong program asserts here. */
#include "db/db.h"

#include "base/mem.h"
#include "db/log_vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARAMS_MAX 20 /* with a number for a name */

struct stmt {
    struct stmt *next; /* in the same bucket */
    struct db *db;
    sqlite3_stmt *st;
    char *sql;
    bool running; /* in the middle of its rows */
    int index[PARAMS_MAX + 1]; /* of the parameter "$n", else n */
};

#define BUCKETS 256
#define RECENT 512
#define SAVEPOINTS_MAX 4

struct db {
    sqlite3 *h;
    enum db_mode mode;
    char *path;
    int depth; /* savepoints open */
    bool begun; /* by db_begin(); SQLite ends a transaction by itself when a read or a write fails */
    int running; /* statements in the middle of their rows */
    struct stmt *bucket[BUCKETS];
    struct stmt *recent[RECENT]; /* by the address of the text: saves hashing it; the text is compared all the same */
    void (*on_log)(void *arg, int pages);
    void *on_log_arg;
};

/* ---- errors --------------------------------------------------------------------------------- */

static enum err err_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}

static enum err fail(struct db *db, int rc, struct errmsg *e)
{
    enum err err = err_of(rc);

    if (err == OK)
        return OK;
    if ((rc & 0xff) == SQLITE_NOMEM) {
        fputs("out of memory\n", stderr);
        abort();
    }
    errmsg_set(e, "database: %s", sqlite3_errmsg(db->h));
    return err;
}

/* A mistake in the SQL is a mistake in the program. */
static void check_sql(struct db *db, int rc, const char *sql)
{
    if (rc != SQLITE_ERROR && rc != SQLITE_MISUSE && rc != SQLITE_RANGE)
        return;
    fprintf(stderr, "database: %s in: %s\n", sqlite3_errmsg(db->h), sql);
    abort();
}

/* ---- connection ----------------------------------------------------------------------------- */

static enum err use_wal(struct db *db, struct errmsg *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->h, "PRAGMA journal_mode=WAL", -1, &st, NULL);
    enum err err;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    err = fail(db, rc, e);
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
    if ((err = fail(db, rc, e)) != OK)
        goto fail;
    sqlite3_busy_timeout(db->h, 5000);
    /* A reader opens the file writable too, since WAL needs its shared memory; query_only keeps it
     * from writing. */
    err = use_wal(db, e);
    if (err == OK)
        err = db_exec(db,
                      "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                      "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=4000;",
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

    return fail(db, rc, e);
}

/* ---- transactions --------------------------------------------------------------------------- */

static int prepare(struct stmt *st);

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
    int rc = st->st ? sqlite3_step(st->st) : prepare(st);
    enum err err = fail(db, rc, e);

    db_reset(st);
    return err == OK && rc != SQLITE_DONE ? ERR_BUSY : err;
}

bool db_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(db->h);
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

/* The levels that occur have their statements prepared; a deeper one would be a program gone wrong. */
static enum err savepoint_do(struct db *db, const char *const sql[SAVEPOINTS_MAX], int level)
{
    if (!db_in_transaction(db))
        return ERR_IO;
    assert(level >= 1 && level <= SAVEPOINTS_MAX);
    return control(db, sql[level - 1], NULL);
}

enum err db_savepoint(struct db *db)
{
    static const char *const sql[] = {"SAVEPOINT s1", "SAVEPOINT s2", "SAVEPOINT s3", "SAVEPOINT s4"};
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
    static const char *const sql[] = {"ROLLBACK TO s1", "ROLLBACK TO s2", "ROLLBACK TO s3", "ROLLBACK TO s4"};

    assert(db->depth > 0);
    enum err err = savepoint_do(db, sql, db->depth);
    return err == OK ? db_release(db) : err;
}

/* ---- statements ----------------------------------------------------------------------------- */

static unsigned bucket_of(const char *sql)
{
    unsigned h = 2166136261u;

    for (; *sql; sql++)
        h = (h ^ (unsigned char)*sql) * 16777619u;
    return h % BUCKETS;
}

/* Not OK: the world failed (I/O, a busy schema); the statement stays empty and can be tried again.
 */
static int prepare(struct stmt *st)
{
    int rc = sqlite3_prepare_v3(st->db->h, st->sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL);

    check_sql(st->db, rc & 0xff, st->sql);
    if (rc != SQLITE_OK)
        st->st = NULL;
    for (int n = 1; st->st && n <= PARAMS_MAX; n++) {
        char name[16];
        snprintf(name, sizeof name, "$%d", n);
        st->index[n] = sqlite3_bind_parameter_index(st->st, name);
        if (!st->index[n] && n <= sqlite3_bind_parameter_count(st->st))
            st->index[n] = n;
    }
    return rc;
}

struct stmt *db_stmt(struct db *db, const char *sql)
{
    struct stmt **recent = &db->recent[((uintptr_t)sql >> 3) % RECENT], **head, *st = *recent;
    int copies = 0;

    if (st && !st->running && st->st && !strcmp(st->sql, sql)) {
        sqlite3_reset(st->st);
        sqlite3_clear_bindings(st->st);
        return st;
    }
    head = &db->bucket[bucket_of(sql)];
    for (st = *head; st; st = st->next) {
        if (strcmp(st->sql, sql))
            continue;
        if (!st->running) {
            if (st->st) {
                sqlite3_reset(st->st);
                sqlite3_clear_bindings(st->st);
            } else {
                (void)prepare(st);
            }
            *recent = st;
            return st;
        }
        copies++;
    }
    if (copies >= DB_COPIES_MAX) {
        fprintf(stderr, "database: a statement was never reset: %s\n", sql);
        abort();
    }
    st = mem_alloc(sizeof *st);
    st->db = db;
    st->sql = mem_strdup(sql);
    (void)prepare(st); /* a failure is told by db_step() */
    st->next = *head;
    *head = st;
    return st;
}

enum err db_step(struct stmt *st, bool *row, struct errmsg *e)
{
    enum err err;
    int rc;

    *row = false;
    if (!st->st) {
        rc = prepare(st);
        if (rc == SQLITE_OK) { /* what was bound is lost: only say so */
            errmsg_set(e, "database: was busy");
            return ERR_BUSY;
        }
        return fail(st->db, rc, e);
    }
    if (!db_in_transaction(st->db) && !sqlite3_stmt_readonly(st->st)) {
        assert(st->db->begun);
        errmsg_set(e, "database: the transaction was lost");
        db_reset(st);
        return ERR_IO;
    }
    rc = sqlite3_step(st->st);
    if (rc == SQLITE_ROW) {
        st->db->running += !st->running;
        st->running = true;
        *row = true;
        return OK;
    }
    err = fail(st->db, rc, e);
    check_sql(st->db, rc & 0xff, st->sql);
    db_reset(st);
    return err;
}

enum err db_run(struct stmt *st, struct errmsg *e)
{
    bool row = true;
    enum err err = OK;

    while (err == OK && row)
        err = db_step(st, &row, e);
    return err;
}

void db_reset(struct stmt *st)
{
    st->db->running -= st->running;
    st->running = false;
    if (st->st)
        sqlite3_reset(st->st);
}

/* ---- parameters and columns ----------------------------------------------------------------- */

static int index_of(struct stmt *st, const char *name)
{
    char full[64];
    int i;

    if (!st->st)
        return 0;
    snprintf(full, sizeof full, "%s%s", *name == '$' || *name == ':' || *name == '@' ? "" : "$",
             name);
    i = sqlite3_bind_parameter_index(st->st, full);
    if (i == 0) {
        fprintf(stderr, "database: no parameter %s in: %s\n", full, st->sql);
        abort();
    }
    return i;
}

static int index_at(struct stmt *st, int n)
{
    int i;

    if (!st->st)
        return 0;
    i = n < 1 || n > PARAMS_MAX ? 0 : st->index[n];
    if (!i) {
        fprintf(stderr, "database: no parameter %d in: %s\n", n, st->sql);
        abort();
    }
    return i;
}

static void bound(struct stmt *st, int rc)
{
    if (!st->st || rc == SQLITE_OK)
        return;
    fprintf(stderr, "database: bind: %s in: %s\n", sqlite3_errstr(rc), st->sql);
    abort();
}

static void put_text(struct stmt *st, int i, const char *s)
{
    bound(st, sqlite3_bind_text(st->st, i, s, -1, SQLITE_TRANSIENT)); /* NULL binds NULL */
}

static void put_blob(struct stmt *st, int i, const void *p, size_t len)
{
    bound(st, sqlite3_bind_blob64(st->st, i, p, len, SQLITE_TRANSIENT));
}

void lend_text(struct stmt *st, int n, const char *s, size_t len)
{
    bound(st, sqlite3_bind_text64(st->st, index_at(st, n), s, len, SQLITE_STATIC, SQLITE_UTF8));
}

void lend_blob(struct stmt *st, int n, const void *p, size_t len)
{
    bound(st, sqlite3_bind_blob64(st->st, index_at(st, n), p, len, SQLITE_STATIC));
}

void bind_text_at(struct stmt *st, int n, const char *s)
{
    put_text(st, index_at(st, n), s);
}

void bind_text_named(struct stmt *st, const char *name, const char *s)
{
    put_text(st, index_of(st, name), s);
}

void bind_int_at(struct stmt *st, int n, int64_t v)
{
    bound(st, sqlite3_bind_int64(st->st, index_at(st, n), v));
}

void bind_int_named(struct stmt *st, const char *name, int64_t v)
{
    bound(st, sqlite3_bind_int64(st->st, index_of(st, name), v));
}

void bind_blob_at(struct stmt *st, int n, const void *p, size_t len)
{
    put_blob(st, index_at(st, n), p, len);
}

void bind_blob_named(struct stmt *st, const char *name, const void *p, size_t len)
{
    put_blob(st, index_of(st, name), p, len);
}

void bind_null_at(struct stmt *st, int n)
{
    bound(st, sqlite3_bind_null(st->st, index_at(st, n)));
}

void bind_null_named(struct stmt *st, const char *name)
{
    bound(st, sqlite3_bind_null(st->st, index_of(st, name)));
}

void bind_real_at(struct stmt *st, int n, double v)
{
    bound(st, sqlite3_bind_double(st->st, index_at(st, n), v));
}

void bind_real_named(struct stmt *st, const char *name, double v)
{
    bound(st, sqlite3_bind_double(st->st, index_of(st, name), v));
}

static void check_column(struct stmt *st, int i)
{
    assert(st->running && i >= 0 && i < sqlite3_column_count(st->st));
}

const char *col_text(struct stmt *st, int i)
{
    check_column(st, i);
    return (const char *)sqlite3_column_text(st->st, i);
}

int64_t col_int(struct stmt *st, int i)
{
    check_column(st, i);
    return sqlite3_column_int64(st->st, i);
}

double col_real(struct stmt *st, int i)
{
    check_column(st, i);
    return sqlite3_column_double(st->st, i);
}

const void *col_blob(struct stmt *st, int i, size_t *ret_len)
{
    const void *p;

    check_column(st, i);
    p = sqlite3_column_blob(st->st, i);
    *ret_len = (size_t)sqlite3_column_bytes(st->st, i);
    return p;
}

bool col_is_null(struct stmt *st, int i)
{
    check_column(st, i);
    return sqlite3_column_type(st->st, i) == SQLITE_NULL;
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->h);
}

int64_t db_last_rowid(struct db *db)
{
    return sqlite3_last_insert_rowid(db->h);
}

static void scans_of(struct db *db, const char *sql, void (*fn)(void *arg, const char *sql, const char *step), void *arg)
{
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *st = NULL;

    if (explain && sqlite3_prepare_v2(db->h, explain, -1, &st, NULL) == SQLITE_OK)
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(st, 3);
            if (step && !strncmp(step, "SCAN ", 5) && strcmp(step, "SCAN CONSTANT ROW"))
                fn(arg, sql, step);
        }
    sqlite3_finalize(st);
    sqlite3_free(explain);
}

void db_each_scan(struct db *db, void (*fn)(void *arg, const char *sql, const char *step), void *arg)
{
    for (int i = 0; i < BUCKETS; i++)
        for (struct stmt *st = db->bucket[i]; st; st = st->next)
            if (!strstr(st->sql, "/* full scan"))
                scans_of(db, st->sql, fn, arg);
}

/* ---- the whole file ------------------------------------------------------------------------- */

enum err db_check(struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "PRAGMA integrity_check(1)");
    enum err err;
    bool row;

    err = db_step(st, &row, e);
    if (err == OK && row && strcmp(col_text(st, 0), "ok")) {
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
    err = fail(db, rc, e);
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

/* ---- log ------------------------------------------------------------------------------------ */

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
    db->on_log = fn;
    db->on_log_arg = arg;
    sqlite3_wal_hook(db->h, log_grown, db);
}

enum err db_checkpoint(struct db *db, struct errmsg *e)
{
    int rc = sqlite3_wal_checkpoint_v2(db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ? OK : fail(db, rc, e);
}
