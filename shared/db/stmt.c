/* Statements: prepared once per connection, found by their text, bound by number or name, read by
 * column; and what SQLite's answers to them mean. */
#include "db/inside.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors -----------------------------------------------------------------------------------*/

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

enum err db_fail(struct db *db, int rc, struct errmsg *e)
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
void db_check_sql(struct db *db, int rc, const char *sql)
{
    if (rc != SQLITE_ERROR && rc != SQLITE_MISUSE && rc != SQLITE_RANGE)
        return;
    fprintf(stderr, "database: %s in: %s\n", sqlite3_errmsg(db->h), sql);
    abort();
}

bool db_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(db->h);
}

/* ---- statements -------------------------------------------------------------------------------*/

static unsigned bucket_of(const char *sql)
{
    unsigned h = 2166136261u;

    for (; *sql; sql++)
        h = (h ^ (unsigned char)*sql) * 16777619u;
    return h % BUCKETS;
}

int stmt_prepare(struct stmt *st)
{
    assert(!st->st);
    int rc = sqlite3_prepare_v3(st->db->h, st->sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL);

    db_check_sql(st->db, rc & 0xff, st->sql);
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
                (void)stmt_prepare(st);
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
    (void)stmt_prepare(st); /* a failure is told by db_step() */
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
        rc = stmt_prepare(st);
        if (rc == SQLITE_OK) { /* what was bound is lost: only say so */
            errmsg_set(e, "database: was busy");
            return ERR_BUSY;
        }
        return db_fail(st->db, rc, e);
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
    err = db_fail(st->db, rc, e);
    db_check_sql(st->db, rc & 0xff, st->sql);
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
    assert(st->db->running >= st->running);
    st->db->running -= st->running;
    st->running = false;
    if (st->st)
        sqlite3_reset(st->st);
}

/* ---- parameters and columns -------------------------------------------------------------------*/

static int index_of(struct stmt *st, const char *name)
{
    char full[64];
    int i;

    if (!st->st)
        return 0;
    assert(strlen(name) + 1 < sizeof full);
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

enum err db_data_version(struct db *db, int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "PRAGMA data_version");
    bool row;
    enum err err = db_step(st, &row, e);

    if (err == OK) {
        assert(row);
        *ret = col_int(st, 0);
    }
    db_reset(st);
    return err;
}

static void scans_of(struct db *db, const char *sql,
                     void (*fn)(void *arg, const char *sql, const char *step), void *arg)
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

void db_each_scan(struct db *db, void (*fn)(void *arg, const char *sql, const char *step),
                  void *arg)
{
    for (int i = 0; i < BUCKETS; i++)
        for (struct stmt *st = db->bucket[i]; st; st = st->next)
            if (!strstr(st->sql, "/* full scan"))
                scans_of(db, st->sql, fn, arg);
}
