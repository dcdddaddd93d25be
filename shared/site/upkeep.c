#include "site/upkeep.h"

#include "base/mem.h"
#include "base/time.h"
#include "ledger/blob.h"
#include "ledger/outbox.h"
#include "ledger/row.h"
#include "site/exchange.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- status -----------------------------------------------------------------------------------*/

static enum err count(struct db *db, const char *sql, int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);
    bool row;
    enum err err = db_step(st, &row, e);

    if (err == OK)
        *ret = row ? col_int(st, 0) : 0;
    db_reset(st);
    return err;
}

static void at_of(struct json *o, const char *key, int64_t ms)
{
    char text[32];

    if (!ms)
        return;
    time_rfc3339(ms, text);
    json_set_text(o, key, text);
}

/* The row of a link: peer, role, head_pos, acked_pos, recv_pos, last_contact_ms, skew_ms. */
static enum err link_row(struct office *o, struct db *db, struct stmt *st, struct json *l,
                         struct errmsg *e)
{
    bool parent = !strcmp(col_text(st, 1), "parent");
    int64_t unsent, oldest, docs = 0;
    enum err err;

    json_set_text(l, parent ? "parent" : "site", col_text(st, 0));
    json_set_int(l, "head_pos", col_int(st, 2));
    json_set_int(l, "acked_pos", col_int(st, 3));
    json_set_int(l, "recv_pos", col_int(st, 4));
    at_of(l, "last_contact_at", col_int(st, 5));
    json_set_int(l, "skew_ms", col_int(st, 6));
    json_set_bool(l, "clock_differs", exchange_skew_shown(col_int(st, 6)));
    err = outbox_unsent(db, col_text(st, 0), &unsent, &oldest, e);
    json_set_int(l, "unsent_events", err == OK ? unsent : -1);
    at_of(l, "oldest_unsent_at", err == OK ? oldest : 0);
    if (!parent)
        return err;
    if (err == OK && o->tier == TIER_COMMUNITY)
        err = count(
            db, "SELECT count(*) FROM document WHERE state = 'here' AND sent = 0 AND dossier <> ''",
            &docs, e);
    json_set_int(l, "unsent_documents", docs);
    json_set_text(l, "state", "unknown"); /* the running program knows */
    return err;
}

enum err upkeep_link(struct office *o, struct db *db, struct json **ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT peer, role, head_pos, acked_pos, recv_pos, "
                                  "last_contact_ms, skew_ms FROM link WHERE peer = $1");
    struct json *l = json_object();
    enum err err;
    bool row;

    bind_text(st, 1, o->parent);
    err = db_step(st, &row, e);
    if (err == OK && row)
        err = link_row(o, db, st, l, e);
    db_reset(st);
    if (err == OK)
        *ret = l;
    else
        json_free(l);
    return err;
}

static enum err links(struct office *o, struct db *db, struct json *out, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT peer, role, head_pos, acked_pos, recv_pos, "
                                  "last_contact_ms, skew_ms FROM link ORDER BY peer");
    struct json *children = json_array();
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        struct json *l = json_object();
        bool parent = !strcmp(col_text(st, 1), "parent");
        err = link_row(o, db, st, l, e);
        if (parent)
            json_set(out, "link", l);
        else
            json_push(children, l);
        if (err != OK)
            break;
    }
    db_reset(st);
    json_set(out, "children", children);
    return err;
}

static enum err origins(struct db *db, struct json *out, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT origin, seq, signed_seq FROM origin WHERE seq > 0 ORDER BY origin");
    struct json *list = json_array();
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        struct json *x = json_object();
        json_set_text(x, "origin", col_text(st, 0));
        json_set_int(x, "seq", col_int(st, 1));
        json_set_int(x, "signed_seq", col_int(st, 2));
        json_push(list, x);
    }
    json_set(out, "origins", list);
    return err;
}

enum err upkeep_status(struct office *o, struct db *db, const char *dir, struct json **ret,
                       struct errmsg *e)
{
    struct json *out = json_object(), *x = NULL;
    struct caller boss = {.user = "status",
                          .name = "",
                          .role = "admin",
                          .site = o->site,
                          .channel = "",
                          .query_code = ""};
    struct problem p;
    struct statvfs fs;
    int64_t n = 0;
    enum err err;

