/* Items and calendars: imported at the district, read everywhere. */
#include "catalogue/items.h"

#include "base/text.h"
#include "base/time.h"
#include "catalogue/calendar.h"
#include "catalogue/lint.h"
#include "office/say.h"

static enum err save_tiers(struct db *db, const struct event *ev, const struct json *record,
                           struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO item_tiers (code, version, hlc, decided_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (code, version) DO UPDATE SET hlc = excluded.hlc, "
            "decided_at = excluded.decided_at WHERE excluded.hlc >= item_tiers.hlc");
    const struct json *at = json_get(record, "decided_at");
    char tiers[ITEM_TIERS_BYTES] = " ";
    size_t n = 1;

    for (enum tier t = TIER_DISTRICT; t <= TIER_COMMUNITY; t++)
        for (size_t i = 0; i < json_count(at); i++)
            if (text_is(json_value_text(json_at(at, i)), tier_name(t))) {
                n += (size_t)snprintf(tiers + n, sizeof tiers - n, "%s ", tier_name(t));
                break;
            }
    bind_text(st, 1, json_get_text(record, "code"));
    bind_int(st, 2, json_get_int(record, "version", 1));
    bind_int(st, 3, (int64_t)ev->hlc);
    bind_text(st, 4, tiers);
    return db_run(st, e);
}

static enum err item_published(struct office *o, struct db *db, const struct event *ev,
                               const struct json *record, const struct json *personal,
                               struct errmsg *e)
{
    const char *code = json_get_text(record, "code");

    (void)o;
    (void)personal;
    if (!code) {
        errmsg_set(e, "an item without code");
        return ERR_INVALID;
    }
    struct stmt *st = db_stmt(
        db, "INSERT INTO item (code, version, hlc, state, name, body) VALUES ($1, $2, $3, $4, $5, "
            "$6) ON CONFLICT (code) DO UPDATE SET version = excluded.version, hlc = excluded.hlc, "
            "state = excluded.state, name = excluded.name, body = excluded.body "
            "WHERE (excluded.version, excluded.hlc) >= (item.version, item.hlc)");
    bind_text(st, 1, code);
    bind_int(st, 2, json_get_int(record, "version", 1));
    bind_int(st, 3, (int64_t)ev->hlc);
    bind_text(st, 4, text_or(json_get_text(record, "state"), "published"));
    bind_text(st, 5, text_or(json_get_text(record, "name"), code));
    bind_text(st, 6, ev->record);
    enum err err = db_run(st, e);
    return err == OK ? save_tiers(db, ev, record, e) : err;
}

static enum err calendar_published(struct office *o, struct db *db, const struct event *ev,
                                   const struct json *record, const struct json *personal,
                                   struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "INSERT INTO calendar_year (year, hlc, body) VALUES ($1, $2, $3) "
                    "ON CONFLICT (year) DO UPDATE SET hlc = excluded.hlc, body = excluded.body "
                    "WHERE excluded.hlc >= calendar_year.hlc");

    (void)o;
    (void)personal;
    bind_int(st, 1, json_get_int(record, "year", 0));
    bind_int(st, 2, (int64_t)ev->hlc);
    bind_text(st, 3, ev->record);
    return db_run(st, e);
}

static const struct fact_kind kinds[] = {
    {"item.published/1", MAY_DISTRICT, NULL, "*", 0, item_published},
};

static const struct projection tables[] = {
    {"item", "code, version, hlc, state, name, body", "code"},
    {"item_tiers", "code, version, hlc, decided_at", "code, version"},
};

const struct fact_group catalogue_facts = {kinds, sizeof kinds / sizeof kinds[0], tables,
                                           sizeof tables / sizeof tables[0]};

static const struct fact_kind calendar_kinds[] = {
    {"calendar.published/1", MAY_DISTRICT, NULL, "*", 0, calendar_published},
};

static const struct projection calendar_tables[] = {
    {"calendar_year", "year, hlc, body", "year"},
};

const struct fact_group calendar_facts = {
    calendar_kinds, sizeof calendar_kinds / sizeof calendar_kinds[0], calendar_tables,
    sizeof calendar_tables / sizeof calendar_tables[0]};

enum err item_load(struct db *db, const char *code, struct json **ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT body FROM item WHERE code = $1");
    enum err err;
    bool row;

    *ret = NULL;
    bind_text(st, 1, code);
    if ((err = db_step(st, &row, e)) != OK || !row)
        return err;
    err = json_parse(col_text(st, 0), strlen(col_text(st, 0)), ret, e);
    db_reset(st);
    return err;
}

enum err item_tiers(struct db *db, const char *code, int64_t version, char ret[ITEM_TIERS_BYTES],
                    struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT decided_at FROM item_tiers WHERE code = $1 AND version = $2");
    bool row;

    ret[0] = 0;
    lend_text(st, 1, code, strlen(code));
    bind_int(st, 2, version);
    enum err err = db_step(st, &row, e);
    if (err == OK && row)
        snprintf(ret, ITEM_TIERS_BYTES, "%s", col_text(st, 0));
    db_reset(st);
    return err;
}

/* ---- promises ---------------------------------------------------------------------------------*/

/* The years in memory are made again when another process has published one. */
struct years {
    struct calendar *calendar;
    int64_t hlc;
};

static void years_finish(void *p)
{
    calendar_destroy(((struct years *)p)->calendar);
}

