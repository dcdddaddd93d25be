/* One whole case, as the office's people and its resident's session read it. */
#include "base/text.h"
#include "catalogue/form.h"
#include "catalogue/items.h"
#include "dossiers/case/access.h"
#include "dossiers/case/actions.h"
#include "dossiers/case/case.h"
#include "dossiers/case/delivery.h"
#include "dossiers/case/duplicates.h"
#include "dossiers/case/view.h"
#include "office/lease.h"
#include "office/sites.h"
#include "office/view.h"

/* ---- papers -----------------------------------------------------------------------------------*/

static enum err document_state(struct db *db, const char *digest, char out[16], struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT state FROM document WHERE digest = $1");
    bool row;

    bind_text(st, 1, digest);
    enum err err = db_step(st, &row, e);
    snprintf(out, 16, "%s", err == OK && row ? col_text(st, 0) : "remote");
    db_reset(st);
    return err;
}

static const struct json *given_for(const struct case_state *s, const char *code)
{
    for (size_t i = 0; i < json_count(s->materials); i++)
        if (text_is(json_get_text(json_at(s->materials, i), "code"), code))
            return json_at(s->materials, i);
    return NULL;
}

static const char *material_state(const struct json *m, const struct json *given, size_t documents)
{
    if (documents)
        return "given";
    if (json_get_bool(given, "commitment", false))
        return "commitment";
    if (json_get_bool(given, "later", false))
        return "later";
    if (text_is(json_get_text(m, "obtain_by"), "shared_data"))
        return "shared";
    return text_is(json_get_text(m, "necessity"), "required") ? "missing" : "later";
}

static enum err push_material(struct db *db, const struct json *m, const struct json *given,
                              const char *code, struct json *list, struct errmsg *e)
{
    struct json *x = json_object(), *docs = json_array();
    const struct json *from = json_get(given, "documents");
    enum err err = OK;
    char state[16];

    for (size_t i = 0; err == OK && i < json_count(from); i++) {
        struct json *d = json_copy(json_at(from, i));
        err = document_state(db, text_or(json_get_text(d, "digest"), ""), state, e);
        json_set_text(d, "state", state);
        json_push(docs, d);
    }
    json_set_text(x, "code", code);
    json_set_text(x, "name", text_or(json_get_text(m, "name"), code));
    json_set_text(x, "name_en", json_get_text(m, "name_en"));
    json_set_text(x, "necessity", json_get_text(m, "necessity"));
    json_set_text(x, "state", material_state(m, given, json_count(docs)));
    json_set(x, "documents", docs);
    json_push(list, x);
    return err;
}

static enum err materials_of(struct db *db, const struct case_state *s, struct json **ret,
                             struct errmsg *e)
{
    struct json *item = NULL, *list = json_array();
    enum err err = item_load(db, text_or(json_get_text(s->filing, "item"), ""), &item, e);
    const struct json *wanted = json_get(item, "materials");

    for (size_t i = 0; err == OK && i < json_count(wanted); i++) {
        const char *code = text_or(json_get_text(json_at(wanted, i), "code"), "");
        err = push_material(db, json_at(wanted, i), given_for(s, code), code, list, e);
    }
    /* Of a version of the item that had more. */
    for (size_t i = 0; err == OK && i < json_count(s->materials); i++) {
        const char *code = text_or(json_get_text(json_at(s->materials, i), "code"), "");
        if (!form_material(item, code))
            err = push_material(db, NULL, json_at(s->materials, i), code, list, e);
    }
    json_free(item);
    *ret = list;
    return err;
}

/* ---- the rest ---------------------------------------------------------------------------------*/

static enum err add_lease(struct office *o, struct db *db, const struct dossier *d, struct json *x,
                          struct errmsg *e)
{
    struct json *lease = json_object();
    bool here = text_is(custody_holder(&d->custody), o->site), covered = true;
    enum err err = here ? lease_covers(o, db, d, &covered, e) : OK;

    json_set_bool(lease, "held", covered);
    if (!covered)
        json_set_text(lease, "reason", "离线时间过长");
    json_set(x, "lease", lease);
    return err;
}

