/* For the tests with real programs: what the tables of the product say, and what became of events.
 *
 *   tables kinds                 every kind: {type ("" of a fact), letter, kind, may, place, critical}
 *   tables verdicts DB SITE      of each event of SITE in the database: {origin, seq, kind, dossier, state, reason}
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "db/db.h"
#include "dossiers/all.h"

#include <stdio.h>
#include <stdlib.h>

static const char *may_name(enum may may)
{
    static const char *const names[] = {
        [MAY_DISTRICT] = "district",   [MAY_ABOVE] = "above",         [MAY_PARENT] = "parent",
        [MAY_LEND] = "lend",           [MAY_PLACE] = "place",         [MAY_OPEN] = "open",
        [MAY_CUSTODIAN] = "custodian", [MAY_TAKE_BACK] = "take_back", [MAY_OWNER] = "owner",
        [MAY_PART] = "part",           [MAY_OVERRULE] = "overrule",
    };

    return names[may];
}

static void add(struct json *list, const char *type, char letter, const char *kind, enum may may,
                const char *place, unsigned flags)
{
    struct json *x = json_object();
    char text[2] = {letter, 0};

    json_set_text(x, "type", type);
    json_set_text(x, "letter", text);
    json_set_text(x, "kind", kind);
    json_set_text(x, "may", may_name(may));
    json_set_text(x, "place", text_or(place, ""));
    json_set_bool(x, "critical", flags & KIND_CRITICAL);
    json_push(list, x);
}

static void add_kinds(struct json *list)
{
    for (size_t g = 0; g < all_work.group_count; g++)
        for (size_t i = 0; i < all_work.groups[g]->count; i++) {
            const struct fact_kind *k = &all_work.groups[g]->kinds[i];
            add(list, "", 0, k->kind, k->may, k->place, k->flags);
        }
    for (size_t t = 0; t < all_work.type_count; t++) {
        const struct dossier_type *type = all_work.types[t];
        const struct event_kind *o = event_kind_of(type, KIND_OVERRULED);
        for (size_t i = 0; i < type->kind_count; i++) {
            const struct event_kind *k = &type->kinds[i];
            add(list, type->name, type->letter, k->kind, k->may, k->place, k->flags);
        }
        add(list, type->name, type->letter, o->kind, o->may, o->place, o->flags);
    }
}

static enum err add_verdicts(struct db *db, const char *site, struct json *list, struct errmsg *e)
{
    static const char *const columns[] = {"origin", NULL, "kind", "dossier", "state", "reason"};
    struct stmt *st = db_stmt(db, "SELECT origin, seq, kind, dossier, state, reason FROM event "
                                  "WHERE substr(origin, 1, 12) = $1 ORDER BY origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, site);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct json *x = json_object();
        for (int i = 0; i < 6; i++)
            if (columns[i])
                json_set_text(x, columns[i], text_or(col_text(st, i), ""));
        json_set_int(x, "seq", col_int(st, 1));
        json_push(list, x);
    }
    return err;
}

int main(int argc, char **argv)
{
    struct json *list = json_array();
    struct errmsg e = {""};
    struct buf text = {0};
    struct db *db = NULL;
    enum err err = OK;

    if (argc == 2 && text_is(argv[1], "kinds")) {
        add_kinds(list);
    } else if (argc == 4 && text_is(argv[1], "verdicts")) {
        if ((err = db_open(argv[2], DB_READ, &db, &e)) == OK)
            err = add_verdicts(db, argv[3], list, &e);
    } else {
        fputs("tables kinds | tables verdicts DB SITE\n", stderr);
        return 2;
    }
    if (err == OK)
        json_canonical(list, &text);
    else
        fprintf(stderr, "%s: %s\n", err_name(err), e.text);
    puts(err == OK ? buf_text(&text) : "[]");
    json_free(list);
    buf_free(&text);
    db_close(db);
    return err != OK;
}
