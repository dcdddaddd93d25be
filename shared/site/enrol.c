#include "site/enrol.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "ledger/link_rows.h"
#include "ledger/meta.h"
#include "ledger/recall.h"
#include "office/enrol.h"
#include "office/invitations.h"
#include "net/pki.h"
#include "net/pki_post.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CERTIFICATE_DAYS (5 * 366)

static enum err key_file(const char *dir, const char *name, const void *p, size_t n,
                         struct errmsg *e)
{
    char path[1200], below[64];

    snprintf(below, sizeof below, "keys/%s", name);
    folder_path(dir, below, path, sizeof path);
    return file_write(path, p, n, e);
}

static enum err key_read(const char *dir, const char *name, struct buf *out, struct errmsg *e)
{
    char path[1200], below[64];

    snprintf(below, sizeof below, "keys/%s", name);
    folder_path(dir, below, path, sizeof path);
    return file_read(path, out, e);
}

static void remove_folder(const char *dir)
{
    static const char *const names[] = {
        "keys/site.key",   "keys/site.crt",   "keys/ca.crt",
        "keys/ca.key",     "keys/seed",       "keys",
        "blobs/partial",   "blobs",           "uploads",
        "doorstep.db-wal", "doorstep.db-shm", "doorstep.db",
        "site.json",
    };
    char path[1200];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        folder_path(dir, names[i], path, sizeof path);
        if (unlink(path))
            rmdir(path);
    }
    rmdir(dir);
}

/* The seed, written; the public half in hex. */
static enum err make_seed(struct folder *f, char public_hex[65], struct errmsg *e)
{
    unsigned char pub[32];
    char hex[65];

    crypto_keypair(f->seed, pub);
    hex_encode(f->seed, 32, hex);
    hex_encode(pub, 32, public_hex);
    return key_file(f->dir, "seed", hex, 64, e);
}

/* The database with its owner's name in it, its link upwards, and what a new office says first. */
static enum err make_db(const struct folder *f, struct errmsg *e)
{
    struct office o;
    struct db *db = NULL;
    enum err err = folder_open_db(f, &db, e);

    assert(division_valid(f->site));
    if (err != OK)
        return err;
    if ((err = db_begin(db, e)) == OK && (err = folder_office(f, &o, db, e)) == OK) {
        err = meta_write(db, "site", f->site, e);
        if (err == OK && f->parent[0])
            err = link_add(db, f->parent, "parent", o.host, e);
        /* A child may have been here before: it says nothing until its parent has told it
         * (protocol.md 7). */
        if (err == OK)
            err = f->parent[0] ? ledger_recall_begin(db, e) : office_found(&o, db, e);
        if (err == OK)
            err = db_commit(db, e);
        office_close(&o);
    }
    db_close(db);
    return err;
}

static void names_of(const char *site, char san[200])
{
    snprintf(san, 200, "DNS:localhost,IP:127.0.0.1,URI:urn:doorstep:site:%s", site);
}

/* ---- a district -------------------------------------------------------------------------------*/

static enum err make_authority(const struct folder *f, struct errmsg *e)
{
    struct buf ca_key = {0}, ca = {0}, key = {0}, csr = {0}, cert = {0};
    char cn[64], san[200];
    enum err err;

    snprintf(cn, sizeof cn, "Doorstep %s", f->site);
    names_of(f->site, san);
    pki_new_key(&ca_key);
    pki_new_key(&key);
    if ((err = pki_new_ca(buf_text(&ca_key), cn, &ca, e)) == OK &&
        (err = pki_request(buf_text(&key), f->site, &csr, e)) == OK) {
        struct pki_issue in = {.ca_key = buf_text(&ca_key),
                               .ca_cert = buf_text(&ca),
                               .csr = buf_text(&csr),
                               .cn = f->site,
                               .san = san,
                               .days = CERTIFICATE_DAYS};
        err = pki_issue(&in, &cert, e);
    }
    if (err == OK)
        buf_append(&cert, ca.data, ca.len);
    if (err == OK && (err = key_file(f->dir, "ca.key", ca_key.data, ca_key.len, e)) == OK &&
        (err = key_file(f->dir, "ca.crt", ca.data, ca.len, e)) == OK &&
        (err = key_file(f->dir, "site.key", key.data, key.len, e)) == OK)
        err = key_file(f->dir, "site.crt", cert.data, cert.len, e);
    buf_free(&ca_key);
    buf_free(&ca);
    buf_free(&key);
    buf_free(&csr);
    buf_free(&cert);
    return err;
}