    json_set_text(out, "site", o->site);
    json_set_text(out, "name", o->name);
    json_set_text(out, "tier", tier_name(o->tier));
    at_of(out, "time", host_wall_ms(o->host));
    if ((err = links(o, db, out, e)) == OK && (err = origins(db, out, e)) == OK &&
        (err = block_list(o, db, &boss, NULL, &x, &p)) == OK) {
        json_set(out, "blocks", json_ref(json_get(x, "blocks")));
        err = count(db, "SELECT count(*) FROM repair", &n, e);
        json_set_int(out, "repairs", n);
    }
    if (err == OK) {
        err = count(db, "SELECT count(*) FROM document WHERE state = 'wanted'", &n, e);
        json_set_int(out, "documents_wanted", n);
    }
    if (err == OK) {
        err = ledger_shells(db, &n, e);
        json_set_int(out, "shells", n);
    }
    json_free(x);
    if (o->parent[0]) {
        x = json_object();
        json_set_bool(x, "held", lease_held(o, db));
        json_set(out, "lease", x);
    }
    if (!statvfs(dir, &fs)) {
        x = json_object();
        json_set_int(x, "free_bytes", (int64_t)fs.f_bavail * (int64_t)fs.f_frsize);
        json_set(out, "disk", x);
    }
    if (err != OK) {
        json_free(out);
        return err;
    }
    *ret = out;
    return OK;
}

/* ---- verify -----------------------------------------------------------------------------------*/

static enum err same_projections(const struct folder *f, struct db *db, struct errmsg *e)
{
    struct folder copy = *f;
    struct office o;
    struct db *fresh = NULL;
    char path[1200], before[65], after[65];
    enum err err;

    folder_path(f->dir, "verify.db", path, sizeof path);
    unlink(path);
    if ((err = db_copy_to(db, path, e)) != OK || (err = db_open(path, DB_WRITE, &fresh, e)) != OK)
        goto done;
    if ((err = db_begin(fresh, e)) == OK && (err = folder_office(&copy, &o, fresh, e)) == OK) {
        if ((err = office_digest(fresh, before, e)) == OK &&
            (err = office_rebuild(&o, fresh, e)) == OK)
            err = office_digest(fresh, after, e);
        if (err == OK && strcmp(before, after)) {
            errmsg_set(e,
                       "the projections differ from a fresh fold of the ledger: run \"rebuild\"");
            err = ERR_CORRUPT;
        }
        office_close(&o);
    }
done:
    db_close(fresh);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[1300];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return err;
}

/* Every paper that is said to be here is here. */
static enum err papers_there(struct db *db, struct blob_dir *blobs, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT digest FROM document WHERE state = 'here'");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row)
        if (!blob_exists(blobs, col_text(st, 0))) {
            errmsg_set(e, "the paper %s is said to be here and is not", col_text(st, 0));
            err = ERR_CORRUPT;
            break;
        }
    db_reset(st);
    return err;
}

enum err upkeep_verify(const struct folder *f, void (*say)(const char *line), struct errmsg *e)
{
    struct blob_dir *blobs = NULL;
    struct db *db = NULL;
    char path[1200], line[128];
    struct ledger_counts n;
    int64_t papers = 0;
    enum err err;

    folder_path(f->dir, "blobs", path, sizeof path);
    if ((err = folder_open_db(f, &db, e)) != OK || (err = blob_dir_open(path, &blobs, e)) != OK)
        goto done;
    if ((err = db_check(db, e)) != OK || (err = db_begin(db, e)) != OK ||
        (err = ledger_verify(db, &n, e)) != OK)
        goto done;
    snprintf(line, sizeof line, "ledger: %lld events, every chain and signature holds",
             (long long)n.chained);
    say(line);
    snprintf(line, sizeof line, "personal parts: %lld here, %lld only as digests",
             (long long)n.personal, (long long)n.shells);
    say(line);
    if ((err = blob_verify_all(blobs, &papers, e)) != OK ||
        (err = papers_there(db, blobs, e)) != OK)
        goto done;
    snprintf(line, sizeof line, "papers: %lld, each is what its name says", (long long)papers);
    say(line);
    if ((err = db_rollback(db, e)) == OK && (err = same_projections(f, db, e)) == OK)
        say("projections: equal to a fresh fold");
done:
    blob_dir_close(blobs);
    db_close(db);
    return err;
}

