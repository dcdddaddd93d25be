#include "site/site.h"

#include "base/log.h"
#include "base/mem.h"
#include "db/migrate.h"
#include "net/pki_post.h"
#include "site/enrol.h"
#include "site/inside.h"
#include "site/upkeep.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define READERS_NODE 1
#define READERS_HUB 2
#define GLANCE_PAPERS 64
#define GLANCE_LINKS 4096

/* ---- open and close -----------------------------------------------------------------------------*/

static void wake(void *arg)
{
    loop_wake(arg);
}

static void woken(void *arg)
{
    struct site *s = arg;

    if (s->store)
        store_complete(s->store);
}

/* What must be true before the first job: the schema, the office, and what a crash left of the link. */
static enum err prepare(struct site *s, struct errmsg *e)
{
    struct db *db = NULL;
    enum err err = folder_open_db(&s->folder, &db, e);

    if (err == OK && (err = folder_office(&s->folder, &s->office, db, e)) == OK && s->folder.parent[0] &&
        (err = db_begin(db, e)) == OK && (err = lease_link_closed(&s->office, db, e)) == OK)
        err = db_commit(db, e);
    db_close(db);
    return err;
}

enum err site_open(const char *dir, struct loop *loop, struct site **ret, struct errmsg *e)
{
    struct site *s = mem_alloc(sizeof *s);
    char path[1200];
    enum err err;

    s->lock_fd = -1;
    s->loop = loop;
    if ((err = folder_read(dir, &s->folder, e)) != OK || (err = folder_lock(dir, &s->lock_fd, e)) != OK ||
        (err = prepare(s, e)) != OK)
        goto fail;
    folder_path(dir, "blobs", path, sizeof path);
    if ((err = blob_dir_open(path, &s->blobs, e)) != OK)
        goto fail;
    folder_path(dir, "doorstep.db", path, sizeof path);
    if ((err = store_open(path, s->office.tier == TIER_COMMUNITY ? READERS_NODE : READERS_HUB, wake, loop, &s->store, e)) != OK)
        goto fail;
    folder_path(dir, "keys/site.crt", s->cert, sizeof s->cert);
    folder_path(dir, "keys/site.key", s->key, sizeof s->key);
    folder_path(dir, "keys/ca.crt", s->ca, sizeof s->ca);
    if (s->folder.parent[0] &&
        (err = pki_parse_url(s->folder.parent_url, s->parent_host, sizeof s->parent_host, &s->parent_port, e)) != OK)
        goto fail;
    loop_on_wake(loop, woken, s);
    *ret = s;
    return OK;
fail:
    errmsg_wrap(e, "open the site in %s", dir);
    site_close(s);
    return err;
}

static void on_tick(void *arg)
{
    struct site *s = arg;

    s->tick = loop_timer(s->loop, TICK_MS, on_tick, s);
    s->ticks++;
    replica_tick(s);
    site_glance(s, true);
}

/* The status that GET /status answers: of this moment, not of the last tick. */
static struct json *fresh_status(void *arg, struct db *db)
{
    struct site *s = arg;
    struct json *status = NULL;
    struct errmsg e;

    if (upkeep_status(&s->office, db, s->folder.dir, &status, &e) != OK)
        return NULL;
    return status;
}

enum err site_start(struct site *s, struct errmsg *e)
{
    s->office.status = fresh_status;
    s->office.status_arg = s;
    s->status = json_object();
    s->tick = loop_timer(s->loop, TICK_MS, on_tick, s);
    site_glance(s, true);
    return replica_start(s, e);
}

void site_stop(struct site *s)
{
    if (!s || s->stopping)
        return;
    s->stopping = true;
    timer_cancel(s->tick);
    s->tick = NULL;
    replica_stop(s);
    store_close(s->store);
    s->store = NULL;
}

void site_close(struct site *s)
{
    if (!s)
        return;
    if (s->store)
        store_close(s->store);
    blob_dir_close(s->blobs);
    office_close(&s->office);
    json_free(s->status);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    mem_free(s);
}

