/* The table `session`. A password is checked against one account: of several with the same user name
 * that of this site comes first, then the one whose site the caller names. */
#include "office/sessions.h"

#include "base/crypto.h"
#include "base/text.h"

#define SESSION_MS (12LL * 3600 * 1000)

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
    struct stmt *st = db_stmt(
        db, "SELECT name, role, site, salt, hash FROM account WHERE username = $1 AND "
            "($2 = '' OR site = $2) ORDER BY CASE site WHEN $3 THEN 0 ELSE 1 END, site LIMIT 1");
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
    bind_text(st, 2, text_or(json_get_text(in, "site"), ""));
    bind_text(st, 3, o->site);
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
    st = db_stmt(
        db, "INSERT INTO session (token_hash, site, username, expires_ms) VALUES ($1, $4, $2, $3)");
    bind_blob(st, 1, token_hash, 32);
    bind_text(st, 2, username);
    bind_int(st, 3, now + SESSION_MS);
    bind_text(st, 4, site);
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
                    "ON a.username = s.username AND a.site = s.site WHERE s.token_hash = $1 AND "
                    "s.expires_ms > $2");
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
