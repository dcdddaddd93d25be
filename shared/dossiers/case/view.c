#include "dossiers/case/view.h"

#include "base/text.h"
#include "office/view.h"

const char *promise_light(int64_t promised, int64_t completed, const char *state, int64_t now)
{
    if (completed || !word_in(" submitted accepted correction_required granted ", state) ||
        !promised)
        return "none";
    return now > promised ? "red" : now > promised - 24 * 3600000LL ? "yellow" : "green";
}

struct json *timeline_of(struct db *db, const struct json *lines, bool internal)
{
    return view_history(db, lines, internal, " case.noted ");
}

struct json *delivery_of(struct db *db, const struct case_state *s, bool internal)
{
    const struct case_delivery *d = &s->delivery;
    struct json *x;

    if (!d->order)
        return json_null();
    x = json_object();
    json_set_text(x, "id", d->id);
    json_set_text(x, "method", d->method);
    json_set_text(x, "state", d->state);
    if (d->waybill[0])
        json_set_text(x, "waybill", d->waybill);
    if (internal && d->courier[0])
        json_set_text(x, "courier", d->courier);
    json_set(x, "steps", timeline_of(db, d->steps, internal));
    return x;
}

struct json *certificate_of(const struct case_state *s)
{
    struct json *x;

    if (!s->issued)
        return json_null();
    x = json_object();
    json_set_text(x, "number", s->certificate_no);
    view_time(x, "issued_at", s->issued->at_ms);
    json_set_text(x, "token", json_get_text(s->issued->personal, "token"));
    json_set_text(x, "state", s->revoked ? "revoked" : "valid");
    return x;
}

enum err no_case(struct problem *p, const char *no)
{
    problem_set(p, 404, "no-case", "case_no", NULL, no, "没有这个办件，或您无权查看",
                "There is no such case, or you may not see it");
    return ERR_NOT_FOUND;
}
