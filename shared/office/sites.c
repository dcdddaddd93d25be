/* The tree of sites: founding a district, inviting and enrolling children, who is where. */
#include "office/inside.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "ledger/chain.h"
#include "ledger/link_rows.h"
#include "ledger/outbox.h"
#include "ledger/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVITATION_DAYS 7
#define CERTIFICATE_BLOCK 500
#define WAYBILL_BLOCK 100000

enum err site_enrolled(struct db *db, const struct event *ev, const struct json *b,
                       struct errmsg *e)
{
    const char *site = json_get_text(b, "site"), *key = json_get_text(b, "public_key");
    struct stmt *st;
    unsigned char raw[32];
    enum tier tier;

    if (!site || !division_tier(site, &tier) || !key || !hex_decode(key, raw, 32)) {
        errmsg_set(e, "a site without code or key");
        return ERR_INVALID;
    }
    st = db_stmt(
        db,
        "INSERT INTO site (code, name, tier, public_key, hlc) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (code) DO UPDATE SET name = excluded.name, public_key = excluded.public_key, "
        "hlc = excluded.hlc WHERE excluded.hlc >= site.hlc");
    bind_text(st, 1, site);
    bind_text(st, 2, text_or(json_get_text(b, "name"), site));
    bind_text(st, 3, tier_name(tier));
    bind_text(st, 4, key);
    bind_int(st, 5, (int64_t)ev->hlc);
    return db_run(st, e);
}

enum err site_key_keep(struct office *o, struct db *db, const struct event *ev, struct errmsg *e)
{
    struct json *b = NULL;
    unsigned char raw[32];
    char by[13];
    enum err err = json_parse(ev->record, ev->record_len, &b, e);
    const char *site = err == OK ? text_or(json_get_text(b, "site"), "") : "";

    event_site(ev->origin, by);
    /* Said by the office above it, which took it in, and within our part of the tree. */
    if (err == OK && strcmp(site, by) && strcmp(by, o->site) && division_within(site, by) &&
        division_within(by, o->site) &&
        hex_decode(text_or(json_get_text(b, "public_key"), ""), raw, 32))
        err = ledger_key_set(db, site, raw, e);
    json_free(b);
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

static enum err say_enrolled(struct office *o, struct db *db, const char *site, const char *name,
                             const char *key, struct errmsg *e)
{
    struct json *b = json_object();
    char street[13];

    division_street(site, street);
    json_set_text(b, "site", site);
    json_set_text(b, "name", name);
    json_set_text(b, "public_key", key);
    return office_say(o, db, "site.enrolled/1", "", street, NULL, b, e);
}

enum err office_found(struct office *o, struct db *db, struct errmsg *e)
{
    unsigned char pub[32];
    char key[65];
    enum err err;

    if (o->tier == TIER_COMMUNITY)
        return OK; /* all comes from the parent */
    crypto_public(o->seed, pub);
    hex_encode(pub, 32, key);
    if (o->tier == TIER_DISTRICT) {
        if ((err = say_enrolled(o, db, o->site, o->name, key, e)) != OK ||
            (err = number_lease(o, db, "waybill", o->site, 90000000, 99999999, e)) != OK ||
            (err = number_lease(o, db, "case", o->site, 0, 99999, e)) != OK)
            return err;
        return number_lease(o, db, "certificate", o->site, 0, 999999, e);
    }
    if ((err = number_lease(o, db, "case", o->site, 50000, 99999, e)) != OK)
        return err;
    return number_lease(o, db, "certificate", o->site, 500000, 999999, e);
}

/* ---- invitations ------------------------------------------------------------------------------*/

enum err invitation_make(struct office *o, struct db *db, const char *site, const char *name,
                         int64_t case_numbers, char secret[33], struct problem *p, struct errmsg *e)
{
    unsigned char raw[16], hash[32];
    char parent[13], expected[80];
    struct stmt *st;

    if (!division_valid(site) || !division_parent(site, parent) || strcmp(parent, o->site)) {
        snprintf(expected, sizeof expected, "the code of a site directly below %s", o->site);
        problem_set(p, 422, "not-a-child", "site", expected, site, "只能邀请本站的直接下级站点。",
                    "Only a direct child of this site can be invited.");
        return ERR_INVALID;
    }
    if (!name || !name[0] || strlen(name) > 60 || case_numbers < 1 || case_numbers > 50000) {
        problem_set(p, 422, "invitation-invalid", name && name[0] ? "case_numbers" : "name",
                    "a name, and 1 to 50000 case numbers a day", NULL, "请填写站点名称。",
                    "Give the site's name.");
        return ERR_INVALID;
    }
    host_random(o->host, raw, sizeof raw);
    hex_encode(raw, sizeof raw, secret);
    crypto_sha256(secret, 32, hash);
    st = db_stmt(db, "INSERT INTO invitation (secret_hash, site, name, case_numbers, expires_ms) "
                     "VALUES ($1, $2, $3, $4, $5)");
    bind_blob(st, 1, hash, 32);
    bind_text(st, 2, site);
    bind_text(st, 3, name);
    bind_int(st, 4, case_numbers);
    bind_int(st, 5, host_wall_ms(o->host) + INVITATION_DAYS * 86400000LL);
    return db_run(st, e);
}

enum err invitation_create(struct office *o, struct db *db, const struct caller *c,
                           const struct json *in, struct json **out, struct problem *p)
{
    const char *site = text_or(json_get_text(in, "site"), "");
    char secret[33], text[80];
    struct errmsg e = {""};
    enum err err;

    if (!division_within(o->site, c->site)) {
        problem_set(p, 403, "not-allowed", "site", "an administrator of this site or above",
                    c->site, "您的账号没有这项权限。", "Your account may not do this.");
        return ERR_DENIED;
    }
    err = invitation_make(o, db, site, json_get_text(in, "name"),
                          json_get_int(in, "case_numbers", 1000), secret, p, &e);
    if (err != OK)
        return err;
    snprintf(text, sizeof text, "%s.%s.%s", site, secret, o->authority);
    *out = json_object();
    json_set_text(*out, "site", site);
    json_set_text(*out, "invitation", text);
    return OK;
}

enum err invitation_use(struct office *o, struct db *db, const char *site, const char *secret,
                        char name[64], int64_t *ret_case_numbers, struct problem *p,
                        struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT name, case_numbers, expires_ms, used_ms FROM invitation "
                                  "WHERE secret_hash = $1 AND site = $2");
    unsigned char hash[32];
    int64_t now = host_wall_ms(o->host);
    enum err err;
    bool row;