static enum err add_duplicates(struct db *db, const struct dossier *d, struct json *x,
                               struct errmsg *e)
{
    const struct case_state *s = d->state;
    const struct json *a = json_get(s->person, "applicant");
    struct json *same = json_array();

    json_set(x, "duplicates", same);
    return duplicates_find(db, text_or(json_get_text(a, "id_number"), ""),
                           text_or(json_get_text(s->filing, "item"), ""),
                           s->filed_ms - DUPLICATE_MS, s->filed_ms + DUPLICATE_MS, d->id, same, e);
}

/* Results of this case that are out and are not valid: both desks must see them. */
static void add_overruled(const struct case_state *s, struct json *x)
{
    struct json *list = json_array();

    for (int i = 0; i < s->overruled_count; i++) {
        struct json *r = json_object();
        json_set_text(r, "number", s->overruled[i].number);
        json_set_text(r, "issuer", s->overruled[i].by);
        view_time(r, "issued_at", s->overruled[i].issued_ms);
        json_push(list, r);
    }
    json_set(x, "overruled", list);
}

static void add_filing(struct office *o, struct db *db, const struct dossier *d, struct json *x)
{
    static const char *const kept[] = {"item",         "item_name", "item_name_en",
                                       "item_version", "community", "channel"};
    const struct case_state *s = d->state;
    const char *custodian = custody_holder(&d->custody);
    char name[64];

    json_set_text(x, "case_no", d->id);
    json_set_text(x, "state", s->state);
    json_set_text(x, "custodian", custodian);
    site_name_of(db, custodian, name);
    json_set_text(x, "custodian_name", name);
    json_set_int(x, "custody_no", d->custody.no);
    json_set_text(x, "filed_at", s->filed_at);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        view_copy(x, kept[i], s->filing);
    view_copy(x, "applicant", s->person);
    view_copy(x, "form", s->person);
    json_set_text(x, "asked", s->asked);
    json_set_bool(x, "withdrawal_asked", s->withdrawal_asked);
    json_set_bool(x, "suspended", s->suspended);
    json_set_bool(x, "read_only", d->read_only);
    view_time(x, "created_at", s->filed_ms);
    view_time(x, "promised_at", s->promised_ms);
    json_set_text(x, "light",
                  promise_light(s->promised_ms, s->completed_ms, s->state, host_wall_ms(o->host)));
    if (s->rating)
        json_set_int(x, "rating", s->rating);
}

static enum err fill(struct office *o, struct db *db, const struct caller *c, struct dossier *d,
                     struct json *x, struct errmsg *e)
{
    struct case_state *s = d->state;
    struct json *materials = NULL, *allowed = NULL, *delivery;
    enum err err;

    case_tell(d, s);
    add_filing(o, db, d, x);
    add_overruled(s, x);
    delivery = delivery_of(db, s, true);
    if (s->delivery.order)
        json_set(delivery, "actions", delivery_actions(c, d));
    json_set(x, "delivery", delivery);
    json_set(x, "certificate", certificate_of(s));
    json_set(x, "timeline", timeline_of(db, s->timeline, true));
    err = materials_of(db, s, &materials, e);
    json_set(x, "materials", materials);
    if (err == OK && (err = case_actions(o, db, c, d, &allowed, e)) == OK)
        json_set(x, "actions", allowed);
    if (err == OK)
        err = add_lease(o, db, d, x, e);
    return err == OK ? add_duplicates(db, d, x, e) : err;
}

enum err case_show(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    const char *no = text_or(json_get_text(in, "case_no"), "");
    struct errmsg e = {""};
    struct case_state *s;
    struct dossier d;
    bool sees;
    enum err err = case_visible(o, db, c, no, &sees, &e);

    if (err != OK)
        return err;
    if (!sees)
        return no_case(p, no);
    if ((err = case_load(o, db, no, &d, &s, &e)) != OK)
        return err == ERR_NOT_FOUND ? no_case(p, no) : err;
    struct json *x = json_object();
    err = fill(o, db, c, &d, x, &e);
    dossier_close(&d);
    if (err == OK)
        *out = x;
    else
        json_free(x);
    return err;
}
