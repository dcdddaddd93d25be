/* Deliveries: one, and lists of them in pages, newest first. */
#include "base/buf.h"
#include "base/text.h"
#include "dossiers/case/access.h"
#include "dossiers/case/case.h"
#include "dossiers/case/delivery_open.h"
#include "office/access.h"

#include <stdlib.h>

#define LIST_MAX 200

enum err delivery_show(struct office *o, struct db *db, const struct caller *c,
                       const struct json *in, struct json **out, struct problem *p)
{
    struct errmsg e = {""};
    struct dossier d;
    enum err err = delivery_open(o, db, c, text_or(json_get_text(in, "id"), ""), &d, p, &e);

    if (err != OK)
        return err;
    *out = delivery_view(db, c, &d);
    dossier_close(&d);
    return OK;
}

/* The newest of one state; a courier's own, or those of the cases that the caller may see. */
static void select_state(struct buf *sql, const char *state, const char *scope,
                         const struct json *in)
{
    buf_printf(sql,
               "SELECT * FROM (SELECT id, case_no, ordered_ms FROM delivery d WHERE state = '%s'",
               state);
    if (scope)
        buf_printf(sql, " AND EXISTS (SELECT 1 FROM case_file WHERE case_no = d.case_no AND %s)",
                   scope);
    else
        buf_puts(sql, " AND courier = $user AND courier <> ''");
    if (json_get_text(in, "method"))
        buf_puts(sql, " AND method = $method");
    if (json_get_text(in, "case_no"))
        buf_puts(sql, " AND id = $no || '-1'");
    if (json_get_text(in, "cursor"))
        buf_puts(sql, " AND (ordered_ms, id) < ($at, $id)");
    buf_puts(sql, " ORDER BY ordered_ms DESC, id DESC LIMIT $limit)");
}

static struct stmt *select_list(struct db *db, const struct caller *c, const struct json *in,
                                const char *scope, long limit)
{
    static const char *const states[] = {"ordered",     "assigned", "picked_up", "in_transit",
                                         "handed_over", "failed",   "returned"};
    const char *state = json_get_text(in, "state"), *cursor = json_get_text(in, "cursor");
    struct buf sql = {0};
    size_t n = 0;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (!state || text_is(state, states[i])) {
            buf_puts(&sql, n++ ? " UNION ALL " : "");
            select_state(&sql, states[i], scope, in);
        }
    if (!n)
        return NULL;
    buf_puts(&sql, " ORDER BY ordered_ms DESC, id DESC LIMIT $limit");
    struct stmt *st = db_stmt(db, buf_text(&sql));
    buf_free(&sql);
    if (scope)
        case_bind_scope(st, c);
    else
        bind_text(st, "user", c->user);
    if (json_get_text(in, "method"))
        bind_text(st, "method", json_get_text(in, "method"));
    if (json_get_text(in, "case_no"))
        bind_text(st, "no", json_get_text(in, "case_no"));
    if (cursor) {
        const char *dot = strchr(cursor, '.');
        bind_int(st, "at", strtoll(cursor, NULL, 10));
        bind_text(st, "id", dot ? dot + 1 : "");
    }
    bind_int(st, "limit", limit + 1);
    return st;
}

enum err delivery_list(struct office *o, struct db *db, const struct caller *c,
                       const struct json *in, struct json **out, struct problem *p)
{
    const char *scope = case_scope(c), *limit_text = json_get_text(in, "limit");
    long limit = limit_text ? strtol(limit_text, NULL, 10) : LIST_MAX;
    struct json *list = json_array();
    char last[64] = "";
    struct errmsg e = {""};
    enum err err;
    bool row;

    if (!scope && !text_is(c->role, "courier")) { /* others see none */
        *out = json_object();
        json_set(*out, "deliveries", list);
        return OK;
    }
    struct stmt *st = limit < 1 || limit > LIST_MAX ? NULL : select_list(db, c, in, scope, limit);
    if (!st) {
        problem_set(p, 422, "query-invalid", limit < 1 || limit > LIST_MAX ? "limit" : "state",
                    "limit 1 to 200; state ordered, assigned, picked_up, in_transit, handed_over, "
                    "failed or returned",
                    limit < 1 || limit > LIST_MAX ? limit_text : json_get_text(in, "state"),
                    "查询条件有误", "The query is not right");
        json_free(list);
        return ERR_INVALID;
    }
    bool more = false;
    while ((err = db_step(st, &row, &e)) == OK && row &&
           !(more = (long)json_count(list) == limit)) {
        struct dossier k;
        struct case_state *s;
        snprintf(last, sizeof last, "%lld.%s", (long long)col_int(st, 2), col_text(st, 0));
        if ((err = case_load(o, db, col_text(st, 1), &k, &s, &e)) != OK)
            break;
        json_push(list, delivery_view(db, c, &k));
        dossier_close(&k);
    }
    db_reset(st);
    if (err != OK) {
        json_free(list);
        return err;
    }
    *out = json_object();
    json_set(*out, "deliveries", list);
    if (more)
        json_set_text(*out, "next", last);
    return OK;
}
