#include "site/site.h"

#include "base/log.h"
#include "base/mem.h"
#include "db/migrate.h"
#include "ledger/meta.h"
#include "net/pki_post.h"
#include "site/enrol.h"
#include "site/inside.h"
#include "site/upkeep.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define READERS_NODE 1
#define READERS_HUB 6 /* papers are written, hashed and synced by them too */
#define GLANCE_PAPERS 64
#define GLANCE_HEADS 1000

/* ---- open and close ---------------------------------------------------------------------------*/

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

/* On the writer, before and after each COMMIT. */
static enum err note_up_head(void *arg, struct db *db, struct errmsg *e)
{
    struct site *s = arg;
    struct stmt *st = db_stmt(db, "SELECT head_pos FROM link WHERE peer = $1");
    bool row;

    bind_text(st, 1, s->folder.parent);
    enum err err = db_step(st, &row, e);
    if (err == OK && row)
        s->up_head_next = (uint64_t)col_int(st, 0);
    db_reset(st);
    return err;
}

static void tell_up_head(void *arg)
{
    struct site *s = arg;

    atomic_store(&s->up_head, s->up_head_next);
}

/* What must be true before the first job: the schema, the office, and what a crash left of the
 * link. */
static enum err prepare(struct site *s, struct errmsg *e)
{
    struct db *db = NULL;
    enum err err = folder_open_db(&s->folder, &db, e);

    if (err == OK && (err = folder_office(&s->folder, &s->office, db, e)) == OK &&
        s->folder.parent[0] && (err = db_begin(db, e)) == OK &&
        (err = lease_link_closed(&s->office, db, e)) == OK)
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
    s->turn = arena_create();
    if ((err = folder_read(dir, &s->folder, e)) != OK ||
        (err = folder_lock(dir, &s->lock_fd, e)) != OK || (err = prepare(s, e)) != OK)
        goto fail;
    folder_path(dir, "blobs", path, sizeof path);
    if ((err = blob_dir_open(path, &s->blobs, e)) != OK)
        goto fail;
    folder_path(dir, "doorstep.db", path, sizeof path);
    if ((err = store_open(path, s->office.tier == TIER_COMMUNITY ? READERS_NODE : READERS_HUB, wake,
                          loop, &s->store, e)) != OK)
        goto fail;
    if (s->folder.parent[0]) {
        store_set_precommit(s->store, note_up_head, s);
        store_set_committed(s->store, tell_up_head, s);
    }
    folder_path(dir, "keys/site.crt", s->cert, sizeof s->cert);
    folder_path(dir, "keys/site.key", s->key, sizeof s->key);
    folder_path(dir, "keys/ca.crt", s->ca, sizeof s->ca);
    if (s->folder.parent[0] &&
        (err = pki_parse_url(s->folder.parent_url, s->parent_host, sizeof s->parent_host,
                             &s->parent_port, e)) != OK)
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
    replica_finish(s);
    json_free(s->link);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    mem_free(s);
}

/* ---- a glance ---------------------------------------------------------------------------------*/

/* Has anything been written since this connection looked last? Programs beside this one write too.
 */
static enum err written(struct site *s, struct db *db, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "PRAGMA data_version");
    int64_t version = 0;
    int i = 0;
    bool row;
    enum err err = db_step(st, &row, e);

    if (err == OK && row)
        version = col_int(st, 0);
    db_reset(st);
    while (i < GLANCE_READERS - 1 && s->seen[i].db && s->seen[i].db != db)
        i++;
    *ret = s->seen[i].db != db || s->seen[i].version != version;
    s->seen[i].db = db;
    s->seen[i].version = version;
    return err;
}

