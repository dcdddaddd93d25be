/* Queues of jobs, and what every thread of the store may say: these are finished, writing stops. */
#include "db/store_inside.h"

#include "base/log.h"

#include <assert.h>

void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

void queue_put(struct queue *q, struct job *job)
{
    assert(q->tail && !*q->tail);
    job->next = NULL;
    *q->tail = job;
    q->tail = &job->next;
}

/* Cut up to max jobs off the front. */
struct job *queue_take(struct queue *q, int max)
{
    struct job *first = q->head, **cut = &q->head;

    assert(max >= -1);
    while (*cut && max--)
        cut = &(*cut)->next;
    q->head = *cut;
    *cut = NULL;
    if (!q->head)
        q->tail = &q->head;
    return first;
}

/* Hand a chain of jobs to the loop thread. */
void queue_finish(struct store *s, struct job *list)
{
    bool was_empty;

    assert(list);
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

void queue_stop_writing(struct store *s, enum err err, const struct errmsg *msg)
{
    assert(err != OK);
    log_line(LOG_LEVEL_ERROR, "store", "writing_stopped=yes error=%s reason=\"%s\"", err_name(err),
             msg->text);
    pthread_mutex_lock(&s->lock);
    s->failed = true;
    pthread_mutex_unlock(&s->lock);
}

bool queue_stopped(struct store *s)
{
    bool failed;

    pthread_mutex_lock(&s->lock);
    failed = s->failed;
    pthread_mutex_unlock(&s->lock);
    return failed;
}
