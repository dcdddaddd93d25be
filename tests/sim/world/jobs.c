/* The jobs of a site's store, one at a time: each is a transaction, and answered a little later. */
#include "world.h"

#include "base/mem.h"
#include "disk.h"

struct job *job_new(struct site *s, bool write)
{
    struct job *j = mem_alloc(sizeof *j);

    j->s = s;
    j->life = s->life;
    j->write = write;
    j->arena = arena_create();
    return j;
}

static void job_free(struct job *j)
{
    buf_free(&j->bytes);
    mem_free(j->events);
    json_free(j->arg);
    json_free(j->out);
    arena_destroy(j->arena);
    mem_free(j);
}

static struct job *finished[SITES]; /* one at a time per site */

static void run_next(int no, int life);

static void job_done(int no, int life)
{
    struct site *s = &site[no];
    struct job *j = finished[no];

    if (life != s->life || !j || !s->up)
        return;
    finished[no] = NULL;
    s->busy = false;
    if (!j->conn || (j->conn->open && j->conn->gen == j->gen))
        j->done(j);
    job_free(j);
    if (s->queue && s->up && !s->busy) {
        s->busy = true;
        later((int64_t)dice(4 + (uint64_t)s->slow_ms), run_next, no, s->life);
    }
}

static void run_next(int no, int life)
{
    struct site *s = &site[no];
    struct job *j = s->queue;
    bool failed_commit = false;

    if (life != s->life || !s->up || !j)
        return;
    s->queue = j->next;
    if (!s->queue)
        s->queue_end = &s->queue;
    if ((j->err = db_begin(s->db, &j->msg)) == OK) {
        j->err = j->run(j, s->db, &j->msg);
        if (j->err == OK && j->write) {
            j->err = db_commit(s->db, &j->msg);
            failed_commit = j->err != OK;
        } else {
            db_rollback(s->db, NULL);
        }
    }
    if (j->err == OK && j->committed)
        j->committed(j);
    if (j->err != OK && !j->problem.status && j->err != ERR_PEER && j->err != ERR_INVALID &&
        j->err != ERR_CONFLICT)
        trace("site %d job failed: %s %s", no, err_name(j->err), j->msg.text);
    if (disk_stopped(no) || failed_commit) {
        job_free(j);
        site_fails(s, failed_commit ? "commit failed" : "the machine stopped");
        return;
    }
    finished[no] = j;
    later((int64_t)dice(6), job_done, no, life);
}

void job_drop_all(struct site *s)
{
    while (s->queue) {
        struct job *j = s->queue;
        s->queue = j->next;
        job_free(j);
    }
    s->queue_end = &s->queue;
    if (finished[s->no])
        job_free(finished[s->no]);
    finished[s->no] = NULL;
}

void job_queue(struct job *j)
{
    struct site *s = j->s;

    j->next = NULL;
    *s->queue_end = j;
    s->queue_end = &j->next;
    if (!s->busy) {
        s->busy = true;
        later((int64_t)dice(4 + (uint64_t)s->slow_ms), run_next, s->no, s->life);
    }
}

bool in_read(struct site *s, enum err (*fn)(struct site *s, void *arg, struct errmsg *e), void *arg)
{
    struct errmsg e = {""};

    if (!s->up || db_begin(s->db, &e) != OK)
        return false;
    enum err err = fn(s, arg, &e);
    db_rollback(s->db, NULL);
    return err == OK;
}
