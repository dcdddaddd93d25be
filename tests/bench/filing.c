#include "filing.h"

#include "base/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void filing_must(enum err err, const char *what, const struct errmsg *e, const struct problem *p)
{
    if (err == OK)
        return;
    fprintf(stderr, "bench: %s: %s %s %s %s\n", what, err_name(err), e->text, p->field, p->en);
    exit(1);
}

static struct json *load(struct db *db, const char *code)
{
    struct stmt *st = db_stmt(db, "SELECT body FROM item WHERE code = $1");
    struct json *item = NULL;
    bool row;

    bind_text(st, 1, code);
    if (db_step(st, &row, NULL) != OK || !row ||
        json_parse(col_text(st, 0), strlen(col_text(st, 0)), &item, NULL) != OK) {
        fprintf(stderr, "bench: no item %s in this folder\n", code);
        exit(1);
    }
    db_reset(st);
    return item;
}

static struct json *form(const struct json *item, const char *id, const char *mobile)
{
    struct json *out = json_object();

    for (size_t k = 0; k < json_count(json_get(item, "form")); k++) {
        const struct json *f = json_at(json_get(item, "form"), k);
        const char *type = json_get_text(f, "type"), *name = json_get_text(f, "name");
        if (!strcmp(type, "number"))
            json_set_int(out, name, 1);
        else
            json_set_text(out, name,
                          !strcmp(type, "choice")
                              ? json_get_text(json_at(json_get(f, "choices"), 0), "value")
                          : !strcmp(type, "date")           ? "2026-05-20"
                          : !strcmp(type, "citizen_number") ? id
                          : !strcmp(type, "mobile")         ? mobile
                                                            : "葭沚街道示例路1号");
    }
    return out;
}

static struct json *materials(const struct json *item, const char *const *digests, int count)
{
    struct json *out = json_array();

    for (size_t k = 0; k < json_count(json_get(item, "materials")); k++) {
        const struct json *m = json_at(json_get(item, "materials"), k);
        const char *by = json_get_text(m, "obtain_by");
        struct json *x = json_object();
        json_set_text(x, "code", json_get_text(m, "code"));
        if (!strcmp(by, "commitment")) {
            json_set_bool(x, "commitment", true);
        } else if (!strcmp(by, "applicant") && count) {
            struct json *docs = json_array();
            for (; count; count--)
                json_push_text(docs, *digests++);
            json_set(x, "documents", docs);
        } else if (!strcmp(json_get_text(m, "necessity"), "deferrable")) {
            json_set_bool(x, "later", true);
        }
        json_push(out, x);
    }
    return out;
}

struct json *filing_make(struct db *db, const char *code, int i, const char *method,
                         const char *const *digests, int count)
{
    struct json *in = json_object(), *a = json_object(), *d = json_object(), *item = load(db, code);
    char id[32], mobile[16];
    unsigned person = (unsigned)i;

    snprintf(id, sizeof id, "339900%04u%02u%02u%03u0", 1950 + person % 50, 1 + person % 12,
             1 + person % 28, person % 1000);
    for (const char *c = "0123456789X"; *c && !citizen_number_check(id, NULL); c++)
        id[17] = *c;
    snprintf(mobile, sizeof mobile, "1%010u", person);
    json_set_text(a, "name", "周大海");
    json_set_text(a, "id_type", "111");
    json_set_text(a, "id_number", id);
    json_set_text(a, "mobile", mobile);
    json_set_text(d, "method", method);
    if (strcmp(method, "pickup")) {
        json_set_text(d, "recipient", "周大海");
        json_set_text(d, "mobile", mobile);
        json_set_text(d, "address", "葭沚街道示例路1号");
    }
    json_set_text(in, "item", code);
    json_set(in, "applicant", a);
    json_set(in, "form", form(item, id, mobile));
    json_set(in, "materials", materials(item, digests, count));
    json_set(in, "delivery", d);
    json_free(item);
    return in;
}
