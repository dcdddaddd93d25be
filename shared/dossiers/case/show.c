/* Cases as people read them: lists, one whole case, the resident's view. */
#include "office/inside.h"

#include "base/text.h"
#include "base/time.h"
#include "catalogue/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 200

void set_time(struct json *o, const char *key, int64_t ms)
{
    char text[32];

    if (!ms)
        return;
    time_rfc3339(ms, text);
    json_set_text(o, key, text);
}

const char *promise_light(int64_t promised, int64_t completed, const char *state, int64_t now)
{
    static const char *const open_states = " submitted accepted correction_required granted ";
    char padded[32];

    snprintf(padded, sizeof padded, " %.24s ", state);
    if (completed || !strstr(open_states, padded) || !promised)
        return "none";
    return now > promised ? "red" : now > promised - 24 * 3600000LL ? "yellow" : "green";
}

/* ---- lists ------------------------------------------------------------------------------------*/

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
    set_time(r, "created_at", col_int(st, 8));
    set_time(r, "promised_at", col_int(st, 9));
    set_time(r, "completed_at", col_int(st, 10));
    json_set_text(r, "light", promise_light(col_int(st, 9), col_int(st, 10), col_text(st, 5), now));
    return r;
}

/* Wildcards are letters; the last place of an identity number is stored as a capital. */
static void bind_search(struct stmt *st, const char *q)
{
    struct buf like = {0};

    buf_putc(&like, '%');
    text_like(q, &like);
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
    const char *scope = caller_scope(c), *q = json_get_text(in, "q"),
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
    caller_bind_scope(st, c);
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

/* ---- one case ---------------------------------------------------------------------------------*/

static struct json *timeline_of(struct db *db, const struct json *lines, bool internal)
{
    struct json *list = json_array();
    char name[64], at[32];

    for (size_t i = 0; i < json_count(lines); i++) {
        const struct json *l = json_at(lines, i);
        const char *kind = text_or(json_get_text(l, "kind"), "");
        if (!internal && !strcmp(kind, "case.noted"))
            continue;
        struct json *t = json_copy(l);
        time_rfc3339(json_get_int(l, "at_ms", 0), at);
        json_del(t, "at_ms");
        json_set_text(t, "at", at);
        site_name_of(db, text_or(json_get_text(l, "site"), ""), name);
        json_set_text(t, "site_name", name);
        if (!internal)
            json_del(t, "actor_name");
        json_push(list, t);
    }
    return list;
}

static const char *document_state(struct db *db, const char *digest, char out[16])
{
    struct stmt *st = db_stmt(db, "SELECT state FROM document WHERE digest = $1");
    struct errmsg e;
    bool row;

    snprintf(out, 16, "remote");
    bind_text(st, 1, digest);
    if (db_step(st, &row, &e) == OK && row)
        snprintf(out, 16, "%s", col_text(st, 0));
    db_reset(st);
    return out;
}

static const struct json *given_for(const struct case_state *s, const char *code)
{
    for (size_t i = 0; i < json_count(s->materials); i++)
        if (!strcmp(text_or(json_get_text(json_at(s->materials, i), "code"), ""), code))
            return json_at(s->materials, i);
    return NULL;
}

static struct json *material_of(struct db *db, const struct json *m, const struct json *given,
                                const char *code)
{
    struct json *x = json_object(), *docs = json_array();
    const struct json *from = json_get(given, "documents");
    const char *by = text_or(json_get_text(m, "obtain_by"), ""),
               *need = text_or(json_get_text(m, "necessity"), "");
    char state[16];

    json_set_text(x, "code", code);
    json_set_text(x, "name", text_or(json_get_text(m, "name"), code));
    json_set_text(x, "name_en", json_get_text(m, "name_en"));
    json_set_text(x, "necessity", json_get_text(m, "necessity"));
    for (size_t i = 0; i < json_count(from); i++) {
        struct json *d = json_copy(json_at(from, i));
        json_set_text(d, "state",
                      document_state(db, text_or(json_get_text(d, "digest"), ""), state));
        json_push(docs, d);
    }
    json_set_text(x, "state",
                  json_count(docs)                            ? "given"
                  : json_get_bool(given, "commitment", false) ? "commitment"
                  : json_get_bool(given, "later", false)      ? "later"
                  : !strcmp(by, "shared_data")                ? "shared"
                  : !strcmp(need, "required")                 ? "missing"
                                                              : "later");
    json_set(x, "documents", docs);
    return x;
}

static struct json *materials_of(struct db *db, const struct case_state *s)
{
    struct json *item = NULL, *list = json_array();
    struct errmsg e;

    if (item_load(db, text_or(json_get_text(s->filing, "item"), ""), &item, &e) != OK)
        item = NULL;
    const struct json *wanted = json_get(item, "materials");
    for (size_t i = 0; i < json_count(wanted); i++) {
        const char *code = text_or(json_get_text(json_at(wanted, i), "code"), "");
        json_push(list, material_of(db, json_at(wanted, i), given_for(s, code), code));
    }
    for (size_t i = 0; i < json_count(s->materials);
         i++) { /* of a version of the item that had more */
        const char *code = text_or(json_get_text(json_at(s->materials, i), "code"), "");
        if (!form_material(item, code))
            json_push(list, material_of(db, NULL, json_at(s->materials, i), code));
    }
    json_free(item);
    return list;
}

static void copy(struct json *to, const char *key, const struct json *from)
{
    struct json *v = json_get(from, key);

    if (v)
        json_set(to, key, json_ref(v));
}

static struct json *delivery_of(struct db *db, const struct case_state *s, bool internal)
{
    const struct case_delivery *d = &s->delivery;
    struct json *x;

    if (!d->ordered)
        return json_null();
    x = json_object();
    json_set_text(x, "id", d->id);
    json_set_text(x, "method", d->method);
    json_set_text(x, "state", d->state);
    if (d->waybill[0])
        json_set_text(x, "waybill", d->waybill);
    if (internal && d->courier[0])
        json_set_text(x, "courier", d->courier);
    json_set(x, "steps", timeline_of(db, d->steps, internal));
    return x;
}

static struct json *certificate_of(const struct case_state *s)
{
    struct json *x;

    if (!s->certified)
        return json_null();
    x = json_object();
    json_set_text(x, "number", s->certificate_no);
    set_time(x, "issued_at", s->issued_ms);
    json_set_text(x, "token", s->token);
    json_set_text(x, "state", s->revoked ? "revoked" : "valid");
    return x;
}

static struct json *lease_of(struct office *o, struct db *db, const struct case_state *s)
{
    struct json *x = json_object();
    bool here = !strcmp(s->custodian, o->site);
    bool covered = here && lease_covers(o, db, s->case_no);

    json_set_bool(x, "held", covered || !here);
    if (here && !covered)
        json_set_text(x, "reason", "离线时间过长");
    return x;
}

static enum err no_case(struct problem *p, const char *no)
{
    problem_set(p, 404, "no-case", "case_no", NULL, no, "没有这个办件，或您无权查看",
                "There is no such case, or you may not see it");
    return ERR_NOT_FOUND;
}

enum err case_show(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    const char *no = text_or(json_get_text(in, "case_no"), "");
    struct errmsg e = {""};
    struct case_open k;
    char name[64];

    if (!case_visible(o, db, c, no))
        return no_case(p, no);
    enum err err = case_load(db, no, &k, &e);
    if (err != OK)
        return err;
    fold_tell(k.events, k.count, &k.state);
    const struct case_state *s = &k.state;
    struct json *x = json_object();
    json_set_text(x, "case_no", no);
    json_set_text(x, "state", s->state);
    json_set_text(x, "custodian", s->custodian);
    site_name_of(db, s->custodian, name);
    json_set_text(x, "custodian_name", name);
    json_set_int(x, "custody_no", s->custody_no);
    json_set_text(x, "filed_at", s->filed_at);
    copy(x, "item", s->filing);
    copy(x, "item_name", s->filing);
    copy(x, "item_name_en", s->filing);
    copy(x, "item_version", s->filing);
    copy(x, "applicant", s->filing);
    copy(x, "form", s->filing);
    copy(x, "community", s->filing);
    copy(x, "channel", s->filing);
    json_set(x, "materials", materials_of(db, s));
    struct json *delivery = delivery_of(db, s, true);
    if (s->delivery.ordered)
        json_set(delivery, "actions", delivery_actions(o, c, s));
    json_set(x, "delivery", delivery);
    json_set(x, "certificate", certificate_of(s));
    json_set(x, "timeline", timeline_of(db, s->timeline, true));
    json_set(x, "actions", case_actions(o, db, c, s));
    json_set(x, "lease", lease_of(o, db, s));
    json_set_text(x, "asked", s->asked);
    set_time(x, "created_at", s->filed_ms);
    set_time(x, "promised_at", json_get_int(s->filing, "promised_ms", 0));
    json_set_text(x, "light",
                  promise_light(json_get_int(s->filing, "promised_ms", 0), s->completed_ms,
                                s->state, host_wall_ms(o->host)));
    if (s->rating)
        json_set_int(x, "rating", s->rating);
    struct json *same = json_array();
    err = duplicates_find(db,
                          text_or(json_get_text(json_get(s->filing, "applicant"), "id_number"), ""),
                          text_or(json_get_text(s->filing, "item"), ""), s->filed_ms - DUPLICATE_MS,
                          s->filed_ms + DUPLICATE_MS, s->case_no, same, &e);
    json_set(x, "duplicates", same);
    case_close(&k);
    if (err == OK)
        *out = x;
    else
        json_free(x);
    return err;
}

enum err case_track(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    const char *no = text_or(json_get_text(in, "case_no"), ""),
               *code = text_or(json_get_text(in, "code"), "");
    struct caller resident = *c;
    struct errmsg e = {""};
    struct case_open k;
    char name[64], pickup[7];
    enum err err;

    resident.user = "";
    resident.query_code = code;
    if (!case_number_check(no)) {
        problem_set(p, 404, "no-case", "case_no", "21 digits, as on the receipt", no,
                    "编号或查询码不正确，请核对回执",
                    "The number or the query code is wrong. Look at the receipt.");
        return ERR_NOT_FOUND;
    }
    if ((err = case_load(db, no, &k, &e)) != OK && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_NOT_FOUND || !k.state.filed ||
        !caller_sees(&resident, no, json_get_text(k.state.filing, "query_hash"), "", "", "", "")) {
        if (err == OK)
            case_close(&k);
        problem_set(p, 404, "no-case", "code", "the query code on the receipt", NULL,
                    "编号或查询码不正确，请核对回执",
                    "The number or the query code is wrong. Look at the receipt.");
        return ERR_NOT_FOUND;
    }
    fold_tell(k.events, k.count, &k.state);
    const struct case_state *s = &k.state;
    struct json *x = json_object();
    json_set_text(x, "case_no", no);
    json_set_text(x, "state", s->state);
    copy(x, "item", s->filing);
    copy(x, "item_name", s->filing);
    copy(x, "item_name_en", s->filing);
    site_name_of(db, s->custodian, name);
    json_set_text(x, "custodian_name", name);
    json_set_text(x, "asked", s->asked);
    set_time(x, "created_at", s->filed_ms);
    set_time(x, "promised_at", json_get_int(s->filing, "promised_ms", 0));
    json_set(x, "timeline", timeline_of(db, s->timeline, false));
    struct json *delivery = delivery_of(db, s, false);
    if (s->delivery.ordered) {
        pickup_code(no, code, pickup);
        json_set_text(delivery, "pickup_code", pickup);
    }
    json_set(x, "delivery", delivery);
    json_set(x, "certificate", certificate_of(s));
    json_set(x, "actions", case_actions(o, db, &resident, s));
    case_close(&k);
    *out = x;
    return OK;
}