enum err upkeep_rebuild(const struct folder *f, struct errmsg *e)
{
    struct office o;
    struct db *db = NULL;
    enum err err = folder_open_db(f, &db, e);

    if (err == OK && (err = db_begin(db, e)) == OK && (err = folder_office(f, &o, db, e)) == OK) {
        if ((err = office_rebuild(&o, db, e)) == OK)
            err = db_commit(db, e);
        office_close(&o);
    }
    db_close(db);
    return err;
}

/* ---- backup and restore -----------------------------------------------------------------------*/

static enum err copy_file(const char *from, const char *to, struct errmsg *e)
{
    struct buf bytes = {0};
    char piece[65536];
    enum err err = OK;
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;

    if (in >= 0)
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool bad = in < 0 || out < 0;
    for (ssize_t n; !bad && (n = read(in, piece, sizeof piece)) != 0;)
        bad = n < 0 || write(out, piece, (size_t)n) != n;
    if (bad || fsync(out)) {
        int no = errno;
        errmsg_set(e, "copy %s to %s: %s", from, to, strerror(no));
        err = no == ENOSPC ? ERR_FULL : ERR_IO;
    }
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    buf_free(&bytes);
    return err;
}

/* Plain files of a folder, and of folders in it; what is unfinished (partial) stays behind. */
static enum err copy_tree(const char *from, const char *to, struct errmsg *e)
{
    DIR *d = opendir(from);
    struct dirent *x;
    enum err err = OK;

    if (mkdir(to, 0700) && errno != EEXIST) {
        errmsg_set(e, "make %s: %s", to, strerror(errno));
        err = ERR_IO;
    }
    while (d && err == OK && (x = readdir(d))) {
        char a[1400], b[1400];
        struct stat s;
        if (x->d_name[0] == '.' || !strcmp(x->d_name, "partial"))
            continue;
        snprintf(a, sizeof a, "%s/%s", from, x->d_name);
        snprintf(b, sizeof b, "%s/%s", to, x->d_name);
        if (stat(a, &s))
            continue;
        err = S_ISDIR(s.st_mode) ? copy_tree(a, b, e) : copy_file(a, b, e);
    }
    if (d)
        closedir(d);
    return err;
}

static enum err copy_site(const struct folder *f, const char *to, struct errmsg *e)
{
    struct db *db = NULL;
    char a[1200], b[1200];
    enum err err;

    if ((err = folder_make(to, e)) != OK)
        return err;
    /* The database first: papers that it names were stored before it named them. */
    folder_path(f->dir, "doorstep.db", a, sizeof a);
    folder_path(to, "doorstep.db", b, sizeof b);
    if ((err = db_open(a, DB_WRITE, &db, e)) == OK)
        err = db_copy_to(db, b, e);
    db_close(db);
    static const char *const trees[] = {"keys", "blobs"};
    for (size_t i = 0; err == OK && i < 2; i++) {
        folder_path(f->dir, trees[i], a, sizeof a);
        folder_path(to, trees[i], b, sizeof b);
        err = copy_tree(a, b, e);
    }
    if (err == OK) {
        struct folder copy = *f;
        snprintf(copy.dir, sizeof copy.dir, "%s", to);
        err = folder_seal(&copy, e);
    }
    return err;
}

enum err upkeep_backup(const struct folder *f, const char *to, struct errmsg *e)
{
    return copy_site(f, to, e);
}

/* The copy may be older than what the parent and the children have seen of this site. */
static enum err come_back(const char *dir, struct errmsg *e)
{
    struct folder f;
    struct office o;
    struct db *db = NULL;
    enum err err = folder_read(dir, &f, e);

    if (err == OK)
        err = folder_open_db(&f, &db, e);
    if (err == OK && (err = db_begin(db, e)) == OK && (err = folder_office(&f, &o, db, e)) == OK) {
        if ((err = exchange_come_back(&o, db, e)) == OK)
            err = db_commit(db, e);
        office_close(&o);
    }
    db_close(db);
    return err;
}

enum err upkeep_restore(const char *from, const char *dir, struct errmsg *e)
{
    struct folder f;
    enum err err = folder_read(from, &f, e);

    if (err == OK)
        err = copy_site(&f, dir, e);
    return err == OK ? come_back(dir, e) : err;
}
