/* Results: issued with a number of the site's own block and a code that anyone can check. The code
 * is a compact JWS (RFC 7515, EdDSA): {n number, i item, h first 16 hex digits of the SHA-256 of
 * the holder's citizen number, d date, s issuing site}. */
#include "dossiers/case/certificates.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/text.h"
#include "base/time.h"
#include "dossiers/case/access.h"
#include "dossiers/case/case.h"
#include "dossiers/case/numbers.h"
#include "dossiers/case/view.h"
#include "office/say.h"
#include "office/sites.h"
#include "office/view.h"

static void holder_digest(const char *id_number, char out[17])
{
    unsigned char sum[32];

    crypto_sha256(id_number, strlen(id_number), sum);
    hex_encode(sum, 8, out);
}

static void make_token(struct office *o, const char *number, const char *item, const char *holder,
                       const char *date, struct buf *out)
{
    struct json *j = json_object();
    struct buf text = {0};
    unsigned char sig[64];
    char digest[17];

    json_set_text(j, "alg", "EdDSA");
    json_canonical(j, &text);
    base64url_encode(text.data, text.len, out);
    json_free(j);
    buf_reset(&text);
    holder_digest(holder, digest);
    j = json_object();
    json_set_text(j, "n", number);
    json_set_text(j, "i", item);
    json_set_text(j, "h", digest);
    json_set_text(j, "d", date);
    json_set_text(j, "s", o->site);
    json_canonical(j, &text);
    json_free(j);
    buf_putc(out, '.');
    base64url_encode(text.data, text.len, out);
    crypto_sign(o->seed, out->data, out->len, sig);
    buf_putc(out, '.');
    base64url_encode(sig, 64, out);
    buf_free(&text);
}

enum err certificate_issue(struct office *o, struct db *db, const struct caller *c,
                           const struct dossier *d, struct problem *p, struct errmsg *e)
{
    const struct case_state *s = d->state;
    const struct json *f = s->filing, *a = json_get(s->person, "applicant");
    int64_t now = host_wall_ms(o->host);
    struct buf token = {0};
    char number[40], date[11];
    enum err err = number_certificate(
        o, db, text_or(json_get_text(json_get(f, "result"), "prefix"), "JG"), now, number, p);

    if (err != OK)
        return err;
    time_date(now, date);
    make_token(o, number, text_or(json_get_text(f, "item"), ""),
               text_or(json_get_text(a, "id_number"), ""), date, &token);
    struct json *b = json_object();
    json_set_int(b, "custody_no", d->custody.no);
    json_set_text(b, "number", number);
    json_set_text(b, "token", buf_text(&token));
    buf_free(&token);
    return office_say(o, db, "certificate.issued/1", d->id, d->street, c, b, e);
}

/* ---- showing one ------------------------------------------------------------------------------*/

/* The row of a number: whose it is, who issued it, and whether it is valid. */
struct row {
    bool there;
    char case_no[24], issuer[13], state[16];
    int64_t issued_ms;
};

static enum err find_row(struct db *db, const char *number, struct row *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT case_no, issuer, state, issued_ms FROM certificate WHERE "
                                  "number = $1 ORDER BY case_no LIMIT 1");

    *ret = (struct row){.there = false};
    bind_text(st, 1, number);
    enum err err = db_step(st, &ret->there, e);
    if (err == OK && ret->there) {
        COPY_TEXT(ret->case_no, col_text(st, 0));
        COPY_TEXT(ret->issuer, col_text(st, 1));
        COPY_TEXT(ret->state, col_text(st, 2));
        ret->issued_ms = col_int(st, 3);
    }
    db_reset(st);
    return err;
}

static void add_end(struct json *x, const char *issued_on, int64_t years)
{
    char until[24];
    int year = 0;

    for (int i = 0; i < 4; i++)
        year = year * 10 + (issued_on[i] - '0');
    snprintf(until, sizeof until, "%04d%.6s", (year + (int)years) % 10000, issued_on + 4);
    if (years)
        json_set_text(x, "valid_until", until);
}

static struct json *view(struct db *db, const struct case_state *s, const struct row *r,
                         const char *number)
{
    const struct json *result = json_get(s->filing, "result"),
                      *a = json_get(s->person, "applicant");
    struct json *x = json_object();
    char name[64], date[11];

    json_set_text(x, "number", number);
    json_set_text(x, "case_no", r->case_no);
    json_set_text(x, "item_name", json_get_text(s->filing, "item_name"));
    json_set_text(x, "item_name_en", json_get_text(s->filing, "item_name_en"));
    json_set_text(x, "result_name", json_get_text(result, "name"));
    json_set_text(x, "result_name_en", json_get_text(result, "name_en"));
    json_set_text(x, "holder_name", json_get_text(a, "name"));
    json_set_text(x, "holder_number", json_get_text(a, "id_number"));
    view_time(x, "issued_at", r->issued_ms);
    time_date(r->issued_ms, date);
    json_set_text(x, "issued_on", date);
    add_end(x, date, json_get_int(result, "valid_years", 0));
    site_name_of(db, r->issuer, name);
    json_set_text(x, "issuer", r->issuer);
    json_set_text(x, "issuer_name", name);
    if (s->issued && text_is(s->certificate_no, number))
        json_set_text(x, "token", json_get_text(s->issued->personal, "token"));
    json_set_text(x, "state", r->state);
    return x;
}

