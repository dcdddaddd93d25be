#include "dossiers/case/view.h"

#include "base/text.h"
#include "base/time.h"
#include "office/sites.h"

void set_time(struct json *o, const char *key, int64_t ms)
{
    char text[32];

    if (!ms)
        return;
    time_rfc3339(ms, text);
    json_set_text(o, key, text);
}

const char *promise_light(int64_t promised, int64_t completed, const char *state, int64_t now)
{
    if (completed || !word_in(" submitted accepted correction_required granted ", state) ||
        !promised)
        return "none";
    return now > promised ? "red" : now > promised - 24 * 3600000LL ? "yellow" : "green";
}

void copy_member(struct json *to, const char *key, const struct json *from)
{
    struct json *v = json_get(from, key);

    if (v)
        json_set(to, key, json_copy(v));
}

struct json *timeline_of(struct db *db, const struct json *lines, bool internal)
{
    struct json *list = json_array();
    char name[64], at[32];

    for (size_t i = 0; i < json_count(lines); i++) {
        const struct json *l = json_at(lines, i);
        if (!internal && text_is(json_get_text(l, "kind"), "case.noted"))
            continue;
        struct json *t = json_copy(l);
        time_rfc3339(json_get_int(l, "at_ms", 0), at);
        json_del(t, "at_ms");
        json_set_text(t, "at", at);
        site_name_of(db, text_or(json_get_text(l, "site"), ""), name);
        json_set_text(t, "site_name", name);
        if (!internal)
            json_del(t, "actor_name");
        json_push(list, t);
    }
    return list;
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
    set_time(x, "issued_at", s->issued->at_ms);
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
