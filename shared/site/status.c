/* Where a site stands, for an operator: positions, queues, blocks, disk. */
#include "site/status.h"

#include "base/time.h"
#include "ledger/outbox.h"
#include "ledger/row.h"
#include "office/blocks.h"
#include "office/equipped.h"
#include "office/lease.h"
#include "office/offences.h"
#include "office/sites.h"
#include "site/link_end.h"

#include <assert.h>
#include <string.h>
#include <sys/statvfs.h>

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

/* What a parent knows of a child beside its outbox. denied_today: what is not its to say, as far as is
 * known here, by the deadline of its repair item. */
static enum err child_row(struct office *o, struct db *db, const char *site, struct json *l,
                          struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT count(*) FROM repair r JOIN event v ON v.origin = r.origin AND v.seq = r.seq "
            "WHERE r.owner = $1 AND substr(r.origin, 1, 12) = $2 AND v.state = 'denied' AND "
            "v.hlc >= $3 /* full scan: what waits for repair is little */");
    enum site_standing standing;
    struct equipment x;
    int offences = 0;
    enum err err;
    bool row;

    bind_text(st, 1, o->site);
    bind_text(st, 2, site);
    bind_int(st, 3, time_start_of_day(time_days(host_wall_ms(o->host))) << 16);
    if ((err = db_step(st, &row, e)) == OK && row)
        json_set_int(l, "denied_today", col_int(st, 0));
    db_reset(st);
    if (err != OK || (err = offences_today(o, db, site, &offences, e)) != OK ||
        (err = equipment_of(db, site, &x, e)) != OK ||
        (err = site_standing_of(db, site, &standing, e)) != OK)
        return err;
    json_set_int(l, "offences_today", offences);
    json_set_text(l, "standing",
                  standing == SITE_LOST      ? "lost"
                  : standing == SITE_REVOKED ? "revoked"
                                             : "enrolled");
    if (x.said)
        json_set_text(l, "program", x.program);
    return OK;
}

/* The row of a link: peer, role, head_pos, acked_pos, recv_pos, last_contact_ms, skew_ms. */
static enum err link_row(struct office *o, struct db *db, struct stmt *st, struct json *l,
                         struct errmsg *e)
{
    assert(!col_is_null(st, 0) && !col_is_null(st, 1));
    bool parent = !strcmp(col_text(st, 1), "parent");
    int64_t unsent, oldest, docs = 0;
    enum err err;

    json_set_text(l, parent ? "parent" : "site", col_text(st, 0));
    json_set_int(l, "head_pos", col_int(st, 2));
    json_set_int(l, "acked_pos", col_int(st, 3));
    json_set_int(l, "recv_pos", col_int(st, 4));
    at_of(l, "last_contact_at", col_int(st, 5));
    json_set_int(l, "skew_ms", col_int(st, 6));
    json_set_bool(l, "clock_differs", link_end_skew_shown(col_int(st, 6)));
    err = outbox_unsent(db, col_text(st, 0), &unsent, &oldest, e);
    json_set_int(l, "unsent_events", err == OK ? unsent : -1);
    at_of(l, "oldest_unsent_at", err == OK ? oldest : 0);
    if (!parent)
        return err == OK ? child_row(o, db, col_text(st, 0), l, e) : err;
    if (err == OK && o->tier == TIER_COMMUNITY)
        err = count(
            db, "SELECT count(*) FROM document WHERE state = 'here' AND sent = 0 AND dossier <> ''",
            &docs, e);
    json_set_int(l, "unsent_documents", docs);
    json_set_text(l, "state", "unknown"); /* the running program knows */
    return err;
}

enum err status_link(struct office *o, struct db *db, struct json **ret, struct errmsg *e)
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

enum err status_read(struct office *o, struct db *db, const char *dir, struct json **ret,
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

    assert(division_valid(o->site));
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
        bool held = false;
        if (err == OK)
            err = lease_held(o, db, &held, e);
        json_set_bool(x, "held", held);
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