enum err certificate_show(struct office *o, struct db *db, const struct caller *c,
                          const struct json *in, struct json **out, struct problem *p)
{
    const char *number = text_or(json_get_text(in, "number"), "");
    struct errmsg e = {""};
    struct case_state *s;
    struct dossier d;
    struct row r;
    bool sees = false;
    enum err err = find_row(db, number, &r, &e);

    if (err == OK && r.there)
        err = case_visible(o, db, c, r.case_no, &sees, &e);
    if (err != OK)
        return err;
    if (!sees) {
        problem_set(p, 404, "no-certificate", "number", NULL, number, "没有这张证件，或您无权查看",
                    "There is no such result, or you may not see it");
        return ERR_NOT_FOUND;
    }
    if ((err = case_load(o, db, r.case_no, &d, &s, &e)) != OK)
        return err;
    *out = view(db, s, &r, number);
    dossier_close(&d);
    return OK;
}

/* ---- checking a code --------------------------------------------------------------------------*/

static enum err invalid(struct json **out, const char *reason, const char *zh, const char *en)
{
    *out = json_object();
    json_set_bool(*out, "valid", false);
    json_set_text(*out, "reason", reason);
    json_set_text(*out, "text", zh);
    json_set_text(*out, "text_en", en);
    return OK;
}

static enum err public_key(struct db *db, const char *site, unsigned char key[32], bool *ret,
                           struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT public_key FROM site WHERE code = $1");
    bool row;

    bind_text(st, 1, site);
    enum err err = db_step(st, &row, e);
    *ret = err == OK && row && hex_decode(col_text(st, 0), key, 32);
    db_reset(st);
    return err;
}

/* *ret: the payload of a token whose signature holds; NULL: it does not. The caller's. */
static enum err open_token(struct db *db, const char *token, struct json **ret, struct errmsg *e)
{
    const char *dot = strchr(token, '.'), *dot2 = dot ? strchr(dot + 1, '.') : NULL;
    struct buf head = {0}, payload = {0}, sig = {0};
    struct json *h = NULL, *j = NULL;
    unsigned char key[32];
    enum err err = OK;
    bool good = dot2 && strlen(token) < 2000 &&
                base64url_decode(token, (size_t)(dot - token), &head) &&
                base64url_decode(dot + 1, (size_t)(dot2 - dot - 1), &payload) &&
                base64url_decode(dot2 + 1, strlen(dot2 + 1), &sig) && sig.len == 64 &&
                json_parse((char *)head.data, head.len, &h, NULL) == OK &&
                json_parse((char *)payload.data, payload.len, &j, NULL) == OK &&
                text_is(json_get_text(h, "alg"), "EdDSA");

    if (good)
        err = public_key(db, text_or(json_get_text(j, "s"), ""), key, &good, e);
    good = good && crypto_verify(key, token, (size_t)(dot2 - token), sig.data);
    buf_free(&head);
    buf_free(&payload);
    buf_free(&sig);
    json_free(h);
    if (!good)
        json_free(j);
    *ret = good ? j : NULL;
    return err;
}

enum err certificate_verify_token(struct office *o, struct db *db, const struct caller *c,
                                  const struct json *in, struct json **out, struct problem *p)
{
    const char *token = json_get_text(in, "token");
    struct errmsg e = {""};
    struct json *t = NULL;
    struct row r;
    char name[64];
    enum err err;

    (void)o;
    (void)c;
    if (!token || !token[0]) {
        problem_set(p, 422, "token-missing", "token", "the text of the QR code", NULL,
                    "请提供二维码内容", "Give the text of the QR code");
        return ERR_INVALID;
    }
    if ((err = open_token(db, token, &t, &e)) != OK)
        return err;
    if (!t)
        return invalid(out, "signature", "这个二维码不是本系统签发的，或内容被改动过。",
                       "This code was not signed by an office of this district, or was changed.");
    if ((err = find_row(db, text_or(json_get_text(t, "n"), ""), &r, &e)) != OK) {
        json_free(t);
        return err;
    }
    if (r.there && !text_is(r.state, "valid")) {
        json_free(t);
        return text_is(r.state, "overruled")
                   ? invalid(out, "overruled", "这张证件已失效：上级站点另有决定。",
                             "This result is not valid: an office above has decided otherwise.")
                   : invalid(out, "revoked", "这张证件已被撤销。", "This result has been revoked.");
    }
    *out = json_object();
    json_set_bool(*out, "valid", true);
    json_set_bool(*out, "known_here", r.there);
    json_set_text(*out, "number", json_get_text(t, "n"));
    json_set_text(*out, "item", json_get_text(t, "i"));
    json_set_text(*out, "issued_on", json_get_text(t, "d"));
    json_set_text(*out, "issuer", json_get_text(t, "s"));
    site_name_of(db, text_or(json_get_text(t, "s"), ""), name);
    json_set_text(*out, "issuer_name", name);
    json_free(t);
    return OK;
}
