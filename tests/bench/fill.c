/* Fill a district's folder with cases of many days, through the office's own commands: bench_fill DIR ITEM N */
#include "base/time.h"
#include "casework/office.h"
#include "site/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t now;

static int64_t wall(void *arg)
{
    (void)arg;
    return now += 50;
}

static struct json *filing(struct db *db, const char *code, int i)
{
    struct json *in = json_object(), *a = json_object(), *form = json_object(), *materials = json_array(), *d = json_object();
    struct json *item = NULL;
    struct stmt *st = db_stmt(db, "SELECT body FROM item WHERE code = $1");
    char id[19], mobile[16];
    bool row;

    bind_text(st, 1, code);
    if (db_step(st, &row, NULL) != OK || !row || json_parse(col_text(st, 0), strlen(col_text(st, 0)), &item, NULL) != OK)
        exit(1);
    db_reset(st);
    snprintf(id, sizeof id, "339900%04d%02d%02d%03d0", 1950 + i % 50, 1 + i % 12, 1 + i % 28, i % 1000);
    for (const char *c = "0123456789X"; *c && !citizen_number_check(id, NULL); c++)
        id[17] = *c;
    snprintf(mobile, sizeof mobile, "1%010d", i);
    json_set_text(a, "name", "周大海");
    json_set_text(a, "id_type", "111");
    json_set_text(a, "id_number", id);
    json_set_text(a, "mobile", mobile);
    for (size_t k = 0; k < json_count(json_get(item, "form")); k++) {
        const struct json *f = json_at(json_get(item, "form"), k);
        const char *type = json_get_text(f, "type"), *name = json_get_text(f, "name");
        if (!strcmp(type, "number"))
            json_set_int(form, name, 1);
        else
            json_set_text(form, name, !strcmp(type, "choice") ? json_get_text(json_at(json_get(f, "choices"), 0), "value")
                                     : !strcmp(type, "date") ? "2026-05-20" : !strcmp(type, "citizen_number") ? id
                                     : !strcmp(type, "mobile") ? mobile : "葭沚街道示例路1号");
    }
    for (size_t k = 0; k < json_count(json_get(item, "materials")); k++) {
        const struct json *m = json_at(json_get(item, "materials"), k);
        bool promise = !strcmp(json_get_text(m, "obtain_by"), "commitment");
        struct json *x = json_object();
        json_set_text(x, "code", json_get_text(m, "code"));
        if (promise)
            json_set_bool(x, "commitment", true);
        json_push(materials, x);
    }
    json_set_text(d, "method", "pickup");
    json_set_text(in, "item", code);
    json_set(in, "applicant", a);
    json_set(in, "form", form);
    json_set(in, "materials", materials);
    json_set(in, "delivery", d);
    json_free(item);
    return in;
}

static void must(enum err err, const char *what, const struct errmsg *e, const struct problem *p)
{
    if (err == OK)
        return;
    fprintf(stderr, "fill: %s: %s %s %s %s\n", what, err_name(err), e->text, p->field, p->en);
    exit(1);
}

int main(int argc, char **argv)
{
    struct caller clerk = {.user = "clerk", .name = "窗口甲", .role = "clerk", .channel = "window", .query_code = ""};
    struct host host = *host_system();
    struct errmsg e = {""};
    struct problem p = {0};
    struct folder f;
    struct office o;
    struct db *db;
    int n = argc == 4 ? atoi(argv[3]) : 0;

    if (!n)
        return 2;
    must(folder_read(argv[1], &f, &e), "folder", &e, &p);
    must(folder_open_db(&f, &db, &e), "database", &e, &p);
    now = time_start_of_day(time_days_of(2026, 3, 2));
    host.wall_ms = wall;
    must(folder_office(&f, &o, db, &e), "office", &e, &p);
    o.host = &host;
    o.ledger.host = &host;
    clerk.site = o.site;
    for (int i = 0; i < n; i++) {
        struct json *in, *out = NULL;
        if (i % 1000 == 0)
            must(db_begin(db, &e), "begin", &e, &p);
        if (i % 5000 == 4999)
            now += 86400000;
        in = filing(db, argv[2], i);
        must(case_file(&o, db, &clerk, in, &out, &p), "file", &e, &p);
        json_free(in);
        json_free(out);
        if (i % 1000 == 999 || i == n - 1)
            must(db_commit(db, &e), "commit", &e, &p);
    }
    office_close(&o);
    db_close(db);
    return 0;
}
