/* Figures: what was filed and completed, how long it took, and which trips nobody had to make. */
#include "dossiers/case/case.h"

#include "base/text.h"
#include "base/time.h"
#include "dossiers/case/access.h"

static void fill(struct stmt *st, int at, struct json *o)
{
    int64_t completed = col_int(st, at + 1);

    json_set_int(o, "filed", col_int(st, at));
    json_set_int(o, "completed", completed);
    json_set_int(o, "delivered", col_int(st, at + 2));
    json_set_int(o, "trips_saved", col_int(st, at + 3));
    json_set_int(o, "handling_s_mean", completed ? col_int(st, at + 4) / completed / 1000 : 0);
}

#define FIGURES                                                                                    \
    "count(*), coalesce(sum(completed_ms > 0), 0), coalesce(sum(state = 'delivered'), 0), "        \
    "coalesce(sum(trips_saved), 0), "                                                              \
    "coalesce(sum(CASE WHEN completed_ms > 0 THEN completed_ms - filed_ms ELSE 0 END), 0) FROM "   \
    "case_file "                                                                                   \
    "WHERE filed_ms >= $from AND filed_ms < $to AND "

enum err statistics_show(struct office *o, struct db *db, const struct caller *c,
                         const struct json *in, struct json **out, struct problem *p)
{
    static const char *const groups[][2] = {
        {"item", "item, item_name"},
        {"street", "street, street"},
        {"community", "community, community"},
        {"day", "strftime('%Y-%m-%d', filed_ms / 1000 + 28800, 'unixepoch'), ''"},
    };
    const char *from = json_get_text(in, "from"), *to = json_get_text(in, "to"),
               *by = json_get_text(in, "by");
    const char *scope = case_scope(c), *group = NULL;
    int from_day = 0, to_day = 40000;
    struct buf sql = {0};
    struct errmsg e = {""};
    struct stmt *st;
    enum err err;
    bool row;

    (void)o;
    for (size_t i = 0; by && i < 4; i++)
        if (!strcmp(groups[i][0], by))
            group = groups[i][1];
    if (!scope || (by && !group) || (from && !time_parse_date(from, &from_day)) ||
        (to && !time_parse_date(to, &to_day))) {
        problem_set(p, scope ? 422 : 403, scope ? "query-invalid" : "role-not-allowed",
                    by && !group ? "by" : "from",
                    "by item, street, community or day; dates YYYY-MM-DD", by, "查询条件有误",
                    "The query is not right");
        return scope ? ERR_INVALID : ERR_DENIED;
    }
    buf_printf(&sql, "SELECT " FIGURES "%s", scope);
    st = db_stmt(db, buf_text(&sql));
    case_bind_scope(st, c);
    bind_int(st, "from", time_start_of_day(from_day));
    bind_int(st, "to", time_start_of_day(to_day + 1));
    struct json *total = json_object(), *rows = json_array();
    if ((err = db_step(st, &row, &e)) == OK && row)
        fill(st, 0, total);
    db_reset(st);
    if (err == OK && group) {
        buf_reset(&sql);
        buf_printf(&sql, "SELECT %s, " FIGURES "%s GROUP BY 1 ORDER BY 1", group, scope);
        st = db_stmt(db, buf_text(&sql));
        case_bind_scope(st, c);
        bind_int(st, "from", time_start_of_day(from_day));
        bind_int(st, "to", time_start_of_day(to_day + 1));
        while ((err = db_step(st, &row, &e)) == OK && row) {
            struct json *x = json_object();
            json_set_text(x, "key", col_text(st, 0));
            json_set_text(x, "name", col_text(st, 1));
            fill(st, 2, x);
            json_push(rows, x);
        }
    }
    buf_free(&sql);
    *out = json_object();
    json_set(*out, "total", total);
    json_set(*out, "rows", rows);
    return err;
}
