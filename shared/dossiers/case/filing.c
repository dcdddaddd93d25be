/* Filing a case: everything is checked first, then one event says it all. */
#include "office/inside.h"

#include "base/time.h"
#include "catalogue/form.h"

#include <stdio.h>
#include <string.h>

bool office_decides(const struct office *o, const struct json *decided_at)
{
    /* What is delegated to a lower tier the higher one may still do. */
    static const char *const tiers[] = {"district", "street", "community"};

    for (size_t i = 0; i < json_count(decided_at); i++)
        for (size_t t = 0; t < 3; t++)
            if (json_value_text(json_at(decided_at, i)) &&
                !strcmp(tiers[t], json_value_text(json_at(decided_at, i))) && t >= (size_t)o->tier)
                return true;
    return false;
}

static bool names(const struct json *list, const char *what)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (json_value_text(json_at(list, i)) && !strcmp(json_value_text(json_at(list, i)), what))
            return true;
    return false;
}

/* ---- papers -----------------------------------------------------------------------------------*/

static enum err paper_check(struct db *db, const struct json *material, const char *digest,
                            size_t at, size_t no, struct json **ret, struct problem *p,
                            struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT size, media_type, state, name FROM document WHERE digest = $1");
    char field[80];
    enum err err;
    bool row;

    snprintf(field, sizeof field, "materials[%zu].documents[%zu]", at, no);
    bind_text(st, 1, text_or(digest, ""));
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (!row || strcmp(col_text(st, 2), "here")) {
        db_reset(st);
        problem_set(p, 422, "document-unknown", field, "the digest of a finished upload", digest,
                    "这份材料还没有上传完成", "This paper has not been uploaded");
        return ERR_INVALID;
    }
    err = form_check_document(material, col_text(st, 1), col_int(st, 0), p);
    if (err == OK) {
        *ret = json_object();
        json_set_text(*ret, "digest", digest);
        json_set_text(*ret, "media_type", col_text(st, 1));
        json_set_int(*ret, "size", col_int(st, 0));
        json_set_text(*ret, "name", col_text(st, 3));
    } else {
        snprintf(p->field, sizeof p->field, "%s", field);
    }
    db_reset(st);
    return err;
}

enum err papers_check(struct db *db, const struct json *item, const struct json *given,
                      struct json **ret, struct problem *p, struct errmsg *e)
{
    struct json *list = json_array();
    enum err err = OK;

    for (size_t i = 0; err == OK && i < json_count(given); i++) {
        const struct json *g = json_at(given, i), *docs = json_get(g, "documents");
        const struct json *material = form_material(item, json_get_text(g, "code"));
        struct json *m = json_object();
        json_push(list, m);
        json_set_text(m, "code", json_get_text(g, "code"));
        if (json_get_bool(g, "later", false))
            json_set_bool(m, "later", true);
        if (json_get_bool(g, "commitment", false))
            json_set_bool(m, "commitment", true);
        if (!material) {
            problem_set(p, 422, "material-unknown", "materials", "a material of this item",
                        json_get_text(g, "code"), "材料不属于本事项", "Not a paper of this item");
            err = ERR_INVALID;
        }
        if (json_count(docs) > 20) {
            problem_set(p, 422, "documents-too-many", "materials", "at most 20 files for one paper",
                        NULL, "一份材料最多 20 个文件", "At most 20 files for one paper");
            err = ERR_INVALID;
        }
        struct json *kept = json_array();
        json_set(m, "documents", kept);
        for (size_t k = 0; err == OK && k < json_count(docs); k++) {
            struct json *d = NULL;
            err = paper_check(db, material, json_value_text(json_at(docs, k)), i, k, &d, p, e);
            if (d)
                json_push(kept, d);
        }
    }
    if (err == OK)
        *ret = list;
    else
        json_free(list);
    return err;
}

/* Where the papers of a case belong: the street has every one, so has the custodian. */
static bool papers_wanted(const struct office *o, const struct case_state *s)
{
    const char *community = text_or(json_get_text(s->filing, "community"), "");

    return o->tier == TIER_STREET || !strcmp(s->custodian, o->site) ||
           !strcmp(community, o->site) || !strcmp(s->filed_at, o->site);
}

