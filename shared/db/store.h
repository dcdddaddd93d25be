/* One writer thread and some reader threads in front of the database, and one that carries the log
 * back into the file beside them. Jobs go in from the loop thread and come back on it, so
 * everything outside run() and prepare() is single-threaded. */
#ifndef DB_STORE_H
#define DB_STORE_H

#include "db/db.h"

#include <stdbool.h>

struct store;

/* The log has a bound: once it has so many pages (64 MB) the writer, done() called, waits for the
 * carrier, carries back all of it by itself, for which it waits for who reads an older state, and
 * begins it anew. So the log never has more than this and what one turn writes. One exception:
 * behind a reader who stays longer than the busy timeout (5 s; another program that copies the
 * database) writing goes on, the log grows, and is tried again when it is twice as long. */
#define STORE_LOG_PAGES_MAX 16000

/* run() is called on a store thread, inside a transaction; done() on the loop thread, in
 * store_complete(), with err and msg set. The caller owns the job, from done() on again. */
struct job {
    struct job *next; /* the store's */
    /* What of the work needs no database (parsing), or NULL. Called once before run(), on any
     * thread of the store: while the writer is busy with others, somebody does it for those that
     * wait. Only for store_write(). */
    void (*prepare)(struct job *job);
    int prepared; /* the store's */
    size_t bytes; /* about what it will write; 0: little. Turns are bounded by it. */
    enum err (*run)(struct job *job, struct db *db, struct errmsg *e); /* never NULL */
    void (*done)(struct job *job); /* never NULL; it may free the job */
    enum err err;                  /* for done(): of run(), or of the transaction */
    struct errmsg msg;             /* its sentence */
};

/* store_open(path, readers, wake, arg, ret, e): open the file with `readers` (1 or more) threads
 * that read. wake(arg) is called on a store thread when store_complete() has something to do.
 * Owns    The caller, store_close().
 * Errors  Those of db_open(); ERR_IO: no thread can be started. */
MUST_USE enum err store_open(const char *path, int readers, void (*wake)(void *), void *arg,
                             struct store **ret, struct errmsg *e);
/* Runs what is queued to its end, calls done() of every job, ends the threads. What a done() asks
 * for meanwhile is refused: ERR_CLOSED. NULL is allowed. */
void store_close(struct store *s);

/* store_write(s, job):
 * Queue a job for the writer. Jobs run in order; those that wait together share one transaction.
 *
 * Order   done() with OK comes only after COMMIT has succeeded.
 * Errors  A run() that fails undoes only its own work (savepoint) and its job carries that error.
 *         When SQLite has dropped the whole transaction (disk full), every job in it fails. A
 *         failed COMMIT fails every job of the turn and stops writing for good: store_failed() is
 *         true and later jobs fail with ERR_IO "writing has stopped". */
void store_write(struct store *s, struct job *job);
/* Queue a job for a reader: one snapshot per job. No order among reads. */
void store_read(struct store *s, struct job *job);

/* Call done() of every finished job; loop thread, after wake. Returns how many. */
int store_complete(struct store *s);
bool store_failed(struct store *s); /* writing has stopped for good: end the program */
int store_pending(struct store *s); /* jobs whose done() was not called yet */

/* fn runs on the writer thread at the end of every turn, before COMMIT. If it fails, the turn is
 * undone and its jobs fail. Set before the first job. */
void store_set_precommit(struct store *s, enum err (*fn)(void *arg, struct db *, struct errmsg *),
                         void *arg);
/* Likewise, after a COMMIT that succeeded and before any done(). */
void store_set_committed(struct store *s, void (*fn)(void *arg), void *arg);

#endif