    crypto_sha256(secret, strlen(secret), hash);
    bind_blob(st, 1, hash, 32);
    bind_text(st, 2, site);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    bool used = row && col_int(st, 3), late = row && col_int(st, 2) < now;
    if (row) {
        snprintf(name, 64, "%s", col_text(st, 0));
        *ret_case_numbers = col_int(st, 1);
    }
    db_reset(st);
    if (!row || used || late) {
        problem_set(
            p, 403,
            !row   ? "invitation-wrong"
            : used ? "invitation-used"
                   : "invitation-expired",
            "invitation", "an invitation of this site that nobody has used", NULL,
            !row ? "邀请码不正确，请核对，或请上级站点重新邀请。"
            : used ? "邀请码已被使用，每个邀请码只能用一次，请上级站点重新邀请。"
                   : "邀请码已过期，请上级站点重新邀请。",
            !row ? "This invitation is wrong. Check it, or ask the parent site for another."
            : used
                ? "This invitation has been used. Each works once; ask the parent site for another."
                : "This invitation has expired. Ask the parent site for another.");
        return ERR_DENIED;
    }
    st = db_stmt(db, "UPDATE invitation SET used_ms = $2 WHERE secret_hash = $1");
    bind_blob(st, 1, hash, 32);
    bind_int(st, 2, now);
    return db_run(st, e);
}

/* ---- a child is taken in ----------------------------------------------------------------------*/

/* Whatever this child said in an earlier life. */
static enum err give_back(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT origin, seq FROM event WHERE origin >= $1 AND origin < $1 || '/' AND "
                    "hash IS NOT NULL ORDER BY origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, child);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(&o->ledger, db, child, col_text(st, 0), (uint64_t)col_int(st, 1),
                                  e)) != OK)
            break;
    db_reset(st);
    return err;
}

/* Everything that the child must know; its own past first, in order: it may have been here before.
 */
static enum err welcome(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT " LEDGER_COLUMNS(
                        "") " FROM event "
                            "WHERE dossier = '' AND state = 'applied' ORDER BY hlc, origin, seq");
    enum err err = give_back(o, db, child, e);
    bool row;

    while (err == OK && (err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        struct json *b = NULL;
        const char *place = NULL;
        if (json_parse(ev.record, ev.record_len, &b, NULL) == OK)
            place = !strcmp(ev.kind, "account.created/1") ? json_get_text(b, "site")
                    : !strcmp(ev.kind, "block.leased/1")  ? json_get_text(b, "holder")
                                                          : NULL;
        bool concerns =
            (strcmp(ev.kind, "account.created/1") && strcmp(ev.kind, "block.leased/1")) ||
            (place && division_within(place, child));
        if (concerns)
            err = ledger_enqueue(&o->ledger, db, child, ev.origin, ev.seq, e);
        json_free(b);
        if (err != OK)
            break;
    }
    db_reset(st);
    if (err != OK)
        return err;
    st = db_stmt(
        db, "SELECT case_no FROM case_file WHERE community = $1 OR filed_at = $1 OR held LIKE $2 "
            "/* full scan: once in the life of a child */");
    char like[32];
    snprintf(like, sizeof like, "%% %s %%", child);
    bind_text(st, 1, child);
    bind_text(st, 2, like);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue_dossier(&o->ledger, db, child, col_text(st, 0), e)) != OK)
            break;
    db_reset(st);
    return err;
}