static enum err load_years(struct db *db, struct years *y, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT body FROM calendar_year ORDER BY year");
    enum err err;
    bool row;

    calendar_destroy(y->calendar);
    y->calendar = calendar_create();
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct json *year = NULL;
        struct problem p;
        if (json_parse(col_text(st, 0), strlen(col_text(st, 0)), &year, e) == OK &&
            calendar_load(y->calendar, year, &p) != OK)
            errmsg_set(e, "%s", p.en);
        json_free(year);
    }
    return err;
}

static enum err calendar_of(struct office *o, struct db *db, struct calendar **ret,
                            struct errmsg *e)
{
    static const char key; /* its address names our memory */
    struct years *y = office_memory(o, &key, sizeof *y, years_finish);
    struct stmt *st = db_stmt(db, "SELECT coalesce(max(hlc), 0) FROM calendar_year");
    int64_t hlc = 0;
    bool row;
    enum err err = db_step(st, &row, e);

    if (err == OK && row)
        hlc = col_int(st, 0);
    db_reset(st);
    if (err == OK && (!y->calendar || hlc != y->hlc) && (err = load_years(db, y, e)) == OK)
        y->hlc = hlc;
    *ret = y->calendar;
    return err;
}

enum err item_promise(struct office *o, struct db *db, const struct json *item, int64_t from_ms,
                      int64_t *ret_ms, struct errmsg *e)
{
    const struct json *limit = json_get(item, "promised_limit");
    const char *unit = text_or(json_get_text(limit, "unit"), "working_day");
    int64_t n = json_get_int(limit, "value", 0);
    int due, day = time_days(from_ms);
    struct problem p;
    enum err err;

    if (!n || !strcmp(unit, "working_day")) {
        struct calendar *calendar;
        if ((err = calendar_of(o, db, &calendar, e)) != OK)
            return err;
        if (!n) /* on the spot: before this day ends */
            due = day;
        else if (calendar_add(calendar, day, (int)n, &due, &p) != OK)
            return *ret_ms = 0,
                   OK; /* next year's days are not published yet: no promise, no guess */
    } else if (!strcmp(unit, "hour")) {
        *ret_ms = from_ms + n * 3600000;
        return OK;
    } else {
        due = day + (int)n * (strcmp(unit, "month") ? 1 : 30);
    }
    *ret_ms = time_start_of_day(due + 1) - 1;
    return OK;
}

/* ---- calls ------------------------------------------------------------------------------------*/

static void copy_key(struct json *to, const struct json *from, const char *key)
{
    struct json *v = json_get(from, key);

    if (v)
        json_set(to, key, json_ref(v));
}

enum err item_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    static const char *const keys[] = {"code",       "name",     "name_en",    "promised_limit",
                                       "delivery",   "audience", "decided_at", "accepted_at",
                                       "max_visits", "version",  "state",      "topics_person",
                                       "online"};
    struct stmt *st = db_stmt(db, "SELECT body FROM item WHERE state = 'published' ORDER BY code");
    const char *q = json_get_text(in, "q");
    struct json *list = json_array();
    struct errmsg e;
    enum err err;
    bool row;

    (void)o;
    (void)c;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        struct json *item = NULL, *s;
        if (json_parse(col_text(st, 0), strlen(col_text(st, 0)), &item, &e) != OK)
            continue;
        const char *name = text_or(json_get_text(item, "name"), ""),
                   *en = text_or(json_get_text(item, "name_en"), "");
        if (!q || strstr(name, q) || strcasestr(en, q)) {
            s = json_object();
            for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
                copy_key(s, item, keys[i]);
            json_push(list, s);
        }
        json_free(item);
    }
    *out = json_object();
    json_set(*out, "items", list);
    return err;
}

static enum err no_item(struct problem *p, int status, const char *field, const char *code)
{
    problem_set(p, status, "item-unknown", field, "the code of an item of the catalogue", code,
                "目录里没有这个事项", "There is no such item in the catalogue");
    return status == 404 ? ERR_NOT_FOUND : ERR_INVALID;
}

enum err item_show(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                   struct json **out, struct problem *p)
{
    const char *code = text_or(json_get_text(in, "code"), "");
    struct errmsg e;
    enum err err = item_load(db, code, out, &e);

    (void)o;
    (void)c;
    return err != OK ? err : *out ? OK : no_item(p, 404, "code", code);
}

/* One item, or one year of the calendar: {"year", "days"}. */
enum err item_import(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    struct errmsg e = {""};
    enum err err;

    if (o->tier != TIER_DISTRICT) {
        problem_set(p, 403, "not-here", "item", "the district's site", o->site,
                    "事项目录由区级站点发布", "The catalogue is published by the district");
        return ERR_DENIED;
    }
    bool year = json_get(in, "days");
    if (year) {
        struct calendar *check = calendar_create();
        err = calendar_load(check, in, p);
        calendar_destroy(check);
    } else {
        err = lint_item(in, p);
    }
    if (err != OK)
        return err;
    err = office_say_fact(o, db, year ? "calendar.published/1" : "item.published/1", o->street, c,
                          json_copy(in), &e);
    if (err != OK)
        return err;
    *out = json_object();
    json_set_text(*out, "code", json_get_text(in, "code"));
    if (year)
        json_set_int(*out, "year", json_get_int(in, "year", 0));
    return OK;
}
