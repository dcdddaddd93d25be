/* The table `site`. */
#include "office/sites.h"

#include "base/crypto.h"
#include "base/text.h"
#include "ledger/chain.h"

/* A key that came from below: from now on the heads of that site are checked here too. */
static enum err keep_key(struct office *o, struct db *db, const struct event *ev, const char *site,
                         const unsigned char key[32], struct errmsg *e)
{
    char by[13];

    event_site(ev->origin, by);
    /* Said by the office above it, which took it in, and within our part of the tree. */
    return strcmp(site, by) && strcmp(by, o->site) && division_within(by, o->site)
               ? ledger_key_set(db, site, key, e)
               : OK;
}

enum err site_enrolled(struct office *o, struct db *db, const struct event *ev,
                       const struct json *record, const struct json *personal, struct errmsg *e)
{
    const char *site = json_get_text(record, "site"), *key = json_get_text(record, "public_key");
    struct stmt *st;
    unsigned char raw[32];
    enum tier tier;

    (void)personal;
    if (!site || !division_tier(site, &tier) || !key || !hex_decode(key, raw, 32)) {
        errmsg_set(e, "a site without code or key");
        return ERR_INVALID;
    }
    st = db_stmt(db, "INSERT INTO site (code, name, tier, public_key, ended, rev, hlc) "
                     "VALUES ($1, $2, $3, $4, '', $5, $6) ON CONFLICT (code) DO UPDATE SET "
                     "name = excluded.name, public_key = excluded.public_key, ended = '', "
                     "rev = excluded.rev, hlc = excluded.hlc "
                     "WHERE (excluded.rev, excluded.hlc) >= (site.rev, site.hlc)");
    bind_text(st, 1, site);
    bind_text(st, 2, text_or(json_get_text(record, "name"), site));
    bind_text(st, 3, tier_name(tier));
    bind_text(st, 4, key);
    bind_int(st, 5, json_get_int(record, "rev", 1));
    bind_int(st, 6, (int64_t)ev->hlc);
    enum err err = db_run(st, e);
    return err == OK ? keep_key(o, db, ev, site, raw, e) : err;
}

enum err site_revoked(struct office *o, struct db *db, const struct event *ev,
                      const struct json *record, const struct json *personal, struct errmsg *e)
{
    const char *site = json_get_text(record, "site"),
               *how = text_or(json_get_text(record, "how"), "");
    enum tier tier = TIER_COMMUNITY;
    struct stmt *st;

    (void)o;
    (void)personal;
    if (!word_in(" lost revoked ", how)) {
        errmsg_set(e, "a site ends as lost or revoked");
        return ERR_INVALID;
    }
    division_tier(site, &tier);
    st = db_stmt(db, "INSERT INTO site (code, name, tier, public_key, ended, rev, hlc) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code) DO UPDATE SET "
                     "name = excluded.name, public_key = excluded.public_key, "
                     "ended = excluded.ended, rev = excluded.rev, hlc = excluded.hlc "
                     "WHERE (excluded.rev, excluded.hlc) >= (site.rev, site.hlc)");
    bind_text(st, 1, site);
    bind_text(st, 2, text_or(json_get_text(record, "name"), site));
    bind_text(st, 3, tier_name(tier));
    bind_text(st, 4, text_or(json_get_text(record, "public_key"), ""));
    bind_text(st, 5, how);
    bind_int(st, 6, json_get_int(record, "rev", 1));
    bind_int(st, 7, (int64_t)ev->hlc);
    return db_run(st, e);
}

enum err site_next_rev(struct db *db, const char *code, int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT rev FROM site WHERE code = $1");
    bool row;

    bind_text(st, 1, code);
    enum err err = db_step(st, &row, e);
    *ret = err == OK && row ? col_int(st, 0) + 1 : 1;
    db_reset(st);
    return err;
}

enum err site_standing_of(struct db *db, const char *code, enum site_standing *ret,
                          struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT ended FROM site WHERE code = $1");
    bool row;

    bind_text(st, 1, code);
    enum err err = db_step(st, &row, e);
    *ret = err != OK || !row                  ? SITE_UNKNOWN
           : text_is(col_text(st, 0), "lost") ? SITE_LOST
           : col_text(st, 0)[0]               ? SITE_REVOKED
                                              : SITE_STANDS;
    db_reset(st);
    return err;
}

void site_name_of(struct db *db, const char *code, char out[64])
{
    struct stmt *st = db_stmt(db, "SELECT name FROM site WHERE code = $1");
    struct errmsg e;
    bool row;

    snprintf(out, 64, "%s", code);
    bind_text(st, 1, code);
    if (db_step(st, &row, &e) == OK && row)
        snprintf(out, 64, "%s", col_text(st, 0));
    db_reset(st);
}

enum err site_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    struct stmt *st = db_stmt(db, "SELECT code, name, tier FROM site ORDER BY code");
    struct json *list = json_array();
    struct errmsg e;
    enum err err;
    bool row;

    (void)c;
    (void)in;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        struct json *s = json_object();
        json_set_text(s, "site", col_text(st, 0));
        json_set_text(s, "name", col_text(st, 1));
        json_set_text(s, "tier", col_text(st, 2));
        json_set_bool(s, "here", !strcmp(col_text(st, 0), o->site));
        json_push(list, s);
    }
    *out = json_object();
    json_set(*out, "sites", list);
    return err;
}
