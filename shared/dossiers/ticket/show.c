/* Tickets, one and many, and a queue, as they are shown. */
#include "dossiers/ticket/ticket.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "dossiers/ticket/access.h"
#include "dossiers/ticket/actions.h"
#include "dossiers/ticket/queue.h"
#include "office/access.h"
#include "office/load.h"
#include "office/sites.h"
#include "office/view.h"

#include <stdlib.h>

#define PAGE 200

/* As people read it: who still waited when the day was over waits no more. */
static const char *shown_state(const struct office *o, const char *id, const char *state)
{
    return word_in(" coming waiting called passed ", state) && !queue_holds(o, id) ? "lapsed"
                                                                                   : state;
}

static void set_optional(struct json *x, const char *key, const char *text)
{
    if (text && text[0])
        json_set_text(x, key, text);
}

/* ---- one --------------------------------------------------------------------------------------*/

static void fill(struct office *o, struct db *db, const struct dossier *d, struct json *x)
{
    const struct ticket_state *s = d->state;
    char printed[5], name[64];

    ticket_printed(d->id, printed);
    json_set_text(x, "id", d->id);
    json_set_text(x, "no", printed);
    json_set_text(x, "queue", s->queue);
    json_set_text(x, "class", text_or(json_get_text(s->opening, "class"), "normal"));
    set_optional(x, "item", json_get_text(s->opening, "item"));
    json_set_text(x, "state", shown_state(o, d->id, s->state));
    json_set_text(x, "hall", d->owner);
    site_name_of(db, d->owner, name);
    json_set_text(x, "hall_name", name);
    json_set_text(x, "issued_at_site", s->issued_at);
    set_optional(x, "window", s->window);
    set_optional(x, "for_window", s->for_window);
    if (s->calls)
        json_set_int(x, "calls", s->calls);
    json_set_bool(x, "read_only", d->read_only);
    view_time(x, "issued_at", s->issued_ms);
    view_time(x, "called_at", s->called_ms);
    view_time(x, "serving_since", s->serving_ms);
    view_time(x, "finished_at", s->finished_ms);
}

static enum err fill_place(struct office *o, struct db *db, const struct dossier *d, struct json *x,
                           struct errmsg *e)
{
    const struct ticket_state *s = d->state;
    struct json *estimate = NULL;
    int64_t ahead;
    enum err err = queue_ahead(o, db, d, &ahead, e);

    if (err != OK || (err = queue_estimate(o, db, d->owner, s->queue, ahead, &estimate, e)) != OK)
        return err;
    json_set(x, "ahead", ahead < 0 ? json_null() : json_int(ahead));
    json_set(x, "estimate_minutes", estimate);
    return OK;
}

enum err ticket_show(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    const char *id = text_or(json_get_text(in, "id"), "");
    struct ticket_state *s;
    struct errmsg e = {""};
    struct json *x, *lines;
    struct dossier d;
    bool sees;
    enum err err = ticket_visible(o, db, c, id, &sees, &e);

    if (err != OK)
        return err;
    if (!sees)
        return no_ticket(p, id);
    if ((err = ticket_load(o, db, id, &d, &s, &e)) != OK)
        return err == ERR_NOT_FOUND ? no_ticket(p, id) : err;
    x = json_object();
    fill(o, db, &d, x);
    err = fill_place(o, db, &d, x, &e);
    lines = view_lines(&d);
    json_set(x, "timeline", view_history(db, lines, c->user[0], NULL));
    json_free(lines);
    json_set(x, "actions", ticket_actions(o, c, &d));
    dossier_close(&d);
    if (err == OK)
        *out = x;
    else
        json_free(x);
    return err;
}

/* ---- many -------------------------------------------------------------------------------------*/

#define ROW "id, queue, class, state, called_to, kept_for, calls, issued_ms, called_ms, hall"

static struct json *row_of(const struct office *o, struct stmt *st)
{
    struct json *r = json_object();
    char printed[5];

    ticket_printed(col_text(st, 0), printed);
    json_set_text(r, "id", col_text(st, 0));
    json_set_text(r, "no", printed);
    json_set_text(r, "queue", col_text(st, 1));
    json_set_text(r, "class", col_text(st, 2));
    json_set_text(r, "state", shown_state(o, col_text(st, 0), col_text(st, 3)));
    set_optional(r, "window", col_text(st, 4));
    set_optional(r, "for_window", col_text(st, 5));
    if (col_int(st, 6))
        json_set_int(r, "calls", col_int(st, 6));
    view_time(r, "issued_at", col_int(st, 7));
    view_time(r, "called_at", col_int(st, 8));
    json_set_text(r, "hall", col_text(st, 9));
    return r;
}

static void query_of(const struct json *in, const char *scope, struct buf *sql)
{
    buf_printf(sql, "SELECT " ROW " FROM ticket WHERE %s AND day %s $day", scope,
               json_get_text(in, "day") ? "=" : ">=");
    if (json_get_text(in, "queue"))
        buf_puts(sql, " AND queue = $queue");
    if (json_get_text(in, "state"))
        buf_puts(sql, " AND state = $state");
    if (json_get_text(in, "cursor"))
        buf_puts(sql, " AND (rank, place, given, id) > (SELECT rank, place, given, id FROM ticket "
                      "WHERE id = $cursor)");
    buf_puts(sql, " ORDER BY rank, place, given, id LIMIT $limit");
}

