/* The table `account`. */
#include "office/accounts.h"

#include "base/crypto.h"
#include "base/text.h"
#include "office/say.h"

#include <assert.h>

#define ROLES "agent, clerk, reviewer, dispatcher, courier, supervisor, admin"

#define ROLE_WORDS " agent clerk reviewer dispatcher courier supervisor admin "

static bool username_fits(const char *s)
{
    return s && strlen(s) >= 3 && strlen(s) <= 40 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(s);
}

/* Agents belong to communities, all others to streets and districts: nobody gives himself rights at the
 * desk of an office above by the name of a role. */
static bool role_fits(const char *role, const char *site)
{
    enum tier tier;

    return word_in(ROLE_WORDS, role) && division_tier(site, &tier) &&
           text_is(role, "agent") == (tier == TIER_COMMUNITY);
}

enum err account_created(struct office *o, struct db *db, const struct event *ev,
                         const struct json *record, const struct json *personal, struct errmsg *e)
{
    const char *site = json_get_text(record, "site"), *role = json_get_text(record, "role");
    const char *username = json_get_text(record, "username");

    (void)o;
    if (!username_fits(username) || !role_fits(role, site)) {
        errmsg_set(e, "an account without a user name, or whose role is not one of its site");
        return ERR_INVALID;
    }
    struct stmt *st = db_stmt(
        db, "INSERT INTO account (site, username, name, role, salt, hash, rev, hlc) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (site, username) DO UPDATE SET "
            "name = excluded.name, role = excluded.role, salt = excluded.salt, "
            "hash = excluded.hash, rev = excluded.rev, hlc = excluded.hlc "
            "WHERE (excluded.rev, excluded.hlc) >= (account.rev, account.hlc)");
    bind_text(st, 1, site);
    bind_text(st, 2, username);
    /* Its name and its password can be forgotten. */
    bind_text(st, 3, text_or(json_get_text(personal, "name"), ""));
    bind_text(st, 4, role);
    bind_text(st, 5, text_or(json_get_text(personal, "salt"), ""));
    bind_text(st, 6, text_or(json_get_text(personal, "hash"), ""));
    bind_int(st, 7, json_get_int(record, "rev", 1));
    bind_int(st, 8, (int64_t)ev->hlc);
    return db_run(st, e);
}

static enum err wrong(struct problem *p, const char *field, const char *expected, const char *found,
                      const char *zh, const char *en)
{
    problem_set(p, 422, "account-invalid", field, expected, found, zh, en);
    return ERR_INVALID;
}

static enum err check(struct office *o, const struct caller *c, const struct json *in,
                      struct problem *p)
{
    const char *username = json_get_text(in, "username"), *name = json_get_text(in, "name");
    const char *role = json_get_text(in, "role"), *site = json_get_text(in, "site");
    enum tier tier;

    if (!username_fits(username))
        return wrong(p, "username", "3 to 40 of a-z 0-9 . _ -", username,
                     "用户名应为 3 至 40 个小写字母、数字或 . _ -", "The user name is not right");
    if (!name || !name[0] || strlen(name) > 60)
        return wrong(p, "name", "a name", name, "请填写姓名", "Enter the name");
    if (!word_in(ROLE_WORDS, role))
        return wrong(p, "role", ROLES, role, "没有这个岗位", "There is no such role");
    if (!site || !division_tier(site, &tier) || !division_within(site, o->site) ||
        !division_within(site, c->site))
        return wrong(p, "site", "this site or one below it", site, "站点应为本站或其下级",
                     "The site must be this one or below it");
    if (!role_fits(role, site))
        return wrong(p, "role", "agent at a community, another role elsewhere", role,
                     "代办员属于社区，其他岗位属于街道或区",
                     "Agents belong to communities, other roles to streets and districts");
    return OK;
}

enum err account_seal(const struct host *h, struct json *in, struct problem *p)
{
    const char *password = json_get_text(in, "password");
    unsigned char salt[16], hash[32];
    char salt_hex[33], hash_hex[65];

    if (!password || strlen(password) < 10 || strlen(password) > 200)
        return wrong(p, "password", "10 to 200 characters", NULL, "密码应为 10 至 200 个字符",
                     "The password must have 10 to 200 characters");
    host_random(h, salt, sizeof salt);
    crypto_scrypt(password, salt, hash);
    hex_encode(salt, 16, salt_hex);
    hex_encode(hash, 32, hash_hex);
    json_set_text(in, "salt", salt_hex);
    json_set_text(in, "hash", hash_hex);
    json_del(in, "password");
    return OK;
}

enum err account_add(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    enum err err = check(o, c, in, p);
    struct errmsg e = {""};
    bool row;

    if (err != OK)
        return err;
    const char *username = json_get_text(in, "username");
    struct stmt *st = db_stmt(db, "SELECT 1 FROM account WHERE site = $1 AND username = $2");
    bind_text(st, 1, json_get_text(in, "site"));
    bind_text(st, 2, username);
    if ((err = db_step(st, &row, &e)) != OK)
        return err;
    db_reset(st);
    if (row) {
        problem_set(p, 409, "account-exists", "username", "a new user name", username,
                    "这个用户名已经有了", "This user name is taken");
        return ERR_CONFLICT;
    }
    assert(json_get_text(in, "salt") && json_get_text(in, "hash")); /* account_seal() */
    struct json *b = json_object();
    json_set_text(b, "username", username);
    json_set_text(b, "name", json_get_text(in, "name"));
    json_set_text(b, "role", json_get_text(in, "role"));
    json_set_text(b, "site", json_get_text(in, "site"));
    json_set_text(b, "salt", json_get_text(in, "salt"));
    json_set_text(b, "hash", json_get_text(in, "hash"));
    json_set_int(b, "rev", 1);
    char street[13];
    division_street(json_get_text(in, "site"), street);
    if ((err = office_say_fact(o, db, "account.created/1", street, NULL, b, &e)) != OK)
        return err;
    *out = json_object();
    json_set_text(*out, "username", username);
    return OK;
}

enum err account_list(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    struct stmt *st =
        db_stmt(db, "SELECT username, name, role, site FROM account ORDER BY site, username");
    struct json *list = json_array();
    const char *site = json_get_text(in, "site"), *role = json_get_text(in, "role");
    struct errmsg e;
    enum err err;
    bool row;

    (void)o;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        if (!division_within(col_text(st, 3), c->site) || (site && strcmp(site, col_text(st, 3))) ||
            (role && strcmp(role, col_text(st, 2))))
            continue;
        struct json *a = json_object();
        json_set_text(a, "username", col_text(st, 0));
        json_set_text(a, "name", col_text(st, 1));
        json_set_text(a, "role", col_text(st, 2));
        json_set_text(a, "site", col_text(st, 3));
        json_push(list, a);
    }
    *out = json_object();
    json_set(*out, "accounts", list);
    return err;
}
