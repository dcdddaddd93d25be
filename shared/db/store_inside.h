/* What the threads of the store share. Private.
 *
 *   store.c    the loop thread's side: jobs go in and come back; the readers; open and close
 *   writer.c   the writer and its preparer          carrier.c  who carries the log back
 *   queue.c    below all of them                                                              */
#ifndef DB_STORE_INSIDE_H
#define DB_STORE_INSIDE_H

#include "db/store.h"

#include <pthread.h>

struct queue {
    struct job *head;  /* the oldest; NULL: empty */
    struct job **tail; /* where the next one goes */
};

/* What `lock` guards says so; all else is set before the threads are started. */
struct store {
    pthread_mutex_t lock;
    pthread_cond_t write_ready;   /* to the writer: a job waits, or was prepared */
    pthread_cond_t read_ready;    /* to the readers: a job waits */
    pthread_cond_t prepare_ready; /* to the preparer: a job waits while the writer is busy */
    pthread_cond_t log_ready;     /* to the carrier: there is enough to carry back */
    pthread_cond_t carrier_rests; /* from the carrier: it has ended a round */

    struct queue writes;   /* lock: jobs for the writer */
    struct queue reads;    /* lock: jobs for a reader */
    struct queue finished; /* lock: their done() was not called yet */
    int pending;           /* lock: jobs in any queue or at work */
    bool closing;          /* lock: take nothing more, run to the end */
    bool failed;           /* lock: writing has stopped for good */
    bool writing;          /* lock: the writer has a turn in hand */
    bool carrying;         /* lock: somebody carries the log back */
    int log_pages;         /* lock: what the log has, as of the last commit */
    int carried;           /* lock: what it had when somebody began to carry it back last */
    int log_max;           /* lock: with so many pages the writer waits */

    void (*wake)(void *); /* store_open()'s, with wake_arg */
    void *wake_arg;
    enum err (*precommit)(void *arg, struct db *,
                          struct errmsg *); /* or NULL; with precommit_arg */
    void *precommit_arg;
    void (*committed)(void *arg); /* or NULL; with committed_arg */
    void *committed_arg;

    struct db *write_db;      /* the writer's alone */
    struct db *checkpoint_db; /* the carrier's alone */
    struct db **read_db;      /* read_db[0 .. reader_count), one for each reader alone */
    pthread_t writer, preparer, checkpointer; /* as far as writer_started and so on */
    pthread_t *reader;                        /* reader[0 .. reader_started) */
    int reader_count;                         /* connections open */
    int reader_started;                       /* threads running */
    bool writer_started, preparer_started, checkpointer_started; /* these run */
};

/* Of a job, `prepared`. */
enum { UNPREPARED, PREPARING, PREPARED };

/* ---- queue.c: the caller holds the lock of a queue of the store -------------------------------*/
void queue_init(struct queue *q);
void queue_put(struct queue *q, struct job *job); /* behind all others */
/* Cut up to max jobs (all: -1) off the front; they stay chained. NULL: there was none. */
struct job *queue_take(struct queue *q, int max);

/* ---- queue.c: the caller does not hold the lock -----------------------------------------------*/
void queue_finish(struct store *s, struct job *list); /* hand a chain of jobs to the loop thread */
/* Writing has stopped for good, because of err. */
void queue_stop_writing(struct store *s, enum err err, const struct errmsg *msg);
bool queue_stopped(struct store *s); /* has it? */

/* ---- carrier.c --------------------------------------------------------------------------------*/
/* The carrier's thread, until the store closes; arg: the store. */
void *carrier_main(void *arg);
/* For db_on_log(): on the writer thread, behind a commit; arg: the store. */
void carrier_log_grown(void *arg, int pages);
/* On the writer thread, between turns: nobody waits for what it has written. Waits while the log is
 * over its bound (see STORE_LOG_PAGES_MAX). */
void carrier_bound(struct store *s);
/* The writer wrote on while the log was carried back: once it rests, that can be brought to its
 * end. The caller holds the lock. */
bool carrier_unfinished(const struct store *s);

/* ---- writer.c: the two threads, until the store closes and no job waits; arg: the store -------*/
void *writer_main(void *arg);
void *writer_preparer_main(void *arg);

#endif
