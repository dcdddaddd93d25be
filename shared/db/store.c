/* The threads in front of the database.
 *
 *   loop thread --store_write--> queue of writes --> writer: BEGIN, each job in a savepoint, COMMIT
 *               --store_read---> queue of reads  --> readers: a snapshot each
 *   loop thread <--store_complete-- queue of finished jobs <-- both
 *
 * The checkpointer carries the log back into the database file beside them. A log begins anew only
 * when all of it is carried back, which a writer that writes on never lets happen: past the bound
 * it waits for that.
 *
 * While the writer waits for the disk, the next turn's jobs gather: batches grow under load; the
 * preparer does for them what needs no database. A job stands in the finished queue only after its
 * COMMIT; that is all that "acknowledged" rests on. */
#include "db/store.h"

#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>

#define TURN_JOBS_MAX 512
#define CHECKPOINT_PAGES 4000 /* of the log: then the checkpointer begins */
#define TURN_BYTES_MAX                                                                             \
    (512 *                                                                                         \
     1024) /* what a turn has changed must fit into the page cache, or pages are written twice */

struct queue {
    struct job *head, **tail;
};

struct store {
    pthread_mutex_t lock;
    pthread_cond_t write_ready, read_ready, prepare_ready, log_ready, carrier_rests;
    struct queue writes, reads, finished;
    bool closing, failed, writing;
    bool carrying; /* somebody carries the log back */
    int pending;
    int log_pages, carried; /* what the log has, and had when the checkpointer began last */
    int log_max;            /* with so many the writer waits */

    void (*wake)(void *);
    void *wake_arg;
    enum err (*precommit)(void *arg, struct db *, struct errmsg *);
    void *precommit_arg;
    void (*committed)(void *arg);
    void *committed_arg;

    struct db *write_db, *checkpoint_db;
    struct db **read_db;
    pthread_t writer, preparer, checkpointer;
    pthread_t *reader;
    int reader_count;   /* connections open */
    int reader_started; /* threads running */
    bool writer_started, preparer_started, checkpointer_started;
};

enum { UNPREPARED, PREPARING, PREPARED };

struct reader_arg {
    struct store *s;
    struct db *db;
};

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

static void queue_put(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->tail = job;
    q->tail = &job->next;
}

/* Cut up to max jobs off the front. */
static struct job *queue_take(struct queue *q, int max)
{
    struct job *first = q->head, **cut = &q->head;

    while (*cut && max--)
        cut = &(*cut)->next;
    q->head = *cut;
    *cut = NULL;
    if (!q->head)
        q->tail = &q->head;
    return first;
}

/* Hand a chain of jobs to the loop thread. */
static void finish(struct store *s, struct job *list)
{
    bool was_empty;

    pthread_mutex_lock(&s->lock);
    was_empty = !s->finished.head;
    while (list) {
        struct job *job = list;
        list = job->next;
        queue_put(&s->finished, job);
    }
    pthread_mutex_unlock(&s->lock);
    if (was_empty)
        s->wake(s->wake_arg);
}

/* ---- writing -------------------------------------------------------------------------------- ----*/

static void fail_job(struct job *job, enum err err, const struct errmsg *msg)
{
    job->err = err;
    job->msg = *msg;
}

/* Every job from first up to end fails with err, those that had failed by themselves too: what they
 * were told rested on a transaction that is gone. */
static void fail_all(struct job *first, struct job *end, enum err err, const struct errmsg *msg)
{
    for (struct job *job = first; job != end; job = job->next)
        fail_job(job, err, msg);
}

/* Run one job in its savepoint. Not OK: SQLite dropped the transaction, with all that ran in it. */
static enum err run_job(struct db *db, struct job *job)
{
    int depth = db_depth(db);
    enum err err = OK;

    job->msg.text[0] = 0;
    if (job->prepare && job->prepared != PREPARED)
        job->prepare(job);
    job->err = db_savepoint(db);
    if (job->err != OK) {
        errmsg_set(&job->msg, "savepoint failed");
        return job->err;
    }
    job->err = job->run(job, db, &job->msg);
    if (!db_in_transaction(db)) {
        if (job->err == OK)
            job->err = ERR_IO;
        return job->err;
    }
    db_reset_all(db);
    assert(db_depth(db) > depth);             /* run() must not end what it did not begin */
    while (err == OK && db_depth(db) > depth) /* what run() left open ends with it */
        err = job->err == OK ? db_release(db) : db_undo(db);
    if (err != OK)
        errmsg_wrap(&job->msg, "end of savepoint failed");
    return err;
}

