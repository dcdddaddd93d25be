/* A case as its resident follows it, by number and query code, without a sign-in. */
#include "base/ids.h"
#include "base/text.h"
#include "dossiers/case/access.h"
#include "dossiers/case/actions.h"
#include "dossiers/case/case.h"
#include "dossiers/case/view.h"
#include "office/sites.h"
#include "office/view.h"

static enum err wrong(struct problem *p, const char *field, const char *expected, const char *found)
{
    problem_set(p, 404, "no-case", field, expected, found, "编号或查询码不正确，请核对回执",
                "The number or the query code is wrong. Look at the receipt.");
    return ERR_NOT_FOUND;
}

static enum err fill(struct office *o, struct db *db, const struct caller *resident,
                     struct dossier *d, struct json *x, struct errmsg *e)
{
    static const char *const kept[] = {"item", "item_name", "item_name_en"};
    struct case_state *s = d->state;
    struct json *allowed = NULL, *delivery;
    char name[64], pickup[7];

    case_tell(d, s);
    json_set_text(x, "case_no", d->id);
    json_set_text(x, "state", s->state);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        view_copy(x, kept[i], s->filing);
    site_name_of(db, custody_holder(&d->custody), name);
    json_set_text(x, "custodian_name", name);
    json_set_text(x, "asked", s->asked);
    json_set_bool(x, "withdrawal_asked", s->withdrawal_asked);
    json_set_bool(x, "suspended", s->suspended);
    view_time(x, "created_at", s->filed_ms);
    view_time(x, "promised_at", s->promised_ms);
    json_set(x, "timeline", timeline_of(db, s->timeline, false));
    delivery = delivery_of(db, s, false);
    /* Until it has served. */
    if (s->delivery.order && !text_is(s->delivery.state, "handed_over")) {
        pickup_code(d->id, text_or(json_get_text(s->person, "query_hash"), ""), pickup);
        json_set_text(delivery, "pickup_code", pickup);
    }
    json_set(x, "delivery", delivery);
    json_set(x, "certificate", certificate_of(s));
    enum err err = case_actions(o, db, resident, d, &allowed, e);
    if (err == OK)
        json_set(x, "actions", allowed);
    return err;
}

enum err case_track(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    const char *no = text_or(json_get_text(in, "case_no"), "");
    struct caller resident = *c;
    struct errmsg e = {""};
    struct case_state *s;
    struct dossier d;
    bool sees;
    enum err err;

    resident.user = "";
    resident.query_code = text_or(json_get_text(in, "code"), "");
    if (!case_number_check(no))
        return wrong(p, "case_no", "21 digits, as on the receipt", no);
    if ((err = case_visible(o, db, &resident, no, &sees, &e)) != OK)
        return err;
    if (!sees)
        return wrong(p, "code", "the query code on the receipt", NULL);
    if ((err = case_load(o, db, no, &d, &s, &e)) != OK)
        return err;
    struct json *x = json_object();
    err = fill(o, db, &resident, &d, x, &e);
    dossier_close(&d);
    if (err == OK)
        *out = x;
    else
        json_free(x);
    return err;
}