enum err enrol_district(const char *dir, const char *site, const char *name, struct errmsg *e)
{
    struct folder f = {0};
    char pub[65];
    enum tier tier;
    enum err err;

    if (!division_tier(site, &tier) || tier != TIER_DISTRICT) {
        errmsg_set(e,
                   "--site must be the 12-digit code of a district (331002000000) when there is no "
                   "--parent; found \"%s\"",
                   site);
        return ERR_INVALID;
    }
    if (!name || !name[0] || strlen(name) > 60) {
        errmsg_set(e, "--name must be the site's name, at most 60 bytes");
        return ERR_INVALID;
    }
    snprintf(f.dir, sizeof f.dir, "%s", dir);
    snprintf(f.site, sizeof f.site, "%s", site);
    snprintf(f.name, sizeof f.name, "%s", name);
    if ((err = folder_make(dir, e)) != OK)
        return err;
    if ((err = make_seed(&f, pub, e)) != OK || (err = make_authority(&f, e)) != OK ||
        (err = make_db(&f, e)) != OK || (err = folder_seal(&f, e)) != OK)
        remove_folder(dir);
    return err;
}

/* ---- a child ----------------------------------------------------------------------------------*/

struct invitation {
    char site[13], secret[33], print[33];
};

static enum err parse_invitation(const char *text, struct invitation *ret, struct errmsg *e)
{
    int end = 0;

    if (strlen(text) == 12 + 1 + 32 + 1 + 32 &&
        sscanf(text, "%12[0-9].%32[0-9a-fA-F].%32[0-9a-fA-F]%n", ret->site, ret->secret, ret->print,
               &end) == 3 &&
        text[end] == 0 && division_valid(ret->site))
        return OK;
    errmsg_set(e, "this is not an invitation (邀请码有误): it must be the whole line that "
                  "\"invite\" printed at the parent");
    return ERR_INVALID;
}

static enum err read_answer(struct folder *f, const struct json *a, const struct buf *key,
                            struct errmsg *e)
{
    const char *cert = json_get_text(a, "certificate"), *ca = json_get_text(a, "ca"),
               *name = json_get_text(a, "name");
    const struct json *parent = json_get(a, "parent");
    enum err err;

    if (!cert || !ca || !name || !json_get_text(parent, "site")) {
        errmsg_set(e, "the parent's answer is not one to an enrolment");
        return ERR_IO;
    }
    if (!f->name[0])
        snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->parent, sizeof f->parent, "%s", json_get_text(parent, "site"));
    snprintf(f->parent_name, sizeof f->parent_name, "%s",
             json_get_text(parent, "name") ? json_get_text(parent, "name") : "");
    if ((err = pki_check(cert, strstr(cert + 1, "-----BEGIN") ? strstr(cert + 1, "-----BEGIN") : "",
                         ca, e)) != OK)
        return err;
    if ((err = key_file(f->dir, "site.key", key->data, key->len, e)) == OK &&
        (err = key_file(f->dir, "site.crt", cert, strlen(cert), e)) == OK)
        err = key_file(f->dir, "ca.crt", ca, strlen(ca), e);
    return err;
}

