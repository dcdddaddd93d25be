/* Papers that are announced, fetched and served: site/papers.c. */
#include "net.h"

#include "base/crypto.h"
#include "disk.h"

#include <string.h>

/* ---- announced --------------------------------------------------------------------------------*/

void net_have(struct conn *c, int end, const unsigned char digest[32])
{
    struct link_input in = {.kind = IN_HAVE};

    memcpy(in.digest, digest, 32);
    char text[DIGEST_TEXT_LEN + 1];
    digest_text(digest, text);
    if (!blob_exists(net_site_of(c, end)->blobs, text) && !disk_stopped(net_site_of(c, end)->no))
        breach("site %d says that it has a paper, and has no bytes: %s", net_site_of(c, end)->no,
               text);
    net_step(c, end, &in);
}

static enum err sent_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_sent(&j->x, db, j->fx.digest, e);
}

static enum err have_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_have(&j->x, db, j->fx.digest, &j->here, e);
}

static void have_done(struct job *j)
{
    if (j->err == OK && j->here)
        net_have(j->conn, j->end, j->fx.digest);
}

/* ---- fetched and served -----------------------------------------------------------------------*/

static bool was_refused(const struct conn_end *x, const unsigned char digest[32])
{
    for (int i = 0; i < x->refused_count; i++)
        if (!memcmp(x->refused[i], digest, 32))
            return true;
    return false;
}

static enum err found_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_paper(&j->x, db, j->fx.digest, e);
}

/* By any line of this site, as production asks. */
static bool being_fetched(const struct site *s, const unsigned char digest[32])
{
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && net_site_of(&conns[i], e) == s && conns[i].end[e].link &&
                link_is_fetching(conns[i].end[e].link, digest))
                return true;
    return false;
}

void net_want(struct conn *c, int e, const struct link_end_paper_row *wanted, int count)
{
    struct conn_end *x = &c->end[e];

    if (!x->link || !link_is_up(x->link))
        return;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count && c->open && link_can_fetch(x->link); i++) {
            const struct link_end_paper_row *p = &wanted[i];
            struct link_input in = {.kind = IN_WANTED};
            bool likely = !strcmp(p->from, x->x.peer) || (x->x.is_parent && !p->from[0]);
            if (likely != (pass == 0) || !hex_decode(p->digest + 7, in.digest, 32) ||
                was_refused(x, in.digest) || being_fetched(net_site_of(c, e), in.digest))
                continue;
            if (blob_exists(x->x.blobs, p->digest)) {
                struct link_effect found = {.kind = FX_STORE_CHUNK};
                memcpy(found.digest, in.digest, 32);
                net_job(c, e, &found, true, found_run, net_broken_rule);
                continue;
            }
            in.offset = (uint64_t)blob_partial_size(x->x.blobs, p->digest);
            net_step(c, e, &in);
        }
}

struct wanted {
    struct link_end_paper_row row[32];
    int count;
};

static enum err read_wanted(struct site *s, void *arg, struct errmsg *e)
{
    struct wanted *w = arg;

    return link_end_wanted(s->db, 32, w->row, &w->count, e);
}

/* The next paper on every line of this site. */
static void next_papers(int no)
{
    struct wanted w = {0};

    if (!in_read(&site[no], read_wanted, &w))
        return;
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && net_site_of(&conns[i], e) == &site[no])
                net_want(&conns[i], e, w.row, w.count);
}

static enum err chunk_read_run(struct job *j, struct db *db, struct errmsg *e)
{
    (void)db;
    return link_end_read_chunk(&j->x, &j->fx, &j->bytes, &j->in, e);
}

static void chunk_read_done(struct job *j)
{
    if (j->err != OK)
        j->in.total = -1;
    net_answer(j);
}

static enum err chunk_store_run(struct job *j, struct db *db, struct errmsg *e)
{
    enum err err = link_end_store_chunk(&j->x, &j->fx, &j->in, e);

    return err == OK && j->in.finished ? link_end_paper(&j->x, db, j->fx.digest, e) : err;
}

static void chunk_store_done(struct job *j)
{
    struct conn *c = j->conn;
    int gen = j->gen;

    j->in.err = j->err;
    net_answer(j);
    if (j->err == OK && j->in.finished && !j->x.is_parent && c->open && c->gen == gen)
        net_have(c, j->end, j->fx.digest);
    if (j->err == OK && j->in.finished)
        next_papers(j->s->no);
    if (j->err == OK && j->in.finished)
        trace("site %d has paper %02x%02x", j->s->no, j->fx.digest[0], j->fx.digest[1]);
}

void net_paper_effect(struct conn *c, int end, const struct link_effect *x)
{
    struct conn_end *me = &c->end[end];

    if (x->kind == FX_READ_CHUNK)
        net_job(c, end, x, false, chunk_read_run, chunk_read_done);
    else if (x->kind == FX_STORE_CHUNK)
        net_job(c, end, x, true, chunk_store_run, chunk_store_done);
    else if (x->kind == FX_HAVE && end == 0)
        net_job(c, end, x, true, sent_run, net_broken_rule);
    else if (x->kind == FX_HAVE)
        net_job(c, end, x, false, have_run, have_done);
    else if (me->refused_count < 64)
        memcpy(me->refused[me->refused_count++], x->digest, 32);
}
