#include "catalogue/lint.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static enum err wrong(struct problem *p, const char *field, const char *expected)
{
    problem_set(p, 422, "item-invalid", field, expected, NULL, "事项信息不完整或前后矛盾",
                "The item is incomplete or contradicts itself");
    return ERR_INVALID;
}

static bool text(const struct json *o, const char *key)
{
    const char *s = json_get_text(o, key);

    return s && *s;
}

static bool one_of(const char *s, const char *const *set)
{
    for (; s && *set; set++)
        if (!strcmp(s, *set))
            return true;
    return false;
}

static enum err lint_limits(const struct json *item, struct problem *p)
{
    int64_t legal = json_get_int(json_get(item, "legal_limit"), "value", -1);
    int64_t promised = json_get_int(json_get(item, "promised_limit"), "value", -1);
    const char *kind = json_get_text(item, "case_kind"),
               *review = json_get_text(item, "review_kind");
    bool instant = promised == 0;

    if (legal < 0 || promised < 0 || promised > legal)
        return wrong(p, "promised_limit", "a promise within the legal limit");
    if (!kind || !review || instant != !strcmp(kind, "1") || instant != !strcmp(review, "即审即办"))
        return wrong(p, "case_kind", "on the spot <=> instant case <=> reviewed at once");
    if (json_get_int(item, "max_visits", -1) < 0)
        return wrong(p, "max_visits", "0 or more");
    if (json_get_int(item, "max_visits", 0) > 0 && !text(item, "visit_reason"))
        return wrong(p, "visit_reason", "a reason for every visit");
    if (json_get_int(item, "baseline_trips", -1) < 0)
        return wrong(p, "baseline_trips", "trips before the reform");
    return OK;
}

static enum err lint_people(const struct json *item, struct problem *p)
{
    static const char *const lists[] = {"accepted_at", "decided_at", "delivery", "audience",
                                        "legal_basis", "steps",      "faqs",     NULL};
    const char *ask = json_get_text(json_get(item, "enquiry"), "phone");
    const char *complain = json_get_text(json_get(item, "complaint"), "phone");

    for (const char *const *l = lists; *l; l++)
        if (!json_is_array(json_get(item, *l)) || !json_count(json_get(item, *l)))
            return wrong(p, *l, "at least one entry");
    if (!ask || !complain || strncmp(ask, "0", 1) || !strcmp(ask, complain))
        return wrong(p, "complaint", "enquiry and complaint phones, different, with area code");
    if (!text(json_get(item, "result"), "name") || !text(json_get(item, "result"), "prefix"))
        return wrong(p, "result", "a name and a number prefix");
    return OK;
}

static enum err lint_materials(const struct json *item, struct problem *p)
{
    static const char *const necessity[] = {"required", "optional", "deferrable", NULL};
    static const char *const obtain[] = {"applicant",      "shared_data",   "commitment",
                                         "assist_request", "e_certificate", NULL};
    const struct json *list = json_get(item, "materials");
    char path[64];

    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *m = json_at(list, i);

        snprintf(path, sizeof path, "materials[%zu]", i);
        if (!text(m, "code") || !text(m, "name") || !text(m, "name_en") || !text(m, "source") ||
            !text(m, "form") || !one_of(json_get_text(m, "necessity"), necessity) ||
            !one_of(json_get_text(m, "obtain_by"), obtain) || json_get_int(m, "copies", 0) < 1 ||
            !json_count(json_get(m, "accept")) || json_get_int(m, "max_bytes", 0) < 1)
            return wrong(
                p, path,
                "code, names, source, form, necessity, obtain_by, copies, accept, max_bytes");
    }
    return OK;
}

static enum err lint_form(const struct json *item, struct problem *p)
{
    static const char *const types[] = {"text",   "date",   "citizen_number", "mobile",
                                        "choice", "number", "textarea",       NULL};
    const struct json *list = json_get(item, "form");
    char path[64];

    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *f = json_at(list, i);

        snprintf(path, sizeof path, "form[%zu]", i);
        if (!text(f, "name") || !text(f, "label") || !text(f, "label_en") ||
            !one_of(json_get_text(f, "type"), types) ||
            (!strcmp(json_get_text(f, "type"), "choice") && json_count(json_get(f, "choices")) < 2))
            return wrong(p, path, "name, labels in both languages, a known type, choices");
    }
    return OK;
}

/* What a street does about a case of which it does not know what its community has decided. */
static enum err lint_take_back(const struct json *item, struct problem *p)
{
    const struct json *at = json_get(item, "decided_at"), *said = json_get(item, "take_back");
    bool community = false;

    for (size_t i = 0; i < json_count(at); i++)
        community |= text_is(json_value_text(json_at(at, i)), "community");
    if (said && !community)
        return wrong(p, "take_back", "nothing: no community decides this item");
    if (said && !word_in(" wait overrule ", json_value_text(said)))
        return wrong(p, "take_back", "wait or overrule");
    return OK;
}

enum err lint_item(const struct json *item, struct problem *p)
{
    static const char *const texts[] = {"code",          "name",       "name_en", "item_type",
                                        "competent_org", "conditions", "state",   NULL};
    enum err err;

    if (!json_is_object(item))
        return wrong(p, "", "an object");
    for (const char *const *t = texts; *t; t++)
        if (!text(item, *t))
            return wrong(p, *t, "text");
    if (json_get_int(item, "version", 0) < 1)
        return wrong(p, "version", "1 or more");
    err = lint_limits(item, p);
    if (err == OK)
        err = lint_take_back(item, p);
    if (err == OK)
        err = lint_people(item, p);
    if (err == OK)
        err = lint_materials(item, p);
    return err == OK ? lint_form(item, p) : err;
}
