/* Results: issued with a number of the site's own block and a code that anyone can check. The code
 * is a compact JWS (RFC 7515, EdDSA): {n number, i item, h first 16 hex digits of the SHA-256 of
 * the holder's citizen number, d date, s issuing site}. */
#include "office/inside.h"

#include "base/crypto.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

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
                           const struct case_state *s, struct problem *p, struct errmsg *e)
{
    const struct json *f = s->filing;
    int64_t now = host_wall_ms(o->host);
    struct buf token = {0};
    char number[40], date[11];
    enum err err = number_certificate(
        o, db, text_or(json_get_text(json_get(f, "result"), "prefix"), "JG"), now, number, p);

    if (err != OK)
        return err;
    time_date(now, date);
    make_token(o, number, text_or(json_get_text(f, "item"), ""),
               text_or(json_get_text(json_get(f, "applicant"), "id_number"), ""), date, &token);
    struct json *b = json_object();
    json_set_int(b, "custody_no", s->custody_no);
    json_set_text(b, "number", number);
    json_set_text(b, "token", buf_text(&token));
    buf_free(&token);
    return office_say(o, db, "certificate.issued/1", s->case_no, o->street, c, b, e);
}

static enum err find_case(struct db *db, const char *number, char case_no[24], struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT case_no FROM certificate WHERE number = $1 ORDER BY case_no LIMIT 1");
    bool row;

    bind_text(st, 1, number);
    enum err err = db_step(st, &row, e);
    if (err == OK && !row)
        return ERR_NOT_FOUND;
    if (err == OK)
        snprintf(case_no, 24, "%s", col_text(st, 0));
    db_reset(st);
    return err;
}

enum err certificate_show(struct office *o, struct db *db, const struct caller *c,
                          const struct json *in, struct json **out, struct problem *p)
{
    const char *number = text_or(json_get_text(in, "number"), "");
    struct errmsg e = {""};
    struct case_open k;
    char no[24], name[64], date[11];
    enum err err = find_case(db, number, no, &e);

    if (err == ERR_NOT_FOUND || (err == OK && !case_visible(o, db, c, no))) {
        problem_set(p, 404, "no-certificate", "number", NULL, number, "没有这张证件，或您无权查看",
                    "There is no such result, or you may not see it");
        return ERR_NOT_FOUND;
    }
    if (err != OK || (err = case_load(db, no, &k, &e)) != OK)
        return err;
    const struct case_state *s = &k.state;
    const struct json *result = json_get(s->filing, "result"),
                      *a = json_get(s->filing, "applicant");
    struct json *x = json_object();
    json_set_text(x, "number", s->certificate_no);
    json_set_text(x, "case_no", no);
    json_set_text(x, "item_name", json_get_text(s->filing, "item_name"));
    json_set_text(x, "item_name_en", json_get_text(s->filing, "item_name_en"));
    json_set_text(x, "result_name", json_get_text(result, "name"));
    json_set_text(x, "result_name_en", json_get_text(result, "name_en"));
    json_set_text(x, "holder_name", json_get_text(a, "name"));
    json_set_text(x, "holder_number", json_get_text(a, "id_number"));
    set_time(x, "issued_at", s->issued_ms);
    time_date(s->issued_ms, date);
    json_set_text(x, "issued_on", date);
    if (json_get_int(result, "valid_years", 0)) {
        int year = (int)(json_get_int(result, "valid_years", 0)) + (date[0] - '0') * 1000 +
                   (date[1] - '0') * 100 + (date[2] - '0') * 10 + (date[3] - '0');
        char until[24];
        snprintf(until, sizeof until, "%04d%.6s", year % 10000, date + 4);
        json_set_text(x, "valid_until", until);
    }
    site_name_of(db, s->certificate_by, name);
    json_set_text(x, "issuer", s->certificate_by);
    json_set_text(x, "issuer_name", name);
    json_set_text(x, "token", s->token);
    json_set_text(x, "state", s->revoked ? "revoked" : "valid");
    case_close(&k);
    *out = x;
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

static bool public_key(struct db *db, const char *site, unsigned char key[32])
{
    struct stmt *st = db_stmt(db, "SELECT public_key FROM site WHERE code = $1");
    struct errmsg e;
    bool row, good = false;

    bind_text(st, 1, site);
    if (db_step(st, &row, &e) == OK && row)
        good = hex_decode(col_text(st, 0), key, 32);
    db_reset(st);
    return good;
}

/* The payload of a token whose signature holds; NULL: it does not. */
static struct json *open_token(struct db *db, const char *token)
{
    const char *dot = strchr(token, '.'), *dot2 = dot ? strchr(dot + 1, '.') : NULL;
    struct buf head = {0}, payload = {0}, sig = {0};
    struct json *h = NULL, *j = NULL;
    unsigned char key[32];
    bool good = false;

    if (dot2 && strlen(token) < 2000 && base64url_decode(token, (size_t)(dot - token), &head) &&
        base64url_decode(dot + 1, (size_t)(dot2 - dot - 1), &payload) &&
        base64url_decode(dot2 + 1, strlen(dot2 + 1), &sig) && sig.len == 64 &&
        json_parse((char *)head.data, head.len, &h, NULL) == OK &&
        json_parse((char *)payload.data, payload.len, &j, NULL) == OK)
        good = !strcmp(text_or(json_get_text(h, "alg"), ""), "EdDSA") &&
               public_key(db, text_or(json_get_text(j, "s"), ""), key) &&
               crypto_verify(key, token, (size_t)(dot2 - token), sig.data);
    buf_free(&head);
    buf_free(&payload);
    buf_free(&sig);
    json_free(h);
    if (!good) {
        json_free(j);
        j = NULL;
    }
    return j;
}

enum err certificate_verify_token(struct office *o, struct db *db, const struct caller *c,
                                  const struct json *in, struct json **out, struct problem *p)
{
    const char *token = json_get_text(in, "token");
    struct errmsg e = {""};
    struct stmt *st;
    struct json *t;
    char name[64];
    enum err err;
    bool row;

    (void)o;
    (void)c;
    if (!token || !token[0]) {
        problem_set(p, 422, "token-missing", "token", "the text of the QR code", NULL,
                    "请提供二维码内容", "Give the text of the QR code");
        return ERR_INVALID;
    }
    if (!(t = open_token(db, token)))
        return invalid(out, "signature", "这个二维码不是本系统签发的，或内容被改动过。",
                       "This code was not signed by an office of this district, or was changed.");
    st = db_stmt(db, "SELECT state FROM certificate WHERE number = $1 ORDER BY case_no LIMIT 1");
    bind_text(st, 1, text_or(json_get_text(t, "n"), ""));
    if ((err = db_step(st, &row, &e)) != OK) {
        json_free(t);
        return err;
    }
    bool revoked = row && strcmp(col_text(st, 0), "valid");
    db_reset(st);
    if (revoked) {
        json_free(t);
        return invalid(out, "revoked", "这张证件已被撤销。", "This result has been revoked.");
    }
    *out = json_object();
    json_set_bool(*out, "valid", true);
    json_set_bool(*out, "known_here", row);
    json_set_text(*out, "number", json_get_text(t, "n"));
    json_set_text(*out, "item", json_get_text(t, "i"));
    json_set_text(*out, "issued_on", json_get_text(t, "d"));
    json_set_text(*out, "issuer", json_get_text(t, "s"));
    site_name_of(db, text_or(json_get_text(t, "s"), ""), name);
    json_set_text(*out, "issuer_name", name);
    json_free(t);
    return OK;
}
