#include "base/workers.h"

#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#define THREADS_MAX 16

struct list {
    struct worker_job *first, **last;
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct list waiting, ran;
    int count, most; /* of those that wait */
    bool ending;
    void (*wake)(void *arg);
    void *arg;
    pthread_t thread[THREADS_MAX];
    int threads;
};

static void push(struct list *l, struct worker_job *job)
{
    job->next = NULL;
    *l->last = job;
    l->last = &job->next;
}

static struct worker_job *pop(struct list *l)
{
    struct worker_job *job = l->first;

    if (job && !(l->first = job->next))
        l->last = &l->first;
    return job;
}

static void *work(void *arg)
{
    struct workers *w = arg;

    pthread_mutex_lock(&w->lock);
    while (!w->ending) {
        struct worker_job *job = pop(&w->waiting);
        if (!job) {
            pthread_cond_wait(&w->news, &w->lock);
            continue;
        }
        w->count--;
        pthread_mutex_unlock(&w->lock);
        job->run(job);
        pthread_mutex_lock(&w->lock);
        push(&w->ran, job);
        pthread_mutex_unlock(&w->lock);
        w->wake(w->arg);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct workers *workers_create(int threads, int queued, void (*wake)(void *arg), void *arg)
{
    struct workers *w = mem_alloc(sizeof *w);

    assert(threads > 0 && threads <= THREADS_MAX && queued > 0);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->news, NULL);
    w->waiting.last = &w->waiting.first;
    w->ran.last = &w->ran.first;
    w->most = queued;
    w->wake = wake;
    w->arg = arg;
    while (w->threads < threads && !pthread_create(&w->thread[w->threads], NULL, work, w))
        w->threads++;
    assert(w->threads);
    return w;
}

bool workers_put(struct workers *w, struct worker_job *job)
{
    pthread_mutex_lock(&w->lock);
    bool room = w->count < w->most && !w->ending;
    if (room) {
        push(&w->waiting, job);
        w->count++;
        pthread_cond_signal(&w->news);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}

void workers_complete(struct workers *w)
{
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct worker_job *job = pop(&w->ran);
        pthread_mutex_unlock(&w->lock);
        if (!job)
            return;
        job->done(job);
    }
}

int workers_waiting(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    int n = w->count;
    pthread_mutex_unlock(&w->lock);
    return n;
}

void workers_destroy(struct workers *w)
{
    struct worker_job *job;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->news);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->threads; i++)
        pthread_join(w->thread[i], NULL);
    workers_complete(w);
    while ((job = pop(&w->waiting))) {
        job->dropped = true;
        job->done(job);
    }
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->lock);
    mem_free(w);
}