static void stop_writing(struct store *s, enum err err, const struct errmsg *msg)
{
    log_line(LOG_LEVEL_ERROR, "store", "writing_stopped=yes error=%s reason=\"%s\"", err_name(err),
             msg->text);
    pthread_mutex_lock(&s->lock);
    s->failed = true;
    pthread_mutex_unlock(&s->lock);
}

/* One transaction over the jobs from `first` on. Returns the first job that it did not deal with: a
 * transaction that was lost half-way leaves the rest for another. */
static struct job *run_turn(struct store *s, struct job *first)
{
    struct errmsg msg = {""};
    enum err err = db_begin(s->write_db, &msg);
    struct job *job;

    if (err != OK) {
        fail_all(first, NULL, err, &msg);
        return NULL;
    }
    for (job = first; job; job = job->next) {
        err = run_job(s->write_db, job);
        if (err == OK)
            continue;
        msg = job->msg;
        errmsg_wrap(&msg, "the transaction was undone");
        (void)db_rollback(s->write_db, NULL);
        fail_all(first, job->next, err, &msg);
        return job->next;
    }
    if (s->precommit && (err = s->precommit(s->precommit_arg, s->write_db, &msg)) != OK) {
        (void)db_rollback(s->write_db, NULL);
        fail_all(first, NULL, err, &msg);
        return NULL;
    }
    err = db_commit(s->write_db, &msg);
    if (err != OK) {
        stop_writing(s, err, &msg);
        fail_all(first, NULL, err, &msg);
    } else if (s->committed) {
        s->committed(s->committed_arg);
    }
    return NULL;
}

/* ---- the log -------------------------------------------------------------------------------- */

/* What cannot be carried back stays in the log, and is tried again. That a sync has failed is not:
 * after that nobody knows what the disk holds. */
static enum err carry_back(struct store *s, struct db *db,
                           enum err (*how)(struct db *db, struct errmsg *e))
{
    struct errmsg msg = {""};
    enum err err = how(db, &msg);

    if (err == ERR_FULL)
        log_line(LOG_LEVEL_WARN, "store", "checkpoint=later reason=\"%s\"", msg.text);
    else if (err != OK && err != ERR_BUSY)
        stop_writing(s, err, &msg);
    return err;
}

static void log_begins(struct store *s)
{
    s->carried = 0;
    s->log_max = STORE_LOG_PAGES_MAX;
}

/* On the writer thread, behind a commit. */
static void log_grown(void *arg, int pages)
{
    struct store *s = arg;

    pthread_mutex_lock(&s->lock);
    if (pages < s->log_pages)
        log_begins(s);
    s->log_pages = pages;
    if (pages >= s->carried + CHECKPOINT_PAGES)
        pthread_cond_signal(&s->log_ready);
    pthread_mutex_unlock(&s->lock);
}

/* On the writer thread, between turns: nobody waits for what it has written. */
static void bound_log(struct store *s)
{
    int64_t began = host_mono_ms(host_system());
    int pages;
    enum err err;

    pthread_mutex_lock(&s->lock);
    pages = s->log_pages;
    if (s->failed || pages < s->log_max) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    while (s->carrying)
        pthread_cond_wait(&s->carrier_rests, &s->lock);
    s->carrying = true;
    pthread_mutex_unlock(&s->lock);
    err = carry_back(s, s->write_db, db_checkpoint_all);
    pthread_mutex_lock(&s->lock);
    s->carrying = false;
    if (err == OK) {
        s->log_pages = 0;
        log_begins(s);
    } else if (err == ERR_BUSY) {
        s->log_max = 2 * pages;
    }
    pthread_mutex_unlock(&s->lock);
    log_line(err == ERR_BUSY ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "store",
             "log=full pages=%d waited_ms=%lld carried_back=%s", pages,
             (long long)(host_mono_ms(host_system()) - began), err == OK ? "yes" : err_name(err));
}

/* ---- the writer ------------------------------------------------------------------------------ */

static void refuse(struct job *first)
{
    struct errmsg msg;

    errmsg_set(&msg, "writing has stopped");
    fail_all(first, NULL, ERR_IO, &msg);
}

/* How many of the waiting jobs make the next turn: not too much at once, and up to the one that the
 * preparer has in hand. */
static int can_take(struct store *s)
{
    size_t bytes = 0;
    int n = 0;

    for (struct job *job = s->writes.head; job && n < TURN_JOBS_MAX && job->prepared != PREPARING;
         job = job->next, n++) {
        bytes += job->bytes;
        if (n && bytes > TURN_BYTES_MAX)
            break;
    }
    return n;
}

/* While the writer wrote on; once it rests, the log can be brought to its end. */
static bool begun_and_not_ended(const struct store *s)
{
    return s->carried && s->log_pages > s->carried;
}