enum err ticket_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    const char *scope = ticket_scope(c), *day = json_get_text(in, "day"),
               *limit_text = json_get_text(in, "limit"), *last = "";
    long limit = limit_text ? strtol(limit_text, NULL, 10) : 100;
    struct json *list;
    struct errmsg e = {""};
    struct buf sql = {0};
    char yymmdd[7];
    int days = 0;
    enum err err;
    bool row;

    if (!scope) {
        problem_set(p, c->user[0] ? 403 : 401, "role-not-allowed", NULL,
                    "a role that works at a hall", c->role, "您的岗位没有这项权限",
                    "Your role may not do this");
        return ERR_DENIED;
    }
    if (limit < 1 || limit > PAGE || (day && !time_parse_date(day, &days))) {
        problem_set(p, 422, "query-invalid", limit < 1 || limit > PAGE ? "limit" : "day",
                    "limit 1 to 200; a date YYYY-MM-DD", NULL, "查询条件有误",
                    "The query is not right");
        return ERR_INVALID;
    }
    queue_oldest_day(o, yymmdd);
    if (day)
        time_yymmdd(time_start_of_day(days), yymmdd);
    query_of(in, scope, &sql);
    struct stmt *st = db_stmt(db, buf_text(&sql));
    buf_free(&sql);
    ticket_bind_scope(st, c);
    bind_text(st, "day", yymmdd);
    static const char *const equal[] = {"queue", "state", "cursor"};
    for (size_t i = 0; i < 3; i++)
        if (json_get_text(in, equal[i]))
            bind_text(st, equal[i], json_get_text(in, equal[i]));
    bind_int(st, "limit", limit + 1);
    list = json_array();
    *out = json_object();
    while ((err = db_step(st, &row, &e)) == OK && row) {
        if ((long)json_count(list) == limit) {
            last = json_get_text(json_at(list, json_count(list) - 1), "id");
            json_set_text(*out, "next", last);
            break;
        }
        json_push(list, row_of(o, st));
    }
    db_reset(st);
    json_set(*out, "tickets", list);
    return err;
}

/* ---- a queue ----------------------------------------------------------------------------------*/

static enum err who_is_where(struct office *o, struct db *db, const char *hall, const char *queue,
                             bool internal, struct json *list, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT " ROW " FROM ticket WHERE hall = $1 AND queue = $2 AND state IN "
                    "('called', 'serving') AND day >= $3 ORDER BY called_ms DESC, id LIMIT 100");
    char oldest[7];
    enum err err;
    bool row;

    queue_oldest_day(o, oldest);
    bind_text(st, 1, hall);
    bind_text(st, 2, queue);
    bind_text(st, 3, oldest);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct json *r = row_of(o, st);
        if (!internal)
            json_del(r, "id");
        json_push(list, r);
    }
    db_reset(st);
    return err;
}

static enum err count_of(struct office *o, struct db *db, const char *hall, const char *queue,
                         const char *state, int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT count(*) FROM ticket WHERE hall = $1 AND queue = $2 AND "
                                  "state = $3 AND day >= $4");
    char oldest[7];
    bool row;

    queue_oldest_day(o, oldest);
    bind_text(st, 1, hall);
    bind_text(st, 2, queue);
    bind_text(st, 3, state);
    bind_text(st, 4, oldest);
    enum err err = db_step(st, &row, e);
    *ret = err == OK && row ? col_int(st, 0) : 0;
    db_reset(st);
    return err;
}

enum err queue_show(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    const char *queue = json_get_text(in, "queue"),
               *hall = text_or(json_get_text(in, "hall"),
                               o->tier == TIER_COMMUNITY ? o->parent : o->site);
    struct json *x, *list = json_array(), *estimate = NULL;
    int64_t waiting = 0, coming = 0;
    struct errmsg e = {""};
    char now[32];
    enum err err;

    if (!queue_named(queue) || !division_valid(hall)) {
        problem_set(p, 422, "queue-unknown", queue_named(queue) ? "hall" : "queue",
                    "one capital letter; the code of a site", queue, "没有这个队列",
                    "There is no such queue");
        json_free(list);
        return ERR_INVALID;
    }
    if ((err = who_is_where(o, db, hall, queue, c->user[0], list, &e)) == OK &&
        (err = count_of(o, db, hall, queue, "waiting", &waiting, &e)) == OK &&
        (err = count_of(o, db, hall, queue, "coming", &coming, &e)) == OK)
        err = queue_estimate(o, db, hall, queue, waiting, &estimate, &e);
    if (err != OK) {
        json_free(list);
        return err;
    }
    x = json_object();
    json_set_text(x, "queue", queue);
    json_set_text(x, "hall", hall);
    json_set(x, "at_windows", list);
    json_set_int(x, "waiting", waiting);
    json_set_int(x, "coming", coming);
    json_set(x, "estimate_minutes", estimate);
    time_rfc3339(host_wall_ms(o->host), now);
    json_set_text(x, "now", now); /* a screen counts from this, not from its own clock */
    *out = x;
    return OK;
}