static enum err forget_link(struct db *db, const char *child, struct errmsg *e)
{
    static const char *const sql[] = {"DELETE FROM outbox WHERE peer = $1",
                                      "DELETE FROM link WHERE peer = $1"};

    for (int i = 0; i < 2; i++) {
        struct stmt *st = db_stmt(db, sql[i]);
        bind_text(st, 1, child);
        enum err err = db_run(st, e);
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err lease_numbers(struct office *o, struct db *db, const char *site,
                              int64_t case_numbers, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT count(*) FROM block WHERE holder = $1");
    bool row;
    enum err err;

    bind_text(st, 1, site);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    bool has = row && col_int(st, 0);
    db_reset(st);
    if (has)
        return OK;
    if (o->tier == TIER_DISTRICT) {
        enum tier tier;
        char no[4];
        if (!division_tier(site, &tier) || tier != TIER_STREET)
            return OK; /* waybills are for streets: there is room for no more than nine hundred
                          holders */
        snprintf(no, sizeof no, "%.3s", site + 6);
        int64_t first = strtol(no, NULL, 10) * WAYBILL_BLOCK % 90000000;
        if ((err = number_waybill_block(db, first, WAYBILL_BLOCK, &first, e)) != OK)
            return err;
        return number_lease(o, db, "waybill", site, first, first + WAYBILL_BLOCK - 1, e);
    }
    if ((err = number_lease_next(o, db, "case", site, case_numbers, e)) != OK)
        return err;
    return number_lease_next(o, db, "certificate", site,
                             case_numbers > 1000 ? case_numbers * 5 : CERTIFICATE_BLOCK, e);
}

enum err office_enrol(struct office *o, struct db *db, const char *site, const char *name,
                      const char *key, int64_t case_numbers, struct errmsg *e)
{
    unsigned char raw[32];
    enum err err;

    if (!hex_decode(key, raw, 32)) {
        errmsg_set(e, "the public key is not 64 hex digits");
        return ERR_INVALID;
    }
    /* A site that is made anew has a new outbox; it gets everything again. */
    if ((err = forget_link(db, site, e)) != OK ||
        (err = link_add(db, site, "child", o->host, e)) != OK ||
        (err = ledger_key_set(db, site, raw, e)) != OK ||
        (err = say_enrolled(o, db, site, name, key, e)) != OK ||
        (err = lease_numbers(o, db, site, case_numbers, e)) != OK)
        return err;
    return welcome(o, db, site, e);
}

/* ---- lists ------------------------------------------------------------------------------------*/

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

enum err block_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    struct stmt *st = db_stmt(
        db, "SELECT b.kind, b.holder, b.first, b.last, coalesce(max(c.next), b.first) FROM block b "
            "LEFT JOIN counter c ON c.street = b.street AND c.kind = b.kind AND "
            "c.holder = b.holder GROUP BY b.street, b.kind, b.first ORDER BY b.kind, b.holder, "
            "b.first");
    struct json *list = json_array();
    struct errmsg e;
    enum err err;
    bool row;

    (void)o;
    (void)in;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        struct json *s = json_object();
        if (c && !division_within(col_text(st, 1), c->site)) {
            json_free(s);
            continue;
        }
        json_set_text(s, "kind", col_text(st, 0));
        json_set_text(s, "holder", col_text(st, 1));
        json_set_int(s, "first", col_int(st, 2));
        json_set_int(s, "last", col_int(st, 3));
        json_set_int(s, "next", col_int(st, 4) > col_int(st, 2) ? col_int(st, 4) : col_int(st, 2));
        json_push(list, s);
    }
    *out = json_object();
    json_set(*out, "blocks", list);
    return err;
}

enum err repair_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    struct stmt *st =
        db_stmt(db, "SELECT r.dossier, r.kind, r.reason, r.owner, r.deadline_ms, r.origin, r.seq "
                    "FROM repair r ORDER BY r.deadline_ms, r.origin, r.seq LIMIT 1000");
    struct json *list = json_array();
    struct errmsg e;
    enum err err;
    bool row;

    (void)in;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        if (!division_within(col_text(st, 3), c->site) && !case_visible(o, db, c, col_text(st, 0)))
            continue;
        struct json *s = json_object();
        json_set_text(s, "case_no", col_text(st, 0));
        json_set_text(s, "kind", col_text(st, 1));
        json_set_text(s, "reason", col_text(st, 2));
        json_set_text(s, "owner", col_text(st, 3));
        json_set_int(s, "deadline_ms", col_int(st, 4));
        json_set_text(s, "origin", col_text(st, 5));
        json_set_int(s, "seq", col_int(st, 6));
        json_push(list, s);
    }
    *out = json_object();
    json_set(*out, "repairs", list);
    return err;
}
