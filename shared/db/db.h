/* The thin layer over SQLite: a connection belongs to one thread. */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct stmt;

/* May it write? */
enum db_mode { DB_WRITE, DB_READ };

/* db_open(path, mode, ret, e): WAL, synchronous FULL, foreign keys on, busy timeout 5 s. DB_WRITE
 * makes the file; DB_READ writes nothing.
 * Owns    The caller, db_close().
 * Errors  ERR_FULL, ERR_IO, ERR_BUSY; ERR_CORRUPT: also no database; ERR_UNSUPPORTED: this file
 *         system carries no write-ahead log. */
MUST_USE enum err db_open(const char *path, enum db_mode mode, struct db **ret, struct errmsg *e);
/* NULL is allowed; an open transaction is undone. Every statement of it is gone. */
void db_close(struct db *db);
const char *db_path(struct db *db); /* as it was opened; lives as long as db */

/* One or more statements without parameters. */
MUST_USE enum err db_exec(struct db *db, const char *sql, struct errmsg *e);

/* ---- transactions ----------------------------------------------------------------------------*/

/* IMMEDIATE on a writer; a snapshot on a reader, taken by its first statement. The ends of a
 * transaction reset every statement. A commit that fails has undone all. */
MUST_USE enum err db_begin(struct db *db, struct errmsg *e);
MUST_USE enum err db_commit(struct db *db, struct errmsg *e);
enum err db_rollback(struct db *db, struct errmsg *e); /* without a transaction: nothing */
/* SQLite ends a transaction by itself after some failures (disk full). */
bool db_in_transaction(struct db *db);

/* Nested points inside a transaction, four deep at most (assert); release keeps what was done since
 * the last one, undo goes back to it, and both drop it. Not OK: the transaction is gone. */
enum err db_savepoint(struct db *db);
enum err db_release(struct db *db);
enum err db_undo(struct db *db);
int db_depth(struct db *db); /* savepoints open */
/* Give back every statement left in the middle of its rows. Ends of transactions do it too. */
void db_reset_all(struct db *db);

/* ---- the log ---------------------------------------------------------------------------------*/

/* By itself a writer carries its log back into the file at every 4,000 pages, within a commit. This
 * takes that away: fn is told after each commit how many pages the log has, and sees to it. */
void db_on_log(struct db *db, void (*fn)(void *arg, int pages), void *arg);
/* Carry back what no reader needs any more, beside whoever reads or writes. OK also when it could
 * only be done in part. */
MUST_USE enum err db_checkpoint(struct db *db, struct errmsg *e);
/* Carry back all of the log, so that the next commit begins it anew. Waits, as long as the busy
 * timeout, for who reads an older state, and for another program that writes or carries back.
 * ERR_BUSY: they were longer at it. */
MUST_USE enum err db_checkpoint_all(struct db *db, struct errmsg *e);

/* ---- statements ------------------------------------------------------------------------------*/

/* The statement of this text, prepared once per connection, reset, nothing bound; never NULL. When
 * it is in the middle of its rows, another copy comes (at most DB_COPIES_MAX: then a reset was
 * forgotten and the program is wrong). A mistake in the SQL aborts with its message. */
struct stmt *db_stmt(struct db *db, const char *sql);

/* Next row: *row true; no more: *row false, and the statement is reset. On failure it is reset too.
 * Columns are good until the next step or reset. A statement whose rows are not read to the end is
 * given back by db_reset(). Outside a transaction only reading is allowed (assert).
 * Errors  ERR_CONFLICT: a constraint; ERR_FULL, ERR_IO, ERR_BUSY, ERR_CORRUPT. */
MUST_USE enum err db_step(struct stmt *st, bool *row, struct errmsg *e);
MUST_USE enum err db_run(struct stmt *st, struct errmsg *e); /* step to the end, reset */
void db_reset(struct stmt *st); /* give back its rows; what is bound stays bound */

/* The parameter is a name, "$case_no" (the $ may be left out), or a number n: "$n", else the nth. A
 * parameter the statement does not have asserts. Bytes are copied. NULL text or blob binds NULL. */
#define bind_text(st, n, s) DB_BY((n), bind_text_at, bind_text_named)((st), (n), (s))
#define bind_int(st, n, v) DB_BY((n), bind_int_at, bind_int_named)((st), (n), (v))
#define bind_blob(st, n, p, len) DB_BY((n), bind_blob_at, bind_blob_named)((st), (n), (p), (len))
#define bind_null(st, n) DB_BY((n), bind_null_at, bind_null_named)((st), (n))
#define bind_real(st, n, v) DB_BY((n), bind_real_at, bind_real_named)((st), (n), (v))
/* The same without a copy, by number: the bytes must stay until the statement has been run. */
void lend_text(struct stmt *st, int n, const char *s, size_t len);
void lend_blob(struct stmt *st, int n, const void *p, size_t len);
#ifndef DB_BY /* a checker that cannot read _Generic brings its own */
#define DB_BY(n, at, named) _Generic((n), char * : named, const char * : named, default : at)
#endif

/* What the macros above become. */
void bind_text_at(struct stmt *st, int n, const char *s);
void bind_text_named(struct stmt *st, const char *name, const char *s);
void bind_int_at(struct stmt *st, int n, int64_t v);
void bind_int_named(struct stmt *st, const char *name, int64_t v);
void bind_blob_at(struct stmt *st, int n, const void *p, size_t len);
void bind_blob_named(struct stmt *st, const char *name, const void *p, size_t len);
void bind_null_at(struct stmt *st, int n);
void bind_null_named(struct stmt *st, const char *name);
void bind_real_at(struct stmt *st, int n, double v);
void bind_real_named(struct stmt *st, const char *name, double v);

/* Of the row that the last step has reached (assert); columns count from 0. */
const char *col_text(struct stmt *st, int i);                  /* NULL for NULL */
int64_t col_int(struct stmt *st, int i);                       /* 0 for NULL */
double col_real(struct stmt *st, int i);                       /* 0 for NULL */
const void *col_blob(struct stmt *st, int i, size_t *ret_len); /* NULL and 0 for NULL or empty */
bool col_is_null(struct stmt *st, int i);

int64_t db_changes(struct db *db); /* rows of the last INSERT, UPDATE or DELETE */

/* ---- the whole file --------------------------------------------------------------------------*/

/* For tests: every statement prepared so far whose plan walks through a whole table or index. A
 * statement that does it on purpose says so in its text, by a comment that begins with "full scan".
 */
void db_each_scan(struct db *db, void (*fn)(void *arg, const char *sql, const char *step),
                  void *arg);

/* A number that changes when another connection, of any program, has committed a change. */
MUST_USE enum err db_data_version(struct db *db, int64_t *ret, struct errmsg *e);

/* A consistent copy of the whole database into a new file, while others go on reading and writing;
 * durable when it returns OK. ERR_CONFLICT: the file is there already. */
MUST_USE enum err db_copy_to(struct db *db, const char *path, struct errmsg *e);
/* SQLite's own check of the file: ERR_CORRUPT with the first finding. */
MUST_USE enum err db_check(struct db *db, struct errmsg *e);

#define DB_COPIES_MAX 16

#endif