static void *writer_main(void *arg)
{
    struct store *s = arg;

    pthread_setname_np(pthread_self(), "writer");

    for (;;) {
        struct job *turn, *rest;

        pthread_mutex_lock(&s->lock);
        s->writing = false;
        if (!s->writes.head && begun_and_not_ended(s))
            pthread_cond_signal(&s->log_ready);
        while ((!s->writes.head && !s->closing) ||
               (s->writes.head && s->writes.head->prepared == PREPARING))
            pthread_cond_wait(&s->write_ready, &s->lock);
        turn = queue_take(&s->writes, can_take(s));
        s->writing = true;
        if (s->writes.head)
            pthread_cond_signal(&s->prepare_ready);
        pthread_mutex_unlock(&s->lock);
        if (!turn)
            return NULL;
        for (rest = turn; rest;) {
            if (store_failed(s)) {
                refuse(rest);
                break;
            }
            rest = run_turn(s, rest);
        }
        finish(s, turn);
        bound_log(s);
    }
}

/* ---- preparing ------------------------------------------------------------------------------ ----*/

static struct job *to_prepare(struct store *s)
{
    struct job *job = s->writing ? s->writes.head : NULL; /* an idle writer does it by itself */

    while (job && (!job->prepare || job->prepared != UNPREPARED))
        job = job->next;
    return job;
}

