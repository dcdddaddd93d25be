#include "api/upload_use.h"

#include "api/tally.h"
#include "base/arena.h"
#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/store.h"
#include "ledger/blob.h"
#include "net/loop.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS (24LL * 3600 * 1000)
#define SWEEP_EVERY_MS (10LL * 60 * 1000)
#define SWEEP_SOON_MS 2000 /* first, and when papers wait for the second turn */
#define DOOMED_MAX 200

struct upload_use {
    struct loop *loop;
    struct store *store;
    const struct host *host;
    struct limits *limits;
    struct blob_dir *blobs;
    char dir[4096];
    struct tally *clients;
    struct timer *timer;
    struct sweep *running;
    bool counted; /* what was there at the start is in limits->used */
    char doomed[DOOMED_MAX][DIGEST_TEXT_LEN + 1]; /* their rows are gone */
    int doomed_count;
};

struct sweep {
    struct job job;
    struct upload_use *use; /* NULL: it has ended meanwhile */
    struct blob_dir *blobs;
    char dir[4096];
    bool counts; /* the first: how much is there */
    int64_t now_ms, uploads, bytes, removed, removed_bytes;
    char old[DOOMED_MAX][DIGEST_TEXT_LEN + 1], doomed[DOOMED_MAX][DIGEST_TEXT_LEN + 1];
    int old_count, doomed_count, papers;
};

/* ---- what is used -----------------------------------------------------------------------------*/

static bool client_may(struct upload_use *u, const char *network, int64_t length, int64_t now)
{
    const struct limits *l = u->limits;
    enum limit found =
        tally_of(u->clients, "count", network, DAY_MS, now) >= l->max[LIMIT_UPLOADS_PER_CLIENT]
            ? LIMIT_UPLOADS_PER_CLIENT
        : tally_of(u->clients, "bytes", network, DAY_MS, now) + length >
                l->max[LIMIT_UPLOAD_BYTES_PER_CLIENT]
            ? LIMIT_UPLOAD_BYTES_PER_CLIENT
            : LIMIT_COUNT;

    if (found != LIMIT_COUNT)
        limits_note_refusal(u->limits, found);
    return found == LIMIT_COUNT;
}

bool upload_use_begin(struct upload_use *u, const char *network, int64_t length, struct problem *p)
{
    int64_t now = host_mono_ms(u->host);

    if (!client_may(u, network, length, now)) {
        problem_set(p, 429, "too-many-uploads", NULL, "less from one network in a day", NULL,
                    "来自这个网络的上传今天已达上限，请明天再传，或到窗口办理。",
                    "As much as may be uploaded from this network in a day was uploaded. Come "
                    "again tomorrow, or to the desk.");
        return false;
    }
    bool room = limits_take(u->limits, LIMIT_UPLOADS, 1);
    if (room && !limits_take(u->limits, LIMIT_UPLOAD_BYTES, length)) {
        limits_give(u->limits, LIMIT_UPLOADS, 1);
        room = false;
    }
    if (!room) {
        problem_set(p, 503, "uploads-full", NULL, NULL, NULL,
                    "本站暂存的上传材料已满，请稍后再试。",
                    "This site holds as many uploads as it takes. Try again later.");
        return false;
    }
    tally_add(u->clients, "count", network, DAY_MS, now, 1);
    tally_add(u->clients, "bytes", network, DAY_MS, now, length);
    return true;
}

static void give(struct upload_use *u, enum limit x, int64_t n)
{
    /* what was there before the first sweep has counted it may end before that */
    limits_give(u->limits, x, n < u->limits->used[x] ? n : u->limits->used[x]);
}

void upload_use_end(struct upload_use *u, int64_t length)
{
    give(u, LIMIT_UPLOADS, 1);
    give(u, LIMIT_UPLOAD_BYTES, length);
}

/* ---- the sweep, on the writer -----------------------------------------------------------------*/

static enum err count_all(struct sweep *s, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT count(*), coalesce(sum(length), 0) FROM upload "
                                  "/* full scan: once, at the start */");
    bool row;
    enum err err = db_step(st, &row, e);

    if (err == OK && row) {
        s->uploads = col_int(st, 0);
        s->bytes = col_int(st, 1);
    }
    db_reset(st);
    return err;
}

/* Papers whose last upload is over; whether a case names them is seen when their row goes. */
static enum err find_over(struct sweep *s, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT digest FROM upload WHERE digest IS NOT NULL GROUP BY digest "
            "HAVING max(expires_ms) < $now LIMIT $most /* full scan: the uploads of a day */");
    enum err err;
    bool row;

    bind_int(st, "now", s->now_ms);
    bind_int(st, "most", DOOMED_MAX);
    while ((err = db_step(st, &row, e)) == OK && row)
        snprintf(s->doomed[s->doomed_count++], sizeof *s->doomed, "%s", col_text(st, 0));
    return err;
}