enum err papers_note(struct office *o, struct db *db, const struct case_state *s,
                     const struct json *materials, struct errmsg *e)
{
    for (size_t i = 0; i < json_count(materials); i++) {
        const struct json *docs = json_get(json_at(materials, i), "documents");
        for (size_t k = 0; k < json_count(docs); k++) {
            const struct json *d = json_at(docs, k);
            struct stmt *st = db_stmt(
                db,
                "INSERT INTO document (digest, street, dossier, size, media_type, state, hlc, "
                "name) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (digest) DO UPDATE SET "
                "dossier = CASE document.dossier WHEN '' THEN excluded.dossier ELSE "
                "document.dossier END, "
                "hlc = CASE document.hlc WHEN 0 THEN excluded.hlc ELSE document.hlc END, "
                "state = CASE WHEN document.state = 'remote' THEN excluded.state ELSE "
                "document.state END "
                "WHERE document.dossier = '' OR document.hlc = 0 OR document.state <> "
                "CASE WHEN document.state = 'remote' THEN excluded.state ELSE document.state END");
            bind_text(st, 1, text_or(json_get_text(d, "digest"), ""));
            bind_text(st, 2, s->street);
            bind_text(st, 3, s->case_no);
            bind_int(st, 4, json_get_int(d, "size", 0));
            bind_text(st, 5, text_or(json_get_text(d, "media_type"), "application/octet-stream"));
            bind_text(st, 6, papers_wanted(o, s) ? "wanted" : "remote");
            bind_int(st, 7, s->filed_ms << 16);
            bind_text(st, 8, text_or(json_get_text(d, "name"), ""));
            enum err err = db_run(st, e);
            if (err != OK)
                return err;
        }
    }
    return OK;
}

/* ---- who, where, whose ------------------------------------------------------------------------*/

static enum err site_known(struct db *db, const char *code, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM site WHERE code = $1");

    bind_text(st, 1, code);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

static enum err find_community(struct office *o, struct db *db, const struct caller *c,
                               const struct json *in, char out[13], struct problem *p,
                               struct errmsg *e)
{
    const char *said = json_get_text(in, "community");
    enum tier tier;
    bool known;

    out[0] = 0;
    if (o->tier == TIER_COMMUNITY)
        said = o->site;
    (void)c;
    if (!said || !said[0])
        return OK;
    bool right =
        division_tier(said, &tier) && tier == TIER_COMMUNITY && division_within(said, o->site);
    if (right) {
        enum err err = site_known(db, said, &known, e);
        if (err != OK)
            return err;
        right = known;
    }
    if (!right) {
        problem_set(p, 422, "community-unknown", "community",
                    "a community of this office (GET /sites)", said,
                    "没有这个社区站点，请从列表中选择",
                    "There is no such community here; choose one of the list");
        return ERR_INVALID;
    }
    snprintf(out, 13, "%s", said);
    return OK;
}

/* The community decides what it may, while its lease can be relied on; else this office, or the one
 * above. */
static void find_custodian(struct office *o, struct db *db, const struct json *item,
                           const char *community, char out[13])
{
    const struct json *at = json_get(item, "decided_at");
    char parent[13] = "";

    snprintf(out, 13, "%s", o->site);
    if (community[0])
        division_parent(community, parent);
    if (o->tier == TIER_STREET && !strcmp(parent, o->site) && names(at, "community") &&
        !lease_over(o, db, community))
        snprintf(out, 13, "%s", community);
    else if (!office_decides(o, at) && o->parent[0])
        snprintf(out, 13, "%s", o->parent);
}

static void make_query_code(struct office *o, char out[7])
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    unsigned char raw[6];

    host_random(o->host, raw, sizeof raw);
    for (int i = 0; i < 6; i++)
        out[i] = alphabet[raw[i] % (sizeof alphabet - 1)];
    out[6] = 0;
}

static struct json *clean_applicant(const struct json *in)
{
    static const char *const keys[] = {"name", "id_type", "mobile", "address"};
    struct json *a = json_object();
    char id[19];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_set_text(a, keys[i], json_get_text(in, keys[i]));
    citizen_number_normalise(text_or(json_get_text(in, "id_number"), ""), id);
    json_set_text(a, "id_number", id);
    return a;
}

static void copy(struct json *to, const char *key, const struct json *from, const char *from_key)
{
    struct json *v = json_get(from, from_key);

    if (v)
        json_set(to, key, json_ref(v));
}