static enum err ask_parent(struct folder *f, const char *url, const struct invitation *inv,
                           const char *pub, struct errmsg *e)
{
    struct buf key = {0}, csr = {0}, body = {0}, answer = {0};
    struct json *j = NULL, *a = NULL;
    int status = 0;
    enum err err;

    pki_new_key(&key);
    if ((err = pki_request(buf_text(&key), f->site, &csr, e)) != OK)
        goto done;
    j = json_object();
    json_set_text(j, "site", inv->site);
    json_set_text(j, "secret", inv->secret);
    json_set_text(j, "csr", buf_text(&csr));
    json_set_text(j, "public_key", pub);
    json_canonical(j, &body);
    if ((err = pki_post(url, "/sync/v1/enrol", inv->print, buf_text(&body), body.len, &status,
                        &answer, e)) != OK)
        goto done;
    if (json_parse((char *)answer.data, answer.len, &a, e) != OK) {
        errmsg_set(e, "the parent at %s answered %d without a reason", url, status);
        err = ERR_IO;
    } else if (status != 201) {
        const char *zh = json_get_text(a, "detail"), *en = json_get_text(a, "detail_en");
        errmsg_set(e, "the parent refused: %s %s", zh ? zh : "", en ? en : "");
        err = ERR_DENIED;
    } else {
        err = read_answer(f, a, &key, e);
    }
done:
    buf_free(&key);
    buf_free(&csr);
    buf_free(&body);
    buf_free(&answer);
    json_free(j);
    json_free(a);
    return err;
}

enum err enrol_child(const char *dir, const char *url, const char *invitation, const char *site,
                     const char *name, bool must_be_community, struct errmsg *e)
{
    struct invitation inv;
    struct folder f = {0};
    enum tier tier = TIER_DISTRICT;
    char pub[65], host[256];
    int port;
    enum err err;

    if ((err = pki_parse_url(url, host, sizeof host, &port, e)) != OK ||
        (err = parse_invitation(invitation, &inv, e)) != OK)
        return err;
    division_tier(inv.site, &tier);
    if ((tier == TIER_COMMUNITY) != must_be_community) {
        errmsg_set(e, "the invitation is for %s, a %s: use doorstep-%s", inv.site, tier_name(tier),
                   tier == TIER_COMMUNITY ? "node" : "hub");
        return ERR_INVALID;
    }
    if (site && strcmp(site, inv.site)) {
        errmsg_set(e, "the invitation is for site %s, not for %s", inv.site, site);
        return ERR_INVALID;
    }
    snprintf(f.dir, sizeof f.dir, "%s", dir);
    snprintf(f.site, sizeof f.site, "%s", inv.site);
    snprintf(f.name, sizeof f.name, "%s", name ? name : "");
    snprintf(f.parent_url, sizeof f.parent_url, "%s", url);
    /* Everything that can fail here fails before the invitation is used up. */
    if ((err = folder_make(dir, e)) != OK)
        return err;
    if ((err = make_seed(&f, pub, e)) != OK || (err = ask_parent(&f, url, &inv, pub, e)) != OK ||
        (err = make_db(&f, e)) != OK || (err = folder_seal(&f, e)) != OK)
        remove_folder(dir);
    return err;
}

/* ---- the parent's side ------------------------------------------------------------------------*/

enum err enrol_invite(const struct folder *f, const char *site, const char *name,
                      int64_t case_numbers, char *out, size_t cap, struct errmsg *e)
{
    struct json *in = json_object(), *answer = NULL;
    struct problem p = {0};
    struct office o;
    struct db *db = NULL;
    enum err err = folder_open_db(f, &db, e);

    json_set_text(in, "site", site);
    json_set_text(in, "name", name);
    json_set_int(in, "case_numbers", case_numbers);
    if (err == OK && (err = db_begin(db, e)) == OK && (err = folder_office(f, &o, db, e)) == OK) {
        struct caller operator= {.user = "operator",
                                 .name = "",
                                 .role = "admin",
                                 .site = o.site,
                                 .channel = "",
                                 .query_code = ""};
        err = invitation_create(&o, db, &operator, in, &answer, &p);
        if (err == OK)
            err = db_commit(db, e);
        else if (p.status)
            errmsg_set(e, "%s %s (%s: expected %s)", p.zh, p.en, p.field, p.expected);
        office_close(&o);
    }
    if (err == OK)
        snprintf(out, cap, "%s", json_get_text(answer, "invitation"));
    db_close(db);
    json_free(in);
    json_free(answer);
    return err;
}

