/* A result on its way to the door: ordered with the completion, each step recorded, handed over
 * against the recipient's code. */
#include "office/inside.h"

#include "base/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 200
#define TRIES_MAX 5
#define TRIES_PAUSE_MS (15LL * 60 * 1000)

static bool is(const char *a, const char *b)
{
    return !strcmp(a, b);
}

enum err delivery_order(struct office *o, struct db *db, const struct caller *c,
                        const struct case_state *s, struct problem *p, struct errmsg *e)
{
    static const char *const keys[] = {"method", "recipient", "mobile", "address"};
    const struct json *want = json_get(s->filing, "delivery"),
                      *a = json_get(s->filing, "applicant");
    struct json *b = json_object();
    struct problem none;
    char id[32], waybill[14];

    (void)p;
    snprintf(id, sizeof id, "%.24s-1", s->case_no);
    json_set_int(b, "custody_no", s->custody_no);
    json_set_text(b, "id", id);
    for (size_t i = 0; i < 4; i++)
        json_set_text(b, keys[i], json_get_text(want, keys[i]));
    if (!json_get_text(b, "recipient"))
        json_set_text(b, "recipient", json_get_text(a, "name"));
    if (!json_get_text(b, "mobile"))
        json_set_text(b, "mobile", json_get_text(a, "mobile"));
    /* A community has no waybills: the street's dispatcher gives one when he assigns the courier.
     */
    if (is(text_or(json_get_text(b, "method"), ""), "courier") &&
        number_waybill(o, db, waybill, &none) == OK)
        json_set_text(b, "waybill", waybill);
    return office_say(o, db, "delivery.ordered/1", s->case_no, s->street, c, b, e);
}

/* ---- who may do which step --------------------------------------------------------------------*/

static bool may(struct office *o, const struct caller *c, const struct case_state *s,
                const char *action)
{
    const struct case_delivery *d = &s->delivery;
    bool office = is(c->role, "dispatcher") || is(c->role, "clerk") || is(c->role, "admin");
    bool agent = is(c->role, "agent") &&
                 is(text_or(json_get_text(s->filing, "community"), s->filed_at), c->site);

    (void)o;
    if (!fold_delivery_allows(d->method, d->state, action))
        return false;
    if (is(d->method, "courier"))
        return is(action, "assign") ? office
                                    : office || (is(c->role, "courier") && is(d->courier, c->user));
    if (is(d->method, "pickup"))
        return office || is(c->role, "agent");
    return office || agent;
}

struct json *delivery_actions(struct office *o, const struct caller *c, const struct case_state *s)
{
    static const char *const names[] = {"assign",    "pick_up", "in_transit",
                                        "hand_over", "fail",    "return"};
    struct json *list = json_array();

    for (size_t i = 0; i < 6; i++)
        if (s->delivery.ordered && may(o, c, s, names[i]))
            json_push_text(list, names[i]);
    return list;
}

/* The case of a delivery, if this caller may see it: the office's people by their cases, a courier
 * by what is assigned to him. */
static enum err open_delivery(struct office *o, struct db *db, const struct caller *c,
                              const char *id, struct case_open *k, struct problem *p,
                              struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT case_no, courier FROM delivery WHERE id = $1");
    char no[24] = "", courier[64] = "";
    enum err err;
    bool row;

    bind_text(st, 1, id);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (row) {
        COPY_TEXT(no, col_text(st, 0));
        COPY_TEXT(courier, col_text(st, 1));
    }
    db_reset(st);
    bool sees = row && c->user[0] &&
                (is(c->role, "courier") ? is(courier, c->user) : case_visible(o, db, c, no));
    if (!sees) {
        problem_set(p, 404, "no-delivery", "id", NULL, id, "没有这个送达单，或您无权查看",
                    "There is no such delivery, or you may not see it");
        return ERR_NOT_FOUND;
    }
    return case_load(db, no, k, e);
}