static enum err drop_unnamed(struct sweep *s, struct db *db, struct errmsg *e)
{
    int kept = 0;

    for (int i = 0; i < s->doomed_count; i++) {
        struct stmt *st =
            db_stmt(db, "DELETE FROM document WHERE digest = $1 AND dossier = '' RETURNING digest");
        bool row;
        bind_text(st, 1, s->doomed[i]);
        enum err err = db_step(st, &row, e);
        if (err != OK)
            return err;
        if (row) {
            db_reset(st);
            memmove(s->doomed[kept++], s->doomed[i], sizeof *s->doomed);
        }
    }
    s->doomed_count = kept;
    return OK;
}

static enum err drop_rows(struct sweep *s, struct db *db, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "DELETE FROM upload WHERE expires_ms < $now RETURNING id, length");
    enum err err;
    bool row;

    bind_int(st, "now", s->now_ms);
    while ((err = db_step(st, &row, e)) == OK && row) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%s", s->dir, col_text(st, 0));
        unlink(path); /* bytes without a row are nobody's, also when this turn is undone: HEAD says
                         404, and the sender begins anew */
        s->removed++;
        s->removed_bytes += col_int(st, 1);
    }
    return err;
}

/* Bytes of papers whose rows went in a turn before this one. */
static enum err remove_old(struct sweep *s, struct db *db, struct errmsg *e)
{
    for (int i = 0; i < s->old_count; i++) {
        struct stmt *st = db_stmt(db, "SELECT 1 FROM document WHERE digest = $1");
        bool row;
        bind_text(st, 1, s->old[i]);
        enum err err = db_step(st, &row, e);
        if (err != OK)
            return err;
        if (row) {
            db_reset(st); /* it came again */
            continue;
        }
        blob_remove(s->blobs, s->old[i]);
        s->papers++;
    }
    return OK;
}

static enum err sweep_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct sweep *s = (struct sweep *)job;
    enum err err = s->counts ? count_all(s, db, e) : OK;

    if (err == OK)
        err = remove_old(s, db, e);
    if (err == OK)
        err = find_over(s, db, e);
    if (err == OK)
        err = drop_unnamed(s, db, e);
    return err == OK ? drop_rows(s, db, e) : err;
}

/* ---- and back ---------------------------------------------------------------------------------*/

static void sweep_now(void *arg);

static void take_over(struct upload_use *u, struct sweep *s)
{
    if (s->counts) { /* with those that came since the start */
        u->limits->used[LIMIT_UPLOADS] = s->uploads;
        u->limits->used[LIMIT_UPLOAD_BYTES] = s->bytes;
        u->counted = true;
    }
    give(u, LIMIT_UPLOADS, s->removed);
    give(u, LIMIT_UPLOAD_BYTES, s->removed_bytes);
    memcpy(u->doomed, s->doomed, sizeof u->doomed);
    u->doomed_count = s->doomed_count;
    if (s->papers)
        log_line(LOG_LEVEL_INFO, "uploads", "removed=%d reason=\"papers that no case names\"",
                 s->papers);
}

static void sweep_done(struct job *job)
{
    struct sweep *s = (struct sweep *)job;
    struct upload_use *u = s->use;

    if (u) {
        u->running = NULL;
        if (job->err == OK)
            take_over(u, s);
        if (job->err != ERR_CLOSED)
            u->timer =
                loop_timer(u->loop, u->doomed_count ? SWEEP_SOON_MS : SWEEP_EVERY_MS, sweep_now, u);
    }
    mem_free(s);
}

static void sweep_now(void *arg)
{
    struct upload_use *u = arg;
    struct sweep *s = mem_alloc(sizeof *s);

    u->timer = NULL;
    u->running = s;
    s->use = u;
    s->blobs = u->blobs;
    memcpy(s->dir, u->dir, sizeof s->dir);
    s->counts = !u->counted;
    s->now_ms = host_wall_ms(u->host);
    memcpy(s->old, u->doomed, sizeof s->old);
    s->old_count = u->doomed_count;
    s->job.run = sweep_run;
    s->job.done = sweep_done;
    store_write(u->store, &s->job);
}

struct upload_use *upload_use_create(struct loop *loop, struct store *store,
                                     const struct host *host, struct limits *limits,
                                     struct blob_dir *blobs, const char *dir)
{
    struct upload_use *u = mem_alloc(sizeof *u);

    u->loop = loop;
    u->store = store;
    u->host = host;
    u->limits = limits;
    u->blobs = blobs;
    snprintf(u->dir, sizeof u->dir, "%s", dir);
    u->clients = tally_create();
    u->timer = loop_timer(loop, SWEEP_SOON_MS, sweep_now, u);
    return u;
}

void upload_use_destroy(struct upload_use *u)
{
    if (!u)
        return;
    timer_cancel(u->timer);
    if (u->running)
        u->running->use = NULL;
    tally_destroy(u->clients);
    mem_free(u);
}
