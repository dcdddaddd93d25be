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
#include "db/store_inside.h"

#include "base/mem.h"

#include <assert.h>
#include <signal.h>

struct reader_arg {
    struct store *s;
    struct db *db;
};

/* ---- reading ----------------------------------------------------------------------------------*/

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
        queue_finish(s, job);
    }
}

/* ---- the loop thread's side -------------------------------------------------------------------*/

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
    assert(s->pending >= 0);
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
    return queue_stopped(s);
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
    assert(!s->pending); /* before the first job */
    s->precommit = fn;
    s->precommit_arg = arg;
}

void store_set_committed(struct store *s, void (*fn)(void *arg), void *arg)
{
    assert(!s->pending);
    s->committed = fn;
    s->committed_arg = arg;
}

/* ---- open and close ---------------------------------------------------------------------------*/

static enum err start_threads(struct store *s, struct errmsg *e)
{
    if (pthread_create(&s->writer, NULL, writer_main, s))
        goto fail;
    s->writer_started = true;
    if (pthread_create(&s->preparer, NULL, writer_preparer_main, s))
        goto fail;
    s->preparer_started = true;
    if (pthread_create(&s->checkpointer, NULL, carrier_main, s))
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
        db_on_log(s->write_db, carrier_log_grown, s);
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
    assert(s->pending == 0 && !s->writes.head && !s->reads.head);
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
