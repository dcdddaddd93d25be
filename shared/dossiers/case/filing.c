/* Filing a case: everything is checked first, then one event says it all. */
#include "dossiers/case/case.h"

#include "base/text.h"
#include "base/time.h"
#include "catalogue/form.h"
#include "catalogue/items.h"
#include "dossiers/case/access.h"
#include "dossiers/case/actions.h"
#include "dossiers/case/duplicates.h"
#include "dossiers/case/numbers.h"
#include "dossiers/case/papers_check.h"
#include "dossiers/case/state.h"
#include "office/code.h"
#include "office/lease.h"
#include "office/say.h"
#include "office/sites.h"

static bool names(const struct json *list, const char *what)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (json_value_text(json_at(list, i)) && !strcmp(json_value_text(json_at(list, i)), what))
            return true;
    return false;
}

/* ---- who, where, whose ------------------------------------------------------------------------*/

static enum err find_community(struct office *o, struct db *db, const struct caller *c,
                               const struct json *in, char out[13], struct problem *p,
                               struct errmsg *e)
{
    const char *said = json_get_text(in, "community");
    enum site_standing standing;
    enum tier tier;

    out[0] = 0;
    if (o->tier == TIER_COMMUNITY)
        said = o->site;
    (void)c;
    if (!said || !said[0])
        return OK;
    bool right =
        division_tier(said, &tier) && tier == TIER_COMMUNITY && division_within(said, o->site);
    if (right) {
        enum err err = site_standing_of(db, said, &standing, e);
        if (err != OK)
            return err;
        right = standing != SITE_UNKNOWN; /* people live there also when its node is gone */
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
static enum err find_custodian(struct office *o, struct db *db, const struct json *item,
                               const char *community, char out[13], struct errmsg *e)
{
    const struct json *at = json_get(item, "decided_at");
    char parent[13] = "";
    enum site_standing standing = SITE_UNKNOWN;
    bool stands = false;
    enum err err = OK;

    snprintf(out, 13, "%s", o->site);
    if (community[0])
        division_parent(community, parent);
    if (o->tier == TIER_STREET && text_is(parent, o->site) && names(at, "community"))
        err = site_standing_of(db, community, &standing, e);
    if (err == OK && standing == SITE_STANDS)
        err = lease_stands(o, db, community, &stands, e);
    if (stands)
        snprintf(out, 13, "%s", community);
    else if (!office_decides(o, at) && o->parent[0])
        snprintf(out, 13, "%s", o->parent);
    return err;
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

    if (c->user[0] ? !case_handler(c) : o->tier == TIER_COMMUNITY) {
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

enum err case_lodge(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    struct json *item = NULL, *materials = NULL, *b = NULL, *duplicates = json_array();
    char community[13], custodian[13], no[22], code[CODE_LEN + 1], hash[CODE_HASH_LEN + 1];
    int64_t now = host_wall_ms(o->host), promised = 0;
    struct errmsg e = {""};
    enum err err;

    if ((err = check(o, db, c, in, &item, p, &e)) != OK ||
        (err = find_community(o, db, c, in, community, p, &e)) != OK ||
        (err = papers_check(db, item, json_get(in, "materials"), &materials, p, &e)) != OK ||
        (err = item_promise(o, db, item, now, &promised, &e)) != OK ||
        (err = number_case(o, db, now, no, p)) != OK)
        goto done;
    if ((err = find_custodian(o, db, item, community, custodian, &e)) != OK)
        goto done;
    code_make(o->host, code);

    bool draft = !json_get_bool(in, "submit", true);
    struct json *applicant = clean_applicant(json_get(in, "applicant"));
    err = duplicates_find(db, json_get_text(applicant, "id_number"), json_get_text(item, "code"),
                          now - DUPLICATE_MS, now + DUPLICATE_MS, "", duplicates, &e);
    b = json_object();
    copy(b, "item", item, "code");
    copy(b, "item_version", item, "version");
    copy(b, "item_name", item, "name");
    copy(b, "item_name_en", item, "name_en");
    copy(b, "decided_at", item, "decided_at");
    json_set_text(b, "take_back",
                  text_or(json_get_text(item, "take_back"),
                          names(json_get(item, "decided_at"), "community") ? "wait" : NULL));
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
    code_hash(no, code, hash);
    json_set_text(b, "query_hash", hash);
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
    struct dossier d;
    struct case_state *state;
    if ((err = case_load(o, db, no, &d, &state, &e)) == OK) {
        struct json *allowed = NULL;
        err = case_actions(o, db, c, &d, &allowed, &e);
        json_set(*out, "actions", allowed ? allowed : json_array());
        dossier_close(&d);
    }
done:
    json_free(item);
    json_free(materials);
    json_free(duplicates);
    return err;
}