static enum err check(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **item, struct problem *p,
                      struct errmsg *e)
{
    const char *code = json_get_text(in, "item");
    enum err err;

    if (c->user[0] ? !caller_handles(c) : o->tier == TIER_COMMUNITY) {
        problem_set(
            p, c->user[0] ? 403 : 401, "may-not-file", NULL,
            "an agent or clerk, or a resident at the street's site", c->role,
            "请由代办员或窗口人员登录后提交，居民请在街道站点提交",
            "An agent or clerk files here after signing in; residents file at the street's site");
        return ERR_DENIED;
    }
    if ((err = item_load(db, text_or(code, ""), item, e)) != OK)
        return err;
    if (!*item || strcmp(text_or(json_get_text(*item, "state"), ""), "published")) {
        problem_set(p, 422, "item-unknown", "item", "the code of an item of the catalogue", code,
                    "目录里没有这个事项", "There is no such item in the catalogue");
        return ERR_INVALID;
    }
    return form_check(*item, in, p);
}

enum err case_file(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    struct json *item = NULL, *materials = NULL, *b = NULL, *duplicates = json_array();
    char community[13], custodian[13], no[22], code[7], pickup[7], hash[65];
    int64_t now = host_wall_ms(o->host), promised = 0;
    struct errmsg e = {""};
    enum err err;

    if ((err = check(o, db, c, in, &item, p, &e)) != OK ||
        (err = find_community(o, db, c, in, community, p, &e)) != OK ||
        (err = papers_check(db, item, json_get(in, "materials"), &materials, p, &e)) != OK ||
        (err = item_promise(o, db, item, now, &promised, &e)) != OK ||
        (err = number_case(o, db, now, no, p)) != OK)
        goto done;
    find_custodian(o, db, item, community, custodian);
    make_query_code(o, code);
    pickup_code(no, code, pickup);

    bool draft = !json_get_bool(in, "submit", true);
    struct json *applicant = clean_applicant(json_get(in, "applicant"));
    err = duplicates_find(db, json_get_text(applicant, "id_number"), json_get_text(item, "code"),
                          now - DUPLICATE_MS, now, "", duplicates, &e);
    b = json_object();
    copy(b, "item", item, "code");
    copy(b, "item_version", item, "version");
    copy(b, "item_name", item, "name");
    copy(b, "item_name_en", item, "name_en");
    copy(b, "decided_at", item, "decided_at");
    copy(b, "result", item, "result");
    copy(b, "baseline_trips", item, "baseline_trips");
    copy(b, "form", in, "form");
    copy(b, "delivery", in, "delivery");
    json_set(b, "applicant", applicant);
    json_set(b, "materials", materials);
    materials = NULL;
    json_set_text(b, "community", community);
    json_set_text(b, "custodian", custodian);
    json_set_text(b, "channel", c->channel);
    json_set_text(b, "state", draft ? "draft" : "submitted");
    json_set_int(b, "promised_ms", promised);
    query_hash(no, code, hash);
    json_set_text(b, "query_hash", hash);
    pickup_hash(no, pickup, hash);
    json_set_text(b, "pickup_hash", hash);
    if (err == OK)
        err = office_say(o, db, "case.filed/1", no, o->street, c, b, &e);
    else
        json_free(b);
    if (err != OK)
        goto done;

    *out = json_object();
    char at[32], name[64];
    time_rfc3339(now, at);
    site_name_of(db, custodian, name);
    json_set_text(*out, "case_no", no);
    json_set_text(*out, "query_code", code);
    json_set_text(*out, "state", draft ? "draft" : "submitted");
    json_set_text(*out, "custodian", custodian);
    json_set_text(*out, "custodian_name", name);
    copy(*out, "item", item, "code");
    copy(*out, "item_name", item, "name");
    copy(*out, "item_name_en", item, "name_en");
    json_set_text(*out, "created_at", at);
    if (promised) {
        time_rfc3339(promised, at);
        json_set_text(*out, "promised_at", at);
    }
    json_set(*out, "duplicates", json_ref(duplicates));
    struct case_open k;
    if (case_load(db, no, &k, &e) == OK) {
        json_set(*out, "actions", case_actions(o, db, c, &k.state));
        case_close(&k);
    }
done:
    json_free(item);
    json_free(materials);
    json_free(duplicates);
    return err;
}