static struct json *show(struct office *o, struct db *db, const struct caller *c,
                         const struct case_state *s)
{
    const struct case_delivery *d = &s->delivery;
    struct json *x = json_object();
    char name[64];

    json_set_text(x, "id", d->id);
    json_set_text(x, "case_no", s->case_no);
    json_set_text(x, "item_name", json_get_text(s->filing, "item_name"));
    json_set_text(x, "item_name_en", json_get_text(s->filing, "item_name_en"));
    json_set_text(x, "method", d->method);
    json_set_text(x, "state", d->state);
    if (d->waybill[0])
        json_set_text(x, "waybill", d->waybill);
    if (d->courier[0])
        json_set_text(x, "courier", d->courier);
    json_set_text(x, "recipient", json_get_text(d->order, "recipient"));
    json_set_text(x, "mobile", json_get_text(d->order, "mobile"));
    json_set_text(x, "address", json_get_text(d->order, "address"));
    site_name_of(db, s->custodian, name);
    json_set_text(x, "sender_name", name);
    set_time(x, "ordered_at", d->ordered_ms);
    json_set(x, "actions", delivery_actions(o, c, s));
    return x;
}

enum err delivery_show(struct office *o, struct db *db, const struct caller *c,
                       const struct json *in, struct json **out, struct problem *p)
{
    struct errmsg e = {""};
    struct case_open k;
    enum err err = open_delivery(o, db, c, text_or(json_get_text(in, "id"), ""), &k, p, &e);

    if (err != OK)
        return err;
    *out = show(o, db, c, &k.state);
    case_close(&k);
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
        if (!state || is(state, states[i])) {
            buf_puts(&sql, n++ ? " UNION ALL " : "");
            select_state(&sql, states[i], scope, in);
        }
    if (!n)
        return NULL;
    buf_puts(&sql, " ORDER BY ordered_ms DESC, id DESC LIMIT $limit");
    struct stmt *st = db_stmt(db, buf_text(&sql));
    buf_free(&sql);
    if (scope)
        caller_bind_scope(st, c);
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
    const char *scope = caller_scope(c), *limit_text = json_get_text(in, "limit");
    long limit = limit_text ? strtol(limit_text, NULL, 10) : LIST_MAX;
    struct json *list = json_array();
    char last[64] = "";
    struct errmsg e = {""};
    enum err err;
    bool row;

    if (!scope && !is(c->role, "courier")) { /* others see none */
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
        struct case_open k;
        snprintf(last, sizeof last, "%lld.%s", (long long)col_int(st, 2), col_text(st, 0));
        if ((err = case_load(db, col_text(st, 1), &k, &e)) != OK)
            break;
        json_push(list, show(o, db, c, &k.state));
        case_close(&k);
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

/* ---- steps ------------------------------------------------------------------------------------*/

static struct code_try *tries_of(struct office *o, const char *id)
{
    for (int i = 0; i < 64; i++)
        if (is(o->tries[i].id, id))
            return &o->tries[i];
    return NULL;
}

/* The recipient's code; five wrong ones, and the door is shut for a quarter of an hour. */
static enum err check_code(struct office *o, const struct case_state *s, const char *code,
                           struct problem *p)
{
    struct code_try *t = tries_of(o, s->delivery.id);
    int64_t now = host_mono_ms(o->host);
    char hash[65];

    if (t && t->count >= TRIES_MAX && now - t->last_ms < TRIES_PAUSE_MS) {
        problem_set(p, 429, "too-many-tries", "code", "a pause of a quarter of an hour", NULL,
                    "取件码输错次数过多，请一刻钟后再试",
                    "Too many wrong codes. Try again in a quarter of an hour.");
        return ERR_DENIED;
    }
    pickup_hash(s->case_no, code, hash);
    if (crypto_equal(hash,
                     text_or(json_get_text(s->filing, "pickup_hash"),
                             "0000000000000000000000000000000000000000000000000000000000000000"),
                     64))
        return OK;
    if (!t) {
        t = &o->tries[o->try_at++ % 64];
        memset(t, 0, sizeof *t);
        COPY_TEXT(t->id, s->delivery.id);
    } else if (now - t->last_ms >= TRIES_PAUSE_MS) {
        t->count = 0;
    }
    t->count++;
    t->last_ms = now;
    problem_set(p, 422, "code-wrong", "code", "the six digits that the recipient shows", NULL,
                "取件码不正确，请收件人在查询页面上出示",
                "The code is wrong. The recipient finds it on the tracking page.");
    return ERR_INVALID;
}

static enum err find_courier(struct office *o, struct db *db, const struct caller *c,
                             const struct case_state *s, const struct json *in, struct json *b,
                             struct problem *p, struct errmsg *e)
{
    const char *to = json_get_text(in, "to");
    struct stmt *st;
    char waybill[14];
    enum err err;
    bool row;

    if (!to && is(s->delivery.method, "agent"))
        to = c->user;
    st = db_stmt(db, "SELECT name, role FROM account WHERE username = $1");
    bind_text(st, 1, text_or(to, ""));
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    bool right = row && (is(s->delivery.method, "courier") ? is(col_text(st, 1), "courier")
                                                           : !is(col_text(st, 1), "courier"));
    if (right) {
        json_set_text(b, "to", to);
        json_set_text(b, "text", col_text(st, 0));
    }
    db_reset(st);
    if (!right) {
        problem_set(p, 422, "courier-unknown", "to",
                    "the user name of a courier (or, for an agent's delivery, an agent)", to,
                    "没有这个送达人", "There is no such courier");
        return ERR_INVALID;
    }
    if (is(s->delivery.method, "courier") && !s->delivery.waybill[0]) {
        if ((err = number_waybill(o, db, waybill, p)) != OK)
            return err;
        json_set_text(b, "waybill", waybill);
    }
    return OK;
}

static enum err step(struct office *o, struct db *db, const struct caller *c,
                     const struct case_state *s, const struct json *in, const char *action,
                     struct problem *p, struct errmsg *e)
{
    static const char *const kinds[][2] = {
        {"assign", "delivery.assigned/1"},       {"pick_up", "delivery.picked_up/1"},
        {"in_transit", "delivery.in_transit/1"}, {"hand_over", "delivery.handed_over/1"},
        {"fail", "delivery.failed/1"},           {"return", "delivery.returned/1"},
    };
    struct json *b = json_object();
    const char *kind = NULL, *reason = json_get_text(in, "reason");
    enum err err = OK;

    for (size_t i = 0; i < 6; i++)
        if (is(kinds[i][0], action))
            kind = kinds[i][1];
    json_set_text(b, "id", s->delivery.id);
    json_set_text(b, "reason", reason);
    if (is(action, "assign"))
        err = find_courier(o, db, c, s, in, b, p, e);
    if (is(action, "hand_over")) {
        err = check_code(o, s, text_or(json_get_text(in, "code"), ""), p);
        json_set_text(b, "signer", json_get_text(in, "signer"));
    }
    if (is(action, "fail") && (!reason || !reason[0])) {
        problem_set(p, 422, "reason-missing", "reason", "why, in a sentence", NULL,
                    "请填写未送达的原因", "Say why it was not delivered");
        err = ERR_INVALID;
    }
    if (err != OK) {
        json_free(b);
        return err;
    }
    return office_say(o, db, kind, s->case_no, s->street, c, b, e);
}

enum err delivery_act(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    const char *id = text_or(json_get_text(in, "id"), ""),
               *action = text_or(json_get_text(in, "action"), "");
    struct errmsg e = {""};
    struct case_open k;
    enum err err = open_delivery(o, db, c, id, &k, p, &e);

    if (err != OK)
        return err;
    if (!may(o, c, &k.state, action)) {
        struct json *allowed = delivery_actions(o, c, &k.state);
        err = refuse_action(p, action, allowed, k.state.delivery.state);
        json_free(allowed);
    } else {
        err = step(o, db, c, &k.state, in, action, p, &e);
    }
    case_close(&k);
    return err == OK ? delivery_show(o, db, c, in, out, p) : err;
}