static enum err glance_links(struct glance *g, struct db *db, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT peer, head_pos FROM link WHERE head_pos > acked_pos "
                    "/* full scan: a link a child, and only when something was written */");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        if (g->link_count == g->link_cap) {
            g->link_cap = g->link_cap ? g->link_cap * 2 : 64;
            g->links = mem_realloc(g->links, sizeof *g->links * (size_t)g->link_cap);
        }
        struct glance_link *l = &g->links[g->link_count++];
        snprintf(l->peer, sizeof l->peer, "%s", col_text(st, 0));
        l->head_pos = (uint64_t)col_int(st, 1);
    }
    db_reset(st);
    return err;
}

static void note_revoked(void *arg, const char *peer)
{
    struct glance *g = arg;

    snprintf(g->revoked[g->revoked_count++], sizeof *g->revoked, "%s", peer);
}

/* A command beside this program may have revoked a child. */
static enum err glance_revoked(struct glance *g, struct db *db, struct errmsg *e)
{
    g->revoked = arena_alloc(g->arena, sizeof *g->revoked * GLANCE_HEADS);
    return meta_each(db, "revoked.", GLANCE_HEADS, note_revoked, g, e);
}

static enum err glance_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct glance *g = (struct glance *)job;
    struct site *s = g->site;
    bool news = false;
    enum err err = written(s, db, &news, e);

    if (err == OK && news)
        err = glance_links(g, db, e);
    if (err == OK && news)
        err = glance_revoked(g, db, e);
    g->wanted = arena_alloc(g->arena, sizeof *g->wanted * GLANCE_PAPERS);
    if (err == OK)
        err = exchange_wanted(db, GLANCE_PAPERS, g->wanted, &g->wanted_count, e);
    if (err == OK && g->whole && s->office.tier == TIER_COMMUNITY) {
        g->unsent = arena_alloc(g->arena, sizeof *g->unsent * GLANCE_PAPERS);
        err = exchange_unsent(db, GLANCE_PAPERS, g->unsent, &g->unsent_count, e);
    }
    if (err == OK && g->whole && s->folder.parent[0] && (news || g->heads_wanted)) {
        g->heads = arena_alloc(g->arena, sizeof *g->heads * GLANCE_HEADS);
        err = exchange_heads(&s->office, db, GLANCE_HEADS, g->heads, &g->head_count, e);
    }
    if (err == OK && g->whole && s->folder.parent[0])
        err = upkeep_link(&s->office, db, &g->link, e);
    if (err != OK)
        memset(s->seen, 0, sizeof s->seen); /* look again */
    return err;
}

static void glance_done(struct job *job)
{
    struct glance *g = (struct glance *)job;
    struct site *s = g->site;

    s->glancing = false;
    if (job->err == OK && !s->stopping) {
        if (g->link) {
            json_free(s->link);
            s->link = g->link;
            g->link = NULL;
        }
        replica_glanced(s, g);
    } else if (job->err != OK && !s->stopping) {
        log_line(LOG_LEVEL_WARN, "site", "glance=failed error=%s text=\"%s\"", err_name(job->err),
                 job->msg.text);
    }
    json_free(g->link);
    mem_free(g->links);
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
    replica_up(s);
    if (s->glancing) {
        s->glance_again = true;
        return;
    }
    struct glance *g = mem_alloc(sizeof *g);
    g->site = s;
    g->whole = whole;
    g->heads_wanted = whole && s->show_heads;
    if (whole)
        s->show_heads = false;
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

/* ---- wanted papers ----------------------------------------------------------------------------*/

struct wish {
    struct job job;
    struct site *site;
    char digest[DIGEST_TEXT_LEN + 1];
};

static enum err wish_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct wish *w = (struct wish *)job;
    struct stmt *st = db_stmt(
        db,
        "UPDATE document SET state = 'wanted', urgent = 1 WHERE digest = $1 AND state <> 'here'");

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

/* ---- the rest ---------------------------------------------------------------------------------*/

struct json *site_status(struct site *s)
{
    struct json *status = json_object();

    if (s->link)
        json_set(status, "link", json_copy(s->link));
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