static enum err issue(const struct folder *f, const struct office *o, const char *site,
                      const char *csr, struct buf *chain, struct buf *ca, struct errmsg *e)
{
    bool district = o->tier == TIER_DISTRICT;
    struct buf key = {0}, own = {0};
    char san[200];
    enum err err;

    assert(division_valid(site) && o->tier != TIER_COMMUNITY); /* it has no children */
    names_of(site, san);
    if ((err = key_read(f->dir, "ca.crt", ca, e)) == OK &&
        (err = key_read(f->dir, district ? "ca.key" : "site.key", &key, e)) == OK &&
        (err = key_read(f->dir, "site.crt", &own, e)) == OK) {
        struct pki_issue in = {.ca_key = buf_text(&key),
                               .ca_cert = district ? buf_text(ca) : buf_text(&own),
                               .csr = csr,
                               .cn = site,
                               .is_ca = district,
                               .san = san,
                               .days = CERTIFICATE_DAYS};
        err = pki_issue(&in, chain, e);
        if (err ==
            OK) /* a community's chain goes by way of its street; both end with the authority */
            buf_append(chain, district ? ca->data : own.data, district ? ca->len : own.len);
    }
    buf_free(&key);
    buf_free(&own);
    return err;
}

static const char *replaced_key(const char *print, char out[80])
{
    snprintf(out, 80, "replaced.%s", print);
    return out;
}

/* Who is enrolled anew has one certificate, the new one: the old one may be in a machine that was
 * stolen. Only what was replaced is remembered, so a parent that was restored lets in every child
 * that was enrolled since. */
static enum err replace_certificate(struct db *db, const char *site, const char *cert,
                                    struct errmsg *e)
{
    char print[65], before[65], key[32], replaced[80];
    enum err err = pki_fingerprint(cert, print, e);

    snprintf(key, sizeof key, "certificate.%s", site);
    if (err == OK)
        err = meta_read(db, key, before, sizeof before, NULL, e);
    if (err == OK && before[0] && strcmp(before, print))
        err = meta_write(db, replaced_key(before, replaced), site, e);
    return err == OK ? meta_write(db, key, print, e) : err;
}

enum err enrol_replaced(struct db *db, const char *fingerprint, bool *ret, struct errmsg *e)
{
    char key[80], site[13];

    return meta_read(db, replaced_key(fingerprint, key), site, sizeof site, ret, e);
}

enum err enrol_answer(const struct folder *f, struct office *o, struct db *db,
                      const struct json *in, struct json **out, struct problem *p, struct errmsg *e)
{
    const char *site = json_get_text(in, "site"), *secret = json_get_text(in, "secret");
    const char *csr = json_get_text(in, "csr"), *pub = json_get_text(in, "public_key");
    struct buf chain = {0}, ca = {0};
    int64_t case_numbers = 0;
    char name[64];
    enum err err;

    assert(db_in_transaction(db));
    if (!site || !secret || !csr || !pub) {
        problem_set(p, 422, "enrolment-invalid", "body", "site, secret, csr, public_key", NULL,
                    "登记请求不完整", "The request is not whole");
        return ERR_INVALID;
    }
    if ((err = invitation_use(o, db, site, secret, name, &case_numbers, p, e)) != OK)
        return err;
    if ((err = issue(f, o, site, csr, &chain, &ca, e)) == OK)
        err = office_enrol(o, db, site, name, pub, case_numbers, e);
    if (err == OK)
        err = replace_certificate(db, site, buf_text(&chain), e);
    if (err == OK) {
        struct json *parent = json_object();
        json_set_text(parent, "site", o->site);
        json_set_text(parent, "name", o->name);
        *out = json_object();
        json_set_text(*out, "site", site);
        json_set_text(*out, "name", name);
        json_set_text(*out, "certificate", buf_text(&chain));
        json_set_text(*out, "ca", buf_text(&ca));
        json_set(*out, "parent", parent);
    }
    buf_free(&chain);
    buf_free(&ca);
    return err;
}
