/* One site that serves: opened in order, ticking, closed again. */
#include "site/site.h"

#include "base/mem.h"
#include "net/loop.h"
#include "net/pki_post.h"
#include "office/lease.h"
#include "site/catch_up.h"
#include "site/inside.h"
#include "site/links.h"
#include "site/replica.h"
#include "site/status.h"
#include "site/sync_http.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define READERS_NODE 1
#define READERS_HUB 6 /* papers are written, hashed and synced by them too */
_Static_assert(READERS_HUB <= GLANCE_READERS, "each reader's connection has its place in seen[]");

/* ---- open and close ---------------------------------------------------------------------------*/

static void wake(void *arg)
{
    loop_wake(arg);
}

static void woken(void *arg)
{
    struct site *s = arg;

    if (!s->store)
        return;
    store_complete(s->store);
    replica_settle(s);
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
    s->look |= LOOK_WHOLE;
    replica_settle(s);
}

/* The status that GET /status answers: of this moment, not of the last tick. */
static struct json *fresh_status(void *arg, struct db *db)
{
    struct site *s = arg;
    struct json *status = NULL;
    struct errmsg e;

    if (status_read(&s->office, db, s->folder.dir, &status, &e) != OK)
        return NULL;
    return status;
}

enum err site_start(struct site *s, struct errmsg *e)
{
    assert(!s->tick && !s->stopping);
    s->office.status = fresh_status;
    s->office.status_arg = s;
    s->tick = loop_timer(s->loop, TICK_MS, on_tick, s);
    s->look |= LOOK_WHOLE;
    replica_settle(s);
    catch_up_start(s);
    return links_start(s, e);
}

void site_stop(struct site *s)
{
    if (!s || s->stopping)
        return;
    s->stopping = true;
    timer_cancel(s->tick);
    s->tick = NULL;
    links_stop(s);
    store_close(s->store);
    s->store = NULL;
    replica_settle(s); /* what was under way has ended; nothing new is begun */
}

void site_close(struct site *s)
{
    if (!s)
        return;
    assert(!s->stopping || !s->store);
    store_close(s->store); /* of a site that was never stopped: it was not wholly opened */
    blob_dir_close(s->blobs);
    office_close(&s->office);
    links_finish(s);
    json_free(s->link);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    mem_free(s);
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
        w->site->look |= LOOK_OUTBOXES;
    mem_free(w);
}

void site_want_document(struct site *s, const char *digest)
{
    struct wish *w = mem_alloc(sizeof *w);

    assert(strlen(digest) == DIGEST_TEXT_LEN);
    w->site = s;
    snprintf(w->digest, sizeof w->digest, "%s", digest);
    w->job.run = wish_run;
    w->job.done = wish_done;
    store_write(s->store, &w->job);
}

/* ---- the rest ---------------------------------------------------------------------------------*/

void site_changed(struct site *s)
{
    s->look |= LOOK_OUTBOXES;
    replica_settle(s);
}

const struct ws_endpoint *site_sync_endpoint(struct site *s)
{
    return links_endpoint(s);
}

const struct route *site_sync_routes(struct site *s, size_t *ret_count)
{
    return sync_http_routes(s, ret_count);
}

void site_sync_fallback(struct request *req, void *site)
{
    sync_http_fallback(req, site);
}

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

void site_on_dossier(struct site *s, void (*fn)(void *arg, const char *id), void *arg)
{
    assert(!s->on_dossier || !fn);
    s->on_dossier = fn;
    s->on_dossier_arg = arg;
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
