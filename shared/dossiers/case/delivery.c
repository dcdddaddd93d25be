/* A result on its way to the door: ordered with the completion. */
#include "dossiers/case/delivery.h"

#include "base/text.h"
#include "dossiers/case/numbers.h"
#include "office/access.h"
#include "office/say.h"

enum err delivery_order(struct office *o, struct db *db, const struct caller *c,
                        const struct dossier *d, struct errmsg *e)
{
    static const char *const keys[] = {"method", "recipient", "mobile", "address"};
    const struct case_state *s = d->state;
    const struct json *want = json_get(s->person, "delivery"),
                      *a = json_get(s->person, "applicant");
    struct json *b = json_object();
    struct problem none;
    char waybill[14];

    json_set_int(b, "custody_no", d->custody.no);
    for (size_t i = 0; i < 4; i++)
        json_set_text(b, keys[i], json_get_text(want, keys[i]));
    if (!json_get_text(b, "recipient"))
        json_set_text(b, "recipient", json_get_text(a, "name"));
    if (!json_get_text(b, "mobile"))
        json_set_text(b, "mobile", json_get_text(a, "mobile"));
    /* A community has no waybills: the street's dispatcher gives one when he assigns the courier. */
    if (text_is(json_get_text(b, "method"), "courier") &&
        number_waybill(o, db, waybill, &none) == OK)
        json_set_text(b, "waybill", waybill);
    return office_say(o, db, "delivery.ordered/1", d->id, d->street, c, b, e);
}

/* Who may do which step. */
static bool may(const struct caller *c, const struct case_state *s, const char *action)
{
    const struct case_delivery *d = &s->delivery;
    bool office = caller_is(c, " dispatcher clerk admin ");
    bool agent = caller_is(c, " agent ") &&
                 text_is(text_or(json_get_text(s->filing, "community"), s->filed_at), c->site);

    if (!delivery_allows(d->method, d->state, action))
        return false;
    if (text_is(d->method, "courier"))
        return office || (!text_is(action, "assign") && caller_is(c, " courier ") &&
                          text_is(d->courier, c->user));
    if (text_is(d->method, "pickup"))
        return office || caller_is(c, " agent ");
    return office || agent;
}

bool delivery_may(const struct caller *c, const struct dossier *d, const char *action)
{
    return may(c, d->state, action);
}

struct json *delivery_actions(const struct caller *c, const struct dossier *d)
{
    static const char *const names[] = {"assign",    "pick_up", "in_transit",
                                        "hand_over", "fail",    "return"};
    const struct case_state *s = d->state;
    struct json *list = json_array();

    for (size_t i = 0; i < 6; i++)
        if (s->delivery.order && may(c, s, names[i]))
            json_push_text(list, names[i]);
    return list;
}
