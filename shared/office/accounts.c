/* Accounts travel as events; sign-ins stay where they were made. */
#include "office/inside.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

#define SESSION_MS (12LL * 3600 * 1000)
#define ROLES "agent, clerk, reviewer, dispatcher, courier, supervisor, admin"

static bool role_known(const char *role)
{
    static const char *const roles[] = {"agent",   "clerk",      "reviewer", "dispatcher",
                                        "courier", "supervisor", "admin"};

    for (size_t i = 0; role && i < sizeof roles / sizeof roles[0]; i++)
        if (!strcmp(roles[i], role))
            return true;
    return false;
}

enum err account_created(struct db *db, const struct event *ev, const struct json *b,
                         struct errmsg *e)
{
    static const char *const keys[] = {"username", "name", "role", "site", "salt", "hash"};
    struct stmt *st =
        db_stmt(db, "INSERT INTO account (username, name, role, site, salt, hash, hlc) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (username) DO UPDATE SET "
                    "name = excluded.name, role = excluded.role, site = excluded.site, "
                    "salt = excluded.salt, hash = excluded.hash, hlc = excluded.hlc "
                    "WHERE excluded.hlc >= account.hlc");

    for (int i = 0; i < 6; i++) {
        if (!json_get_text(b, keys[i])) {
            errmsg_set(e, "an account without %s", keys[i]);
            return ERR_INVALID;
        }
        bind_text(st, i + 1, json_get_text(b, keys[i]));
    }
    bind_int(st, 7, (int64_t)ev->hlc);
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
    const char *password = json_get_text(in, "password");
    enum tier tier;

