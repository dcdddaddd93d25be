/* The table `session`. Of several accounts with the same user name the one is taken whose password fits:
 * no other site keeps anybody out by a name. */
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

/* How many accounts of one name are tried: those of this site first, then of streets and districts. */
#define NAMESAKES_MAX 8

struct account {
    char name[64], role[16], site[13];
    unsigned char salt[16], hash[32];
    bool good; /* it has a password */
};

static enum err namesakes(struct office *o, struct db *db, const struct json *in,
                          struct account list[NAMESAKES_MAX], int *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT name, role, site, salt, hash FROM account WHERE username = $1 AND "
            "($2 = '' OR site = $2) ORDER BY CASE site WHEN $3 THEN 0 ELSE 1 END, role = 'agent', "
            "site LIMIT $4");
    enum err err;
    bool row;

    *ret = 0;
    bind_text(st, 1, text_or(json_get_text(in, "username"), ""));
    bind_text(st, 2, text_or(json_get_text(in, "site"), ""));
    bind_text(st, 3, o->site);
    bind_int(st, 4, NAMESAKES_MAX);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct account *x = &list[(*ret)++];
        COPY_TEXT(x->name, col_text(st, 0));
        COPY_TEXT(x->role, col_text(st, 1));
        COPY_TEXT(x->site, col_text(st, 2));
        x->good =
            hex_decode(col_text(st, 3), x->salt, 16) && hex_decode(col_text(st, 4), x->hash, 32);
    }
    return err;
}

static bool fits(const struct account *x, const char *password)
{
    unsigned char tried[32];

    crypto_scrypt(password && strlen(password) <= 200 ? password : "", x->salt, tried);
    return x->good && password && crypto_equal(tried, x->hash, 32);
}

static enum err keep_session(struct office *o, struct db *db, const char *username,
                             const char *site, char token[65], struct errmsg *e)
{
    int64_t now = host_wall_ms(o->host);
    unsigned char raw[32], token_hash[32];
    struct stmt *st = db_stmt(db, "DELETE FROM session WHERE expires_ms < $1");
    enum err err;

    bind_int(st, 1, now);
    if ((err = db_run(st, e)) != OK)
        return err;
    host_random(o->host, raw, sizeof raw);
    hex_encode(raw, sizeof raw, token);
    crypto_sha256(token, 64, token_hash);
    st = db_stmt(
        db, "INSERT INTO session (token_hash, site, username, expires_ms) VALUES ($1, $4, $2, $3)");
    bind_blob(st, 1, token_hash, 32);
    bind_text(st, 2, username);
    bind_int(st, 3, now + SESSION_MS);
    bind_text(st, 4, site);
    return db_run(st, e);
}

enum err session_open(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    const char *username = json_get_text(in, "username"), *password = json_get_text(in, "password");
    struct account list[NAMESAKES_MAX] = {{.good = false}};
    const struct account *found = NULL;
    char token[65];
    struct errmsg e = {""};
    enum err err;
    int n;

    (void)c;
    if ((err = nobody_yet(o, db, p)) != OK || (err = namesakes(o, db, in, list, &n, &e)) != OK)
        return err;
    for (int i = 0; !found && i < (n ? n : 1); i++) /* the same work where the name is not known */
        if (fits(&list[i], password))
            found = &list[i];
    if (!found) {
        problem_set(p, 401, "wrong-password", "password",
                    "the user name and password of an account", NULL, "用户名或密码不正确。",
                    "The user name or the password is wrong.");
        return ERR_DENIED;
    }
    if ((err = keep_session(o, db, username, found->site, token, &e)) != OK)
        return err;
    struct json *user = json_object();
    json_set_text(user, "username", username);
    json_set_text(user, "name", found->name);
    json_set_text(user, "role", found->role);
    json_set_text(user, "site", found->site);
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
