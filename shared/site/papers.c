/* protocol.md 5: papers that are fetched and served. */
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "site/peer.h"

#include <string.h>

static enum err chunk_read_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    (void)db;
    return exchange_read_chunk(&t->peer->x, &t->fx, &t->bytes, &t->in, e);
}

static void chunk_read_done(struct job *job)
{
    struct task *t = (struct task *)job;

    if (job->err != OK)
        t->in.total = -1;
    peer_step(t->peer, &t->in);
    task_end(t);
}

static enum err chunk_store_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    (void)db;
    return exchange_store_chunk(&t->peer->x, &t->fx, &t->in, e);
}

static enum err paper_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct task *t = (struct task *)job;

    return exchange_paper(&t->peer->x, db, t->fx.digest, e);
}

static void paper_done(struct job *job)
{
    struct task *t = (struct task *)job;
    struct link_input have = {.kind = IN_HAVE};

    t->in.err = job->err;
    peer_step(t->peer, &t->in);
    if (job->err == OK && !t->peer->x.is_parent) {
        memcpy(have.digest, t->fx.digest, 32);
        peer_step(t->peer, &have);
    }
    site_glance(t->peer->site, false);
    task_end(t);
}

static void chunk_store_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->in.err = job->err;
    if (job->err != OK)
        log_line(LOG_LEVEL_WARN, "replica", "paper=failed peer=%s error=%s text=\"%s\"",
                 t->peer->x.peer, err_name(job->err), job->msg.text);
    if (job->err == OK && t->in.finished) { /* the row says so before anybody is told */
        t->job = (struct job){.run = paper_run, .done = paper_done};
        store_write(t->peer->site->store, &t->job);
        return;
    }
    peer_step(t->peer, &t->in);
    task_end(t);
}

void paper_serve(struct peer *p, const struct link_effect *fx)
{
    task_start(p, fx, chunk_read_run, chunk_read_done, false);
}

void paper_store(struct peer *p, const struct link_effect *fx)
{
    task_start(p, fx, chunk_store_run, chunk_store_done, false);
}

void paper_refused(struct peer *p, const unsigned char digest[32])
{
    if (p->refused_count == REFUSED_MAX)
        return;
    if (p->refused_count == p->refused_cap) {
        p->refused_cap = p->refused_cap ? p->refused_cap * 2 : 4;
        p->refused = mem_realloc(p->refused, sizeof *p->refused * (size_t)p->refused_cap);
    }
    memcpy(p->refused[p->refused_count++], digest, 32);
}

/* ---- which, and from whom ---------------------------------------------------------------------*/

static bool refused(const struct peer *p, const unsigned char digest[32])
{
    for (int i = 0; i < p->refused_count; i++)
        if (!memcmp(p->refused[i], digest, 32))
            return true;
    return false;
}

/* By any link: two would write the same partial file. */
static bool being_fetched(const struct site *s, const unsigned char digest[32])
{
    for (int i = 0; i < s->fetching_count; i++)
        if (!memcmp(s->fetching[i].digest, digest, 32))
            return true;
    return false;
}

/* Forget those that have come, or will not. */
void papers_next(struct site *s)
{
    int n = 0;

    for (int i = 0; i < s->fetching_count; i++) {
        const struct peer *p = s->fetching[i].peer;
        if (p->ws && p->link && link_is_fetching(p->link, s->fetching[i].digest))
            s->fetching[n++] = s->fetching[i];
    }
    s->fetching_count = n;
}

static bool may_fetch(const struct peer *p, const unsigned char digest[32])
{
    return p && p->ws && p->link && link_can_fetch(p->link) && !refused(p, digest);
}

static void fetch(struct peer *p, const struct exchange_paper_row *x,
                  const unsigned char digest[32])
{
    struct site *s = p->site;
    struct link_input in = {.kind = IN_WANTED};
    struct link_effect found = {.kind = FX_STORE_CHUNK};

    if (blob_exists(s->blobs, x->digest)) { /* here all the time: the row had been forgotten */
        memcpy(found.digest, digest, 32);
        task_start(p, &found, paper_run, task_plain_done, true);
        return;
    }
    memcpy(in.digest, digest, 32);
    in.offset = (uint64_t)blob_partial_size(s->blobs, x->digest);
    if (s->fetching_count == s->fetching_cap) {
        s->fetching_cap = s->fetching_cap ? s->fetching_cap * 2 : 16;
        s->fetching = mem_realloc(s->fetching, sizeof *s->fetching * (size_t)s->fetching_cap);
    }
    s->fetching[s->fetching_count].peer = p;
    memcpy(s->fetching[s->fetching_count++].digest, digest, 32);
    peer_step(p, &in);
}

/* Whom to ask for it now: where its case came from; else the parent; else, when nobody there is up,
 * any child. */
static struct peer *whom_to_ask(struct site *s, const struct exchange_paper_row *x,
                                const unsigned char digest[32])
{
    struct peer *parent = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;
    struct peer *source = x->from[0] ? peer_find(s, x->from) : parent;

    if (may_fetch(source, digest))
        return source;
    if (may_fetch(parent, digest))
        return parent;
    if (x->from[0] && source && source->up && !refused(source, digest))
        return NULL;
    for (int i = 0; i < s->peer_count; i++)
        if (may_fetch(s->peers[i].peer, digest))
            return s->peers[i].peer;
    return NULL;
}

void papers_fetch(struct site *s, const struct glance *g)
{
    unsigned char digest[32];

    papers_next(s);
    for (int i = 0; i < g->wanted_count; i++) {
        if (!hex_decode(g->wanted[i].digest + 7, digest, 32) || being_fetched(s, digest))
            continue;
        struct peer *p = whom_to_ask(s, &g->wanted[i], digest);
        if (p)
            fetch(p, &g->wanted[i], digest);
    }
}