    if (!username || strlen(username) < 3 || strlen(username) > 40 ||
        strspn(username, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(username))
        return wrong(p, "username", "3 to 40 of a-z 0-9 . _ -", username,
                     "用户名应为 3 至 40 个小写字母、数字或 . _ -", "The user name is not right");
    if (!name || !name[0] || strlen(name) > 60)
        return wrong(p, "name", "a name", name, "请填写姓名", "Enter the name");
    if (!role_known(role))
        return wrong(p, "role", ROLES, role, "没有这个岗位", "There is no such role");
    if (!site || !division_tier(site, &tier) || !division_within(site, o->site) ||
        !division_within(site, c->site))
        return wrong(p, "site", "this site or one below it", site, "站点应为本站或其下级",
                     "The site must be this one or below it");
    if (!strcmp(role, "agent") != (tier == TIER_COMMUNITY))
        return wrong(p, "role", "agent at a community, another role elsewhere", role,
                     "代办员属于社区，其他岗位属于街道或区",
                     "Agents belong to communities, other roles to streets and districts");
    if (!password || strlen(password) < 10 || strlen(password) > 200)
        return wrong(p, "password", "10 to 200 characters", NULL, "密码应为 10 至 200 个字符",
                     "The password must have 10 to 200 characters");
    return OK;
}

enum err account_add(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    enum err err = check(o, c, in, p);
    struct errmsg e = {""};
    unsigned char salt[16], hash[32];
    char salt_hex[33], hash_hex[65];
    bool row;

    if (err != OK)
        return err;
    const char *username = json_get_text(in, "username");
    struct stmt *st = db_stmt(db, "SELECT 1 FROM account WHERE username = $1");
    bind_text(st, 1, username);
    if ((err = db_step(st, &row, &e)) != OK)
        return err;
    db_reset(st);
    if (row) {
        problem_set(p, 409, "account-exists", "username", "a new user name", username,
                    "这个用户名已经有了", "This user name is taken");
        return ERR_CONFLICT;
    }
    host_random(o->host, salt, sizeof salt);
    crypto_scrypt(json_get_text(in, "password"), salt, hash);
    hex_encode(salt, 16, salt_hex);
    hex_encode(hash, 32, hash_hex);
    struct json *b = json_object();
    json_set_text(b, "username", username);
    json_set_text(b, "name", json_get_text(in, "name"));
    json_set_text(b, "role", json_get_text(in, "role"));
    json_set_text(b, "site", json_get_text(in, "site"));
    json_set_text(b, "salt", salt_hex);
    json_set_text(b, "hash", hash_hex);
    char street[13];
    division_street(json_get_text(in, "site"), street);
    if ((err = office_say(o, db, "account.created/1", "", street, NULL, b, &e)) != OK)
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

/* ---- sign-ins ---------------------------------------------------------------------------------*/

/* Nobody can sign in where no account has come yet: that is told, and is no wrong password. */
static enum err nobody_yet(struct office *o, struct db *db, struct problem *p)
{
    struct stmt *st = db_stmt(db, "SELECT username FROM account LIMIT 1");
    struct errmsg e = {""};
    bool row;
    enum err err = db_step(st, &row, &e);

    if (err != OK)
        return err;
    db_reset(st);
    if (row)
        return OK;
    if (o->parent[0])
        problem_set(
            p, 503, "no-accounts-yet", NULL, "the accounts of this site",
            "none has come from its parent",
            "本站还没有收到上级下发的账号，请稍候再试。如一直如此，请管理员查看本站与上级的连接，或"
            "为您开设账号。",
            "No account has come to this site from its parent yet. Try again in a moment; if it "
            "stays so, "
            "ask the administrator to look at the link to the parent, or to make you an account.");
    else
        problem_set(p, 503, "no-accounts-yet", NULL, "an account", "none",
                    "本站还没有任何账号，请管理员先用 doorstep-hub user add 建立账号。",
                    "This site has no accounts yet. The administrator makes the first one with "
                    "doorstep-hub user add.");
    return ERR_BUSY;
}

enum err session_open(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    const char *username = json_get_text(in, "username"), *password = json_get_text(in, "password");
    struct stmt *st =
        db_stmt(db, "SELECT name, role, site, salt, hash FROM account WHERE username = $1");
    unsigned char salt[16] = {0}, hash[32] = {0}, tried[32], raw[32], token_hash[32];
    char name[64] = "", role[16] = "", site[13] = "", token[65];
    struct errmsg e = {""};
    int64_t now = host_wall_ms(o->host);
    enum err err;
    bool row;

    (void)c;
    if ((err = nobody_yet(o, db, p)) != OK)
        return err;
    bind_text(st, 1, text_or(username, ""));
    if ((err = db_step(st, &row, &e)) != OK)
        return err;
    bool good =
        row && hex_decode(col_text(st, 3), salt, 16) && hex_decode(col_text(st, 4), hash, 32);
    if (row) {
        COPY_TEXT(name, col_text(st, 0));
        COPY_TEXT(role, col_text(st, 1));
        COPY_TEXT(site, col_text(st, 2));
    }
    db_reset(st);
    /* The same work whether the name is known or not. */
    crypto_scrypt(password && strlen(password) <= 200 ? password : "", salt, tried);
    if (!good || !crypto_equal(tried, hash, 32) || !password) {
        problem_set(p, 401, "wrong-password", "password",
                    "the user name and password of an account", NULL, "用户名或密码不正确。",
                    "The user name or the password is wrong.");
        return ERR_DENIED;
    }
    host_random(o->host, raw, sizeof raw);
    hex_encode(raw, sizeof raw, token);
    crypto_sha256(token, 64, token_hash);
    st = db_stmt(db, "DELETE FROM session WHERE expires_ms < $1");
    bind_int(st, 1, now);
    if ((err = db_run(st, &e)) != OK)
        return err;
    st = db_stmt(db, "INSERT INTO session (token_hash, username, expires_ms) VALUES ($1, $2, $3)");
    bind_blob(st, 1, token_hash, 32);
    bind_text(st, 2, username);
    bind_int(st, 3, now + SESSION_MS);
    if ((err = db_run(st, &e)) != OK)
        return err;
    struct json *user = json_object();
    json_set_text(user, "username", username);
    json_set_text(user, "name", name);
    json_set_text(user, "role", role);
    json_set_text(user, "site", site);
    *out = json_object();
    json_set_text(*out, "token", token);
    json_set(*out, "user", user);
    return OK;
}

enum err session_find(struct office *o, struct db *db, const char *token, struct caller *ret,
                      struct arena *a)
{
    struct stmt *st =
        db_stmt(db, "SELECT a.username, a.name, a.role, a.site FROM session s JOIN account a "
                    "ON a.username = s.username WHERE s.token_hash = $1 AND s.expires_ms > $2");
    unsigned char hash[32];
    struct errmsg e;
    bool row;

    crypto_sha256(token, strlen(token), hash);
    bind_blob(st, 1, hash, 32);
    bind_int(st, 2, host_wall_ms(o->host));
    enum err err = db_step(st, &row, &e);
    if (err != OK)
        return err;
    if (!row)
        return ERR_NOT_FOUND;
    ret->user = arena_strdup(a, col_text(st, 0));
    ret->name = arena_strdup(a, col_text(st, 1));
    ret->role = arena_strdup(a, col_text(st, 2));
    ret->site = arena_strdup(a, col_text(st, 3));
    ret->channel = "window";
    ret->query_code = "";
    db_reset(st);
    return OK;
}

enum err session_close(struct office *o, struct db *db, const struct caller *c,
                       const struct json *in, struct json **out, struct problem *p)
{
    struct stmt *st = db_stmt(db, "DELETE FROM session WHERE token_hash = $1");
    const char *token = text_or(json_get_text(in, "token"), "");
    unsigned char hash[32];
    struct errmsg e;

    (void)o;
    (void)c;
    (void)p;
    crypto_sha256(token, strlen(token), hash);
    bind_blob(st, 1, hash, 32);
    *out = NULL;
    return db_run(st, &e);
}
