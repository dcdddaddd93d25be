/* The table `invitation`: what a parent has promised to a child that has not come yet. */
#include "office/invitations.h"

#include "base/crypto.h"
#include "base/text.h"

#define INVITATION_DAYS 7

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