static void *preparer_main(void *arg)
{
    struct store *s = arg;
    struct job *job;

    pthread_setname_np(pthread_self(), "preparer");
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        if (!(job = to_prepare(s))) {
            pthread_cond_wait(&s->prepare_ready, &s->lock);
            continue;
        }
        job->prepared = PREPARING;
        pthread_mutex_unlock(&s->lock);
        job->prepare(job);
        pthread_mutex_lock(&s->lock);
        job->prepared = PREPARED;
        pthread_cond_signal(&s->write_ready);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- carrying back --------------------------------------------------------------------------- */

static void *checkpointer_main(void *arg)
{
    struct store *s = arg;

    pthread_setname_np(pthread_self(), "checkpointer");
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        bool much = s->log_pages >= s->carried + CHECKPOINT_PAGES,
             rest = !s->writing && begun_and_not_ended(s);
        if (s->failed || s->carrying || (!much && !rest)) {
            pthread_cond_wait(&s->log_ready, &s->lock);
            continue;
        }
        s->carried = s->log_pages;
        s->carrying = true;
        pthread_mutex_unlock(&s->lock);
        (void)carry_back(s, s->checkpoint_db, db_checkpoint);
        pthread_mutex_lock(&s->lock);
        s->carrying = false;
        pthread_cond_signal(&s->carrier_rests);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- reading -------------------------------------------------------------------------------- ----*/

static void *reader_main(void *arg)
{
    struct reader_arg ra = *(struct reader_arg *)arg;
    struct store *s = ra.s;

    mem_free(arg);
    pthread_setname_np(pthread_self(), "reader");
    for (;;) {
        struct job *job;

        pthread_mutex_lock(&s->lock);
        while (!s->reads.head && !s->closing)
            pthread_cond_wait(&s->read_ready, &s->lock);
        job = queue_take(&s->reads, 1);
        pthread_mutex_unlock(&s->lock);
        if (!job)
            return NULL;
        job->msg.text[0] = 0;
        job->err = db_begin(ra.db, &job->msg);
        if (job->err == OK)
            job->err = job->run(job, ra.db, &job->msg);
        (void)db_rollback(ra.db, NULL);
        finish(s, job);
    }
}

/* ---- the loop thread's side ----------------------------------------------------------------- ----*/

static void hand_over(struct store *s, struct queue *q, pthread_cond_t *ready, struct job *job)
{
    assert(job->run && job->done);
    job->prepared = UNPREPARED;
    pthread_mutex_lock(&s->lock);
    s->pending++;
    if (s->closing) { /* asked for by a done() inside store_close(), which will call this one's too
                       */
        job->err = ERR_CLOSED;
        errmsg_set(&job->msg, "the store is closing");
        q = &s->finished;
    }
    queue_put(q, job);
    pthread_cond_signal(ready);
    if (job->prepare && s->writing)
        pthread_cond_signal(&s->prepare_ready);
    pthread_mutex_unlock(&s->lock);
}

void store_write(struct store *s, struct job *job)
{
    hand_over(s, &s->writes, &s->write_ready, job);
}

void store_read(struct store *s, struct job *job)
{
    hand_over(s, &s->reads, &s->read_ready, job);
}

int store_complete(struct store *s)
{
    struct job *list;
    int n = 0;

    pthread_mutex_lock(&s->lock);
    list = queue_take(&s->finished, -1);
    for (struct job *job = list; job; job = job->next)
        n++;
    s->pending -= n;
    pthread_mutex_unlock(&s->lock);
    while (list) {
        struct job *job = list;
        list = job->next; /* done() may free the job */
        job->next = NULL;
        job->done(job);
    }
    return n;
}

bool store_failed(struct store *s)
{
    bool failed;

    pthread_mutex_lock(&s->lock);
    failed = s->failed;
    pthread_mutex_unlock(&s->lock);
    return failed;
}

int store_pending(struct store *s)
{
    int n;

    pthread_mutex_lock(&s->lock);
    n = s->pending;
    pthread_mutex_unlock(&s->lock);
    return n;
}

void store_set_precommit(struct store *s, enum err (*fn)(void *arg, struct db *, struct errmsg *),
                         void *arg)
{
    s->precommit = fn;
    s->precommit_arg = arg;
}

void store_set_committed(struct store *s, void (*fn)(void *arg), void *arg)
{
    s->committed = fn;
    s->committed_arg = arg;
}

/* ---- open and close ------------------------------------------------------------------------- ----*/

static enum err start_threads(struct store *s, struct errmsg *e)
{
    if (pthread_create(&s->writer, NULL, writer_main, s))
        goto fail;
    s->writer_started = true;
    if (pthread_create(&s->preparer, NULL, preparer_main, s))
        goto fail;
    s->preparer_started = true;
    if (pthread_create(&s->checkpointer, NULL, checkpointer_main, s))
        goto fail;
    s->checkpointer_started = true;
    for (; s->reader_started < s->reader_count; s->reader_started++) {
        struct reader_arg *arg = mem_alloc(sizeof *arg);
        *arg = (struct reader_arg){s, s->read_db[s->reader_started]};
        if (pthread_create(&s->reader[s->reader_started], NULL, reader_main, arg)) {
            mem_free(arg);
            goto fail;
        }
    }
    return OK;
fail:
    errmsg_set(e, "cannot start a thread");
    return ERR_IO;
}

enum err store_open(const char *path, int readers, void (*wake)(void *), void *arg,
                    struct store **ret, struct errmsg *e)
{
    struct store *s = mem_alloc(sizeof *s);
    sigset_t all, before;
    enum err err;

    assert(readers >= 1 && wake);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->write_ready, NULL);
    pthread_cond_init(&s->read_ready, NULL);
    pthread_cond_init(&s->prepare_ready, NULL);
    pthread_cond_init(&s->log_ready, NULL);
    pthread_cond_init(&s->carrier_rests, NULL);
    s->log_max = STORE_LOG_PAGES_MAX;
    queue_init(&s->writes);
    queue_init(&s->reads);
    queue_init(&s->finished);
    s->wake = wake;
    s->wake_arg = arg;
    s->read_db = mem_alloc((size_t)readers * sizeof *s->read_db);
    s->reader = mem_alloc((size_t)readers * sizeof *s->reader);
    /* Signals are the loop thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = db_open(path, DB_WRITE, &s->write_db, e);
    if (err == OK)
        err = db_open(path, DB_WRITE, &s->checkpoint_db, e);
    if (err == OK)
        db_on_log(s->write_db, log_grown, s);
    for (; err == OK && s->reader_count < readers; s->reader_count += err == OK)
        err = db_open(path, DB_READ, &s->read_db[s->reader_count], e);
    if (err == OK)
        err = start_threads(s, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err != OK) {
        errmsg_wrap(e, "open store");
        store_close(s);
        return err;
    }
    *ret = s;
    return OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_broadcast(&s->write_ready);
    pthread_cond_broadcast(&s->read_ready);
    pthread_cond_broadcast(&s->prepare_ready);
    pthread_cond_broadcast(&s->log_ready);
    pthread_mutex_unlock(&s->lock);
    if (s->checkpointer_started)
        pthread_join(s->checkpointer, NULL);
    if (s->preparer_started)
        pthread_join(s->preparer, NULL);
    if (s->writer_started)
        pthread_join(s->writer, NULL);
    for (int i = 0; i < s->reader_started; i++)
        pthread_join(s->reader[i], NULL);
    while (store_complete(s))
        ;
    assert(s->pending == 0);
    for (int i = 0; i < s->reader_count; i++)
        db_close(s->read_db[i]);
    db_close(s->checkpoint_db);
    db_close(s->write_db); /* last, so that it folds the log into the file */
    pthread_cond_destroy(&s->write_ready);
    pthread_cond_destroy(&s->read_ready);
    pthread_cond_destroy(&s->prepare_ready);
    pthread_cond_destroy(&s->log_ready);
    pthread_cond_destroy(&s->carrier_rests);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->read_db);
    mem_free(s->reader);
    mem_free(s);
}