/* ---- a glance -----------------------------------------------------------------------------------*/

static enum err glance_links(struct glance *g, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT peer, head_pos FROM link");
    enum err err;
    bool row;

    g->links = arena_alloc(g->arena, sizeof *g->links * GLANCE_LINKS);
    while ((err = db_step(st, &row, e)) == OK && row && g->link_count < GLANCE_LINKS) {
        struct glance_link *l = &g->links[g->link_count++];
        snprintf(l->peer, sizeof l->peer, "%s", col_text(st, 0));
        l->head_pos = (uint64_t)col_int(st, 1);
    }
    db_reset(st);
    return err;
}

static enum err glance_papers(struct glance *g, struct db *db, const char *sql, struct glance_paper **ret, int *ret_count,
                              struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);
    enum err err;
    bool row;

    *ret = arena_alloc(g->arena, sizeof **ret * GLANCE_PAPERS);
    bind_int(st, 1, GLANCE_PAPERS);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct glance_paper *x = &(*ret)[(*ret_count)++];
        snprintf(x->digest, sizeof x->digest, "%s", col_text(st, 0));
        snprintf(x->from, sizeof x->from, "%s", col_text(st, 1) ? col_text(st, 1) : "");
    }
    return err;
}

static void add_head(struct glance *g, struct stmt *st, const char *origin, bool signed_here)
{
    struct glance_head *h = &g->heads[g->head_count];
    size_t n, m = 64;
    const void *hash = col_blob(st, 1, &n), *sig = signed_here ? NULL : col_blob(st, 2, &m);

    if (n != 32 || m != 64)
        return;
    snprintf(h->origin, sizeof h->origin, "%s", origin);
    h->signed_here = signed_here;
    h->seq = (uint64_t)col_int(st, 0);
    memcpy(h->hash, hash, 32);
    if (!signed_here)
        memcpy(h->signature, sig, 64);
    g->head_count++;
}

/* Heads to show to the parent: our own, and those that our children have signed; each only as far as the
 * parent has acknowledged the events (protocol.md 2). */
static enum err glance_heads(struct glance *g, struct db *db, struct errmsg *e)
{
    const char *parent = g->site->folder.parent, *origin = g->site->office.ledger.origin;
    struct stmt *st = db_stmt(db, "SELECT v.seq, v.hash FROM outbox b JOIN event v ON v.origin = b.origin AND "
                                  "v.seq = b.seq JOIN link l ON l.peer = b.peer WHERE b.peer = $1 AND "
                                  "b.pos <= l.acked_pos AND b.origin = $2 ORDER BY b.pos DESC LIMIT 1");
    enum err err;
    bool row;

    g->heads = arena_alloc(g->arena, sizeof *g->heads * 1001);
    bind_text(st, 1, parent);
    bind_text(st, 2, origin);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (row)
        add_head(g, st, origin, true);
    db_reset(st);
    st = db_stmt(db, "SELECT o.signed_seq, o.signed_hash, o.signature, o.origin FROM origin o JOIN link l ON l.peer = $1 "
                     "JOIN outbox b ON b.peer = $1 AND b.origin = o.origin AND b.seq = o.signed_seq "
                     "WHERE o.signed_seq > 0 AND o.origin <> $2 AND b.pos <= l.acked_pos LIMIT 1000");
    bind_text(st, 1, parent);
    bind_text(st, 2, origin);
    while ((err = db_step(st, &row, e)) == OK && row) {
        char name[25];
        snprintf(name, sizeof name, "%s", col_text(st, 3));
        add_head(g, st, name, false);
    }
    return err;
}

