/* The table `session`. Of several accounts with the same user name the one is taken whose password fits:
 * no site keeps anybody out by a name. A sign-in is opened in
 * three steps, so that hashing a password keeps nobody waiting:
 *
 *   reader: session_look -> any thread: session_hash -> writer: session_open */
#include "office/sessions.h"

#include "base/crypto.h"
#include "base/text.h"

#define SESSION_MS (12LL * 3600 * 1000)
#define PASSWORD_MAX 200 /* characters */

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

/* Accounts of one name that are tried: that of this site first, then those of offices. */
#define NAMESAKES_MAX 8

static struct stmt *accounts_meant(struct office *o, struct db *db, const struct json *in)
{
    struct stmt *st = db_stmt(
        db, "SELECT name, role, site, salt, hash FROM account WHERE username = $1 AND "
            "($2 = '' OR site = $2) ORDER BY CASE site WHEN $3 THEN 0 ELSE 1 END, role = 'agent', "
            "site LIMIT $4");

    bind_text(st, 1, text_or(json_get_text(in, "username"), ""));
    bind_text(st, 2, text_or(json_get_text(in, "site"), ""));
    bind_text(st, 3, o->site);
    bind_int(st, 4, NAMESAKES_MAX);
    return st;
}

enum err session_look(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    struct json *salts;
    struct errmsg e = {""};
    enum err err = nobody_yet(o, db, p);
    bool row;

    (void)c;
    if (err != OK)
        return err;
    salts = json_array();
    struct stmt *st = accounts_meant(o, db, in);
    while ((err = db_step(st, &row, &e)) == OK && row)
        json_push_text(salts, col_text(st, 3));
    *out = json_object();
    json_set(*out, "salts", salts);
    return err;
}

/* "" when it cannot match. */
static void try_password(const char *password, const char *salt_hex, char out[65])
{
    bool fits = password && strlen(password) <= PASSWORD_MAX;
    unsigned char salt[16] = {0}, hash[32];
    bool known = salt_hex && hex_decode(salt_hex, salt, sizeof salt);

    crypto_scrypt(fits ? password : "", salt, hash);
    hex_encode(hash, sizeof hash, out);
    if (!known || !fits)
        out[0] = 0;
}

void session_hash(struct json *in, const struct json *found)
{
    const char *password = json_get_text(in, "password");
    const struct json *salts = json_get(found, "salts");
    size_t n = json_count(salts);
    struct json *all = json_array();
    char tried[65];

    for (size_t i = 0; i < (n ? n : 1); i++) { /* the same work whether the name is known or not */
        try_password(password, json_value_text(json_at(salts, i)), tried);
        json_push_text(all, tried);
    }
    json_set(in, "tried", all);
    json_del(in, "password");
}

static enum err wrong_password(struct problem *p)
{
    problem_set(p, 401, "wrong-password", "password", "the user name and password of an account",
                NULL, "用户名或密码不正确。", "The user name or the password is wrong.");
    return ERR_DENIED;
}

/* Is a hash that was tried the account's? By whichever salt: nobody finds two that give one hash. */
static bool matches(const struct json *tried, const char *hash_hex)
{
    unsigned char hash[32], one[32];
    bool good = false;

    if (!hex_decode(hash_hex, hash, sizeof hash))
        return false;
    for (size_t i = 0; i < json_count(tried); i++)
        good |= hex_decode(json_value_text(json_at(tried, i)), one, sizeof one) &&
                crypto_equal(one, hash, sizeof hash);
    return good;
}

static enum err account_matches(struct office *o, struct db *db, const struct json *in,
                                struct json **ret, struct problem *p)
{
    struct stmt *st = accounts_meant(o, db, in);
    struct errmsg e = {""};
    enum err err;
    bool row;

    while ((err = db_step(st, &row, &e)) == OK && row && !*ret) {
        if (!matches(json_get(in, "tried"), col_text(st, 4)))
            continue;
        *ret = json_object();
        json_set_text(*ret, "username", json_get_text(in, "username"));
        json_set_text(*ret, "name", col_text(st, 0));
        json_set_text(*ret, "role", col_text(st, 1));
        json_set_text(*ret, "site", col_text(st, 2));
    }
    db_reset(st);
    return err != OK || *ret ? err : wrong_password(p);
}

static enum err session_keep(struct office *o, struct db *db, const struct json *user,
                             const char *token)
{
    struct stmt *st = db_stmt(db, "DELETE FROM session WHERE expires_ms < $1");
    int64_t now = host_wall_ms(o->host);
    unsigned char token_hash[32];
    struct errmsg e;
    enum err err;

    bind_int(st, 1, now);
    if ((err = db_run(st, &e)) != OK)
        return err;
    crypto_sha256(token, strlen(token), token_hash);
    st = db_stmt(
        db, "INSERT INTO session (token_hash, site, username, expires_ms) VALUES ($1, $4, $2, $3)");
    bind_blob(st, 1, token_hash, 32);
    bind_text(st, 2, json_get_text(user, "username"));
    bind_int(st, 3, now + SESSION_MS);
    bind_text(st, 4, json_get_text(user, "site"));
    return db_run(st, &e);
}

enum err session_open(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    struct json *user = NULL;
    unsigned char raw[32];
    char token[65];
    enum err err = account_matches(o, db, in, &user, p);

    (void)c;
    if (err != OK)
        return err;
    host_random(o->host, raw, sizeof raw);
    hex_encode(raw, sizeof raw, token);
    if ((err = session_keep(o, db, user, token)) != OK) {
        json_free(user);
        return err;
    }
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
