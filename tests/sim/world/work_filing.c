/* Filings: what agents, clerks and residents fill in. */
#include "work.h"

#include <string.h>

static void fill_person(struct json *a, char id[19])
{
    char text[64];

    snprintf(text, sizeof text, "339900%04d%02d%02d%03d0", 1950 + (int)dice(50), 1 + (int)dice(12),
             1 + (int)dice(28), (int)dice(1000));
    memcpy(id, text, 18);
    id[18] = 0;
    for (const char *c = "0123456789X"; *c && !citizen_number_check(id, NULL); c++)
        id[17] = *c;
    json_set_text(a, "name", dice(2) ? "周大海" : "陈晓月");
    json_set_text(a, "id_type", "111");
    json_set_text(a, "id_number", dice(30) ? id : "339900198506130111");
    json_set_text(a, "mobile", "10000000001");
}

static const char *const items[2] = {"birth-registration-first", "birth-household-entry"};

struct item_read {
    const char *code;
    struct json *item;
};

static enum err read_item(struct site *s, void *arg, struct errmsg *e)
{
    struct item_read *r = arg;
    struct json *in = json_object();
    struct caller c = work_caller(s->no);
    struct problem p;

    (void)e;
    json_set_text(in, "code", r->code);
    enum err err = item_show(&s->office, s->db, &c, in, &r->item, &p);
    json_free(in);
    return err;
}

/* What the page would show; the two items do not change, so each is read once, with the world. */
static const struct json *item_of(struct site *s, const char *code)
{
    static struct item_read known[2];
    int i = 0;

    while (known[i].code && strcmp(known[i].code, code))
        i++;
    if (!known[i].code) {
        struct item_read r = {.code = code};
        if (!in_read(s, read_item, &r))
            return NULL;
        known[i] = r;
    }
    return known[i].item;
}

static void fill_form(struct json *form, const struct json *fields, const char *id)
{
    for (size_t k = 0; k < json_count(fields); k++) {
        const struct json *f = json_at(fields, k);
        const char *type = json_get_text(f, "type"), *name = json_get_text(f, "name");
        if (!strcmp(type, "number"))
            json_set_int(form, name, 1);
        else
            json_set_text(form, name,
                          !strcmp(type, "choice")
                              ? json_get_text(json_at(json_get(f, "choices"), 0), "value")
                          : !strcmp(type, "date")           ? "2026-05-20"
                          : !strcmp(type, "citizen_number") ? id
                          : !strcmp(type, "mobile")         ? "10000000002"
                                                            : "葭沚街道示例路1号");
    }
}

/* The papers that must be there, and so many more. */
static void fill_materials(struct site *s, struct json *materials, const struct json *list,
                           int papers)
{
    for (size_t k = 0; k < json_count(list); k++) {
        const struct json *m = json_at(list, k);
        const char *by = json_get_text(m, "obtain_by"), *need = json_get_text(m, "necessity");
        struct json *x = json_object();
        struct paper p;
        json_set_text(x, "code", json_get_text(m, "code"));
        bool promise = by && !strcmp(by, "commitment");
        bool must =
            need && !strcmp(need, "required") && !promise && by && strcmp(by, "shared_data");
        if ((must || papers-- > 0) && work_paper(s, &p)) {
            struct json *docs = json_array();
            json_push_text(docs, p.digest);
            json_set(x, "documents", docs);
        } else if (promise) {
            json_set_bool(x, "commitment", true);
        }
        json_push(materials, x);
    }
}

/* What somebody fills in: a filing, by *ret_online a resident himself. */
static struct json *filing(struct site *s, bool papers_too, bool *ret_online)
{
    static const char *const methods[] = {"agent", "courier", "pickup"};
    const char *code = items[dice(3) == 0];
    const struct json *item = item_of(s, code);
    bool online = s->no <= 2 && dice(2);
    char id[19];

    if (!item)
        return NULL;
    struct json *in = json_object(), *a = json_object(), *form = json_object(),
                *materials = json_array(), *d = json_object();
    fill_person(a, id);
    fill_form(form, json_get(item, "form"), id);
    fill_materials(s, materials, json_get(item, "materials"), papers_too ? (int)dice(3) : 0);
    json_set_text(d, "method", methods[dice(3)]);
    json_set_text(d, "address", "葭沚街道示例路1号");
    json_set_text(in, "item", code);
    json_set(in, "applicant", a);
    json_set(in, "form", form);
    json_set(in, "materials", materials);
    json_set(in, "delivery", d);
    if (dice(8) == 0)
        json_set_bool(in, "submit", false);
    if (s->no == 1 || s->no == 2) {
        if (dice(4))
            json_set_text(in, "community", site[s->no == 1 ? 3 + dice(3) : 6 + dice(3)].code);
    }
    *ret_online = online;
    return in;
}

void work_file(struct site *s)
{
    struct caller c = work_caller(s->no), resident = {.user = "",
                                                      .name = "",
                                                      .role = "",
                                                      .site = s->code,
                                                      .channel = "online",
                                                      .query_code = ""};
    bool online = false;
    struct json *in = filing(s, true, &online);

    if (in)
        work_command(&sim_case, s, online ? &resident : &c, case_lodge, in);
}

/* Is this office open for people? One more filing, that is not kept. */
void work_check(struct site *s)
{
    struct caller c = work_caller(s->no);
    struct problem p = {0};
    struct errmsg e = {""};
    bool online;
    struct json *in = filing(s, false, &online), *out = NULL;

    json_set_text((struct json *)(uintptr_t)json_get(in, "applicant"), "id_number",
                  "33990019850613009X");
    if (db_begin(s->db, &e) != OK || case_lodge(&s->office, s->db, &c, in, &out, &p) != OK)
        breach("site %d cannot take a filing any more: %s %s %s", s->no, p.code, p.field, e.text);
    db_rollback(s->db, NULL);
    json_free(in);
    json_free(out);
}

void work_prepare(void)
{
    for (size_t i = 0; i < 2; i++)
        item_of(&site[0], items[i]);
}