static enum err glance_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct glance *g = (struct glance *)job;
    struct site *s = g->site;
    enum err err = glance_links(g, db, e);

    if (err == OK)
        err = glance_papers(g, db,
                            "SELECT d.digest, (SELECT v.from_peer FROM event v WHERE v.case_no = d.case_no AND "
                            "v.kind = 'case.filed/1' LIMIT 1) FROM document d WHERE d.state = 'wanted' "
                            "ORDER BY d.urgent DESC, d.hlc LIMIT $1", &g->wanted, &g->wanted_count, e);
    if (err == OK && g->whole && s->office.tier == TIER_COMMUNITY)
        err = glance_papers(g, db, "SELECT digest, '' FROM document WHERE state = 'here' AND sent = 0 AND case_no <> '' LIMIT $1",
                            &g->unsent, &g->unsent_count, e);
    if (err == OK && g->whole && s->folder.parent[0])
        err = glance_heads(g, db, e);
    if (err == OK && g->whole)
        err = upkeep_status(&s->office, db, s->folder.dir, &g->status, e);
    return err;
}

static void glance_done(struct job *job)
{
    struct glance *g = (struct glance *)job;
    struct site *s = g->site;

    s->glancing = false;
    if (job->err == OK && !s->stopping) {
        if (g->status) {
            json_free(s->status);
            s->status = g->status;
            g->status = NULL;
        }
        replica_glanced(s, g);
    } else if (job->err != OK && !s->stopping) {
        log_line(LOG_LEVEL_WARN, "site", "glance=failed error=%s text=\"%s\"", err_name(job->err), job->msg.text);
    }
    json_free(g->status);
    arena_destroy(g->arena);
    mem_free(g);
    if (s->glance_again && !s->stopping) {
        s->glance_again = false;
        site_glance(s, false);
    }
}

void site_glance(struct site *s, bool whole)
{
    if (s->stopping)
        return;
    if (s->glancing) {
        s->glance_again = true;
        return;
    }
    struct glance *g = mem_alloc(sizeof *g);
    g->site = s;
    g->whole = whole;
    g->arena = arena_create();
    g->job.run = glance_run;
    g->job.done = glance_done;
    s->glancing = true;
    store_read(s->store, &g->job);
}

void site_changed(struct site *s)
{
    site_glance(s, false);
}

/* ---- wanted papers ------------------------------------------------------------------------------*/

struct wish {
    struct job job;
    struct site *site;
    char digest[DIGEST_TEXT_LEN + 1];
};

static enum err wish_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct wish *w = (struct wish *)job;
    struct stmt *st = db_stmt(db, "UPDATE document SET state = 'wanted', urgent = 1 WHERE digest = $1 AND state <> 'here'");

    bind_text(st, 1, w->digest);
    return db_run(st, e);
}

static void wish_done(struct job *job)
{
    struct wish *w = (struct wish *)job;

    if (job->err == OK)
        site_glance(w->site, false);
    mem_free(w);
}

void site_want_document(struct site *s, const char *digest)
{
    struct wish *w = mem_alloc(sizeof *w);

    w->site = s;
    snprintf(w->digest, sizeof w->digest, "%s", digest);
    w->job.run = wish_run;
    w->job.done = wish_done;
    store_write(s->store, &w->job);
}

/* ---- the rest -----------------------------------------------------------------------------------*/

struct json *site_status(struct site *s)
{
    struct json *status = json_copy(s->status);

    replica_add_status(s, status);
    return status;
}

void site_add_links(struct site *s, struct json *status)
{
    replica_add_status(s, status);
}

void site_on_case(struct site *s, void (*fn)(void *arg, const char *case_no), void *arg)
{
    s->on_case = fn;
    s->on_case_arg = arg;
}

struct office *site_office(struct site *s)
{
    return &s->office;
}

struct store *site_store(struct site *s)
{
    return s->store;
}

struct blob_dir *site_blobs(struct site *s)
{
    return s->blobs;
}

const char *site_dir(struct site *s)
{
    return s->folder.dir;
}

const char *site_cert_path(struct site *s)
{
    return s->cert;
}

const char *site_key_path(struct site *s)
{
    return s->key;
}

const char *site_ca_path(struct site *s)
{
    return s->ca;
}
