/* Lists of cases, newest first. */
#include "base/clean.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "dossiers/case/access.h"
#include "dossiers/case/case.h"
#include "dossiers/case/view.h"
#include "office/view.h"

#include <stdlib.h>

#define PAGE 200

static struct json *row_of(struct stmt *st, int64_t now)
{
    struct json *r = json_object();

    json_set_text(r, "case_no", col_text(st, 0));
    json_set_text(r, "item", col_text(st, 1));
    json_set_text(r, "item_name", col_text(st, 2));
    json_set_text(r, "item_name_en", col_text(st, 3));
    json_set_text(r, "applicant_name", col_text(st, 4));
    json_set_text(r, "state", col_text(st, 5));
    json_set_text(r, "custodian", col_text(st, 6));
    json_set_text(r, "community", col_text(st, 7));
    view_time(r, "created_at", col_int(st, 8));
    view_time(r, "promised_at", col_int(st, 9));
    view_time(r, "completed_at", col_int(st, 10));
    json_set_text(r, "light", promise_light(col_int(st, 9), col_int(st, 10), col_text(st, 5), now));
    return r;
}

/* Wildcards are letters; the last place of an identity number is stored as a capital. */
static void bind_search(struct stmt *st, const char *q)
{
    struct buf like = {0};

    buf_putc(&like, '%');
    clean_like(q, &like);
    buf_putc(&like, '%');
    bind_text(st, "like", buf_text(&like));
    bind_text(st, "q", q);
    buf_free(&like);
}

enum err case_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    static const char *const equal[][2] = {{"state", "state"},
                                           {"item", "item"},
                                           {"community", "community"},
                                           {"custodian", "custodian"}};
    const char *scope = case_scope(c), *q = json_get_text(in, "q"),
               *cursor = json_get_text(in, "cursor");
    const char *limit_text = json_get_text(in, "limit"), *mine = json_get_text(in, "mine");
    const char *from = json_get_text(in, "from"), *to = json_get_text(in, "to");
    int from_day = 0, to_day = 0;
    long limit = limit_text ? strtol(limit_text, NULL, 10) : 100;
    struct buf sql = {0};
    struct errmsg e = {""};
    enum err err;
    bool row;

    if (!scope) {
        problem_set(p, 403, "role-not-allowed", NULL, "a role that works on cases", c->role,
                    "您的岗位没有这项权限", "Your role may not do this");
        return ERR_DENIED;
    }
    if (limit < 1 || limit > PAGE || (from && !time_parse_date(from, &from_day)) ||
        (to && !time_parse_date(to, &to_day))) {
        problem_set(p, 422, "query-invalid", limit < 1 || limit > PAGE ? "limit" : "from",
                    "limit 1 to 200; dates YYYY-MM-DD", NULL, "查询条件有误",
                    "The query is not right");
        return ERR_INVALID;
    }
    buf_printf(&sql,
               "SELECT case_no, item, item_name, item_name_en, applicant_name, state, custodian, "
               "community, filed_ms, "
               "promised_ms, completed_ms FROM case_file WHERE %s",
               scope);
    for (size_t i = 0; i < 4; i++)
        if (json_get_text(in, equal[i][0]))
            buf_printf(&sql, " AND %s = $%s", equal[i][1], equal[i][0]);
    if (q && q[0])
        buf_puts(&sql, " AND (case_no LIKE $like ESCAPE '\\' OR applicant_name LIKE $like "
                       "ESCAPE '\\' OR applicant_id = upper($q))");
    if (mine)
        buf_puts(&sql, " AND custodian = $mine");
    if (from)
        buf_puts(&sql, " AND filed_ms >= $from");
    if (to)
        buf_puts(&sql, " AND filed_ms < $to");
    if (cursor)
        buf_puts(&sql, " AND (filed_ms, case_no) < ($at, $no)");
    buf_puts(&sql, " ORDER BY filed_ms DESC, case_no DESC LIMIT $limit");

    struct stmt *st = db_stmt(db, buf_text(&sql));
    buf_free(&sql);
    case_bind_scope(st, c);
    for (size_t i = 0; i < 4; i++)
        if (json_get_text(in, equal[i][0]))
            bind_text(st, equal[i][0], json_get_text(in, equal[i][0]));
    if (q && q[0])
        bind_search(st, q);
    if (mine)
        bind_text(st, "mine", o->site);
    if (from)
        bind_int(st, "from", time_start_of_day(from_day));
    if (to)
        bind_int(st, "to", time_start_of_day(to_day + 1));
    if (cursor) {
        const char *dot = strchr(cursor, '.');
        bind_int(st, "at", strtoll(cursor, NULL, 10));
        bind_text(st, "no", dot ? dot + 1 : "");
    }
    bind_int(st, "limit", limit + 1);
    struct json *list = json_array();
    int64_t now = host_wall_ms(o->host), last_ms = 0;
    char last_no[32] = "", next[64];
    *out = json_object();
    while ((err = db_step(st, &row, &e)) == OK && row) {
        if ((long)json_count(list) == limit) {
            snprintf(next, sizeof next, "%lld.%s", (long long)last_ms, last_no);
            json_set_text(*out, "next", next);
            db_reset(st);
            break;
        }
        json_push(list, row_of(st, now));
        last_ms = col_int(st, 8);
        COPY_TEXT(last_no, col_text(st, 0));
    }
    json_set(*out, "cases", list);
    return err;
}
