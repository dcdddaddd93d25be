/* The writer: a turn of waiting jobs in one transaction; and the preparer, who does for the jobs of
 * the next turn what needs no database. */
#include "db/store_inside.h"

#include <assert.h>

#define TURN_JOBS_MAX 512
/* What a turn has changed must fit into the page cache, or pages are written twice. */
#define TURN_BYTES_MAX (512 * 1024)

/* ---- a turn -----------------------------------------------------------------------------------*/

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
    assert(job->prepared != PREPARING);
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

/* One transaction over the jobs from `first` on. Returns the first job that it did not deal with: a
 * transaction that was lost half-way leaves the rest for another. */
static struct job *run_turn(struct store *s, struct job *first)
{
    struct errmsg msg = {""};
    enum err err = db_begin(s->write_db, &msg);
    struct job *job;

    assert(first);
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
        queue_stop_writing(s, err, &msg);
        fail_all(first, NULL, err, &msg);
    } else if (s->committed) {
        s->committed(s->committed_arg);
    }
    return NULL;
}

/* ---- the writer -------------------------------------------------------------------------------*/

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

void *writer_main(void *arg)
{
    struct store *s = arg;

    pthread_setname_np(pthread_self(), "writer");

    for (;;) {
        struct job *turn, *rest;

        pthread_mutex_lock(&s->lock);
        s->writing = false;
        if (!s->writes.head && carrier_unfinished(s))
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
            if (queue_stopped(s)) {
                refuse(rest);
                break;
            }
            rest = run_turn(s, rest);
        }
        queue_finish(s, turn);
        carrier_bound(s);
    }
}

/* ---- the preparer -----------------------------------------------------------------------------*/

/* The next turn's, and no more: what is prepared takes ten times the memory of what came. */
static struct job *to_prepare(struct store *s)
{
    struct job *job = s->writing ? s->writes.head : NULL; /* an idle writer does it by itself */
    size_t bytes = 0;

    for (; job && bytes <= TURN_BYTES_MAX; job = job->next) {
        if (job->prepare && job->prepared == UNPREPARED)
            return job;
        bytes += job->bytes;
    }
    return NULL;
}

void *writer_preparer_main(void *arg)
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
        assert(job->prepared == PREPARING); /* the writer has left it to us */
        job->prepared = PREPARED;
        pthread_cond_signal(&s->write_ready);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
