/* How an event becomes rows. Events of a case are folded together, whatever order they came in; others
 * say something by themselves, the newest wins. */
#include "casework/inside.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPAIR_DEADLINE_MS (3LL * 24 * 3600 * 1000)

enum err case_load(struct db *db, const char *case_no, struct case_open *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT origin, seq, hlc, kind, case_no, street, actor, body FROM event "
                                  "WHERE case_no = $1 ORDER BY hlc, origin, seq");
    int cap = 16;
    enum err err;
    bool row;

    memset(ret, 0, sizeof *ret);
    ret->arena = arena_create();
    ret->events = mem_alloc(sizeof *ret->events * (size_t)cap);
    bind_text(st, 1, case_no);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        if (ret->count == cap)
            ret->events = mem_realloc(ret->events, sizeof *ret->events * (size_t)(cap *= 2));
        ev.origin = arena_strdup(ret->arena, ev.origin);
        ev.kind = arena_strdup(ret->arena, ev.kind);
        ev.case_no = arena_strdup(ret->arena, ev.case_no);
        ev.street = arena_strdup(ret->arena, ev.street);
        ev.actor = arena_strdup(ret->arena, ev.actor);
        ev.body = arena_strndup(ret->arena, ev.body, ev.body_len);
        ret->events[ret->count++] = (struct fold_event){ev, NULL};
    }
    if (err == OK && !ret->count)
        err = ERR_NOT_FOUND;
    if (err != OK) {
        case_close(ret);
        return err;
    }
    fold_case(ret->events, ret->count, ret->arena, &ret->state);
    return OK;
}

void case_close(struct case_open *c)
{
    fold_finish(&c->state);
    mem_free(c->events);
    arena_destroy(c->arena);
    memset(c, 0, sizeof *c);
}

/* ---- rows of a case -----------------------------------------------------------------------------*/

static int64_t trips_saved(const struct case_state *s)
{
    int64_t trips = json_get_int(s->filing, "baseline_trips", 0) - s->visits;

    return s->completed_ms && trips > 0 ? trips : 0;
}

static enum err save_row(struct db *db, const struct case_state *s, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO case_file (street, case_no, item, item_name, item_name_en, applicant_name, applicant_id, "
            "community, filed_at, custodian, custody_no, held, state, filed_ms, promised_ms, completed_ms, "
            "trips_saved) VALUES ($street, $case_no, $item, $name, $name_en, $applicant, $id, $community, "
            "$filed_at, $custodian, $custody_no, $held, $state, $filed, $promised, $completed, $trips) "
            "ON CONFLICT (street, case_no) DO UPDATE SET item = excluded.item, item_name = excluded.item_name, "
            "item_name_en = excluded.item_name_en, applicant_name = excluded.applicant_name, "
            "applicant_id = excluded.applicant_id, community = excluded.community, filed_at = excluded.filed_at, "
            "custodian = excluded.custodian, custody_no = excluded.custody_no, held = excluded.held, "
            "state = excluded.state, filed_ms = excluded.filed_ms, promised_ms = excluded.promised_ms, "
            "completed_ms = excluded.completed_ms, trips_saved = excluded.trips_saved");
    const struct json *f = s->filing, *a = json_get(f, "applicant");
    char held[FOLD_CUSTODIANS_MAX * 13 + 2] = " ";

    for (int i = 0; i < s->custodian_count; i++)
        if (!strstr(held, s->custodians[i])) {
            strcat(held, s->custodians[i]);
            strcat(held, " ");
        }
    bind_text(st, "street", s->street);
    bind_text(st, "case_no", s->case_no);
    bind_text(st, "item", text_or(json_get_text(f, "item"), ""));
    bind_text(st, "name", text_or(json_get_text(f, "item_name"), ""));
    bind_text(st, "name_en", text_or(json_get_text(f, "item_name_en"), ""));
    bind_text(st, "applicant", text_or(json_get_text(a, "name"), ""));
    bind_text(st, "id", text_or(json_get_text(a, "id_number"), ""));
    bind_text(st, "community", text_or(json_get_text(f, "community"), ""));
    bind_text(st, "filed_at", s->filed_at);
    bind_text(st, "custodian", s->custodian);
    bind_int(st, "custody_no", s->custody_no);
    bind_text(st, "held", held);
    bind_text(st, "state", s->state);
    bind_int(st, "filed", s->filed_ms);
    bind_int(st, "promised", json_get_int(f, "promised_ms", 0));
    bind_int(st, "completed", s->completed_ms);
    bind_int(st, "trips", trips_saved(s));
    return db_run(st, e);
}

static enum err save_documents(struct db *db, const struct case_state *s, struct errmsg *e)
{
    for (size_t i = 0; i < json_count(s->materials); i++) {
        const struct json *docs = json_get(json_at(s->materials, i), "documents");
        for (size_t k = 0; k < json_count(docs); k++) {
            struct stmt *st = db_stmt(db, "INSERT INTO case_document (street, case_no, digest) VALUES ($1, $2, $3) "
                                          "ON CONFLICT DO NOTHING");
            bind_text(st, 1, s->street);
            bind_text(st, 2, s->case_no);
            bind_text(st, 3, text_or(json_get_text(json_at(docs, k), "digest"), ""));
            enum err err = db_run(st, e);
            if (err != OK)
                return err;
        }
    }
    return OK;
}

static enum err drop_of_case(struct db *db, const char *sql, const char *case_no, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);

    bind_text(st, 1, case_no);
    return db_run(st, e);
}

static enum err save_certificate(struct db *db, const struct case_state *s, struct errmsg *e)
{
    /* An older event that arrives late can change which certificate stands. */
    enum err err = drop_of_case(db, "DELETE FROM certificate WHERE case_no = $1", s->case_no, e);

    if (err != OK || !s->certified)
        return err;
    struct stmt *st = db_stmt(db, "INSERT INTO certificate (street, number, case_no, issuer, issued_ms, state) "
                                  "VALUES ($1, $2, $3, $4, $5, $6)");
    bind_text(st, 1, s->certificate_street);
    bind_text(st, 2, s->certificate_no);
    bind_text(st, 3, s->case_no);
    bind_text(st, 4, s->certificate_by);
    bind_int(st, 5, s->issued_ms);
    bind_text(st, 6, s->revoked ? "revoked" : "valid");
    return db_run(st, e);
}

static enum err save_delivery(struct db *db, const struct case_state *s, struct errmsg *e)
{
    const struct case_delivery *d = &s->delivery;

    if (!d->ordered)
        return drop_of_case(db, "DELETE FROM delivery WHERE case_no = $1", s->case_no, e);
    struct stmt *st = db_stmt(db, "INSERT INTO delivery (street, id, case_no, method, state, courier, waybill, ordered_ms) "
                                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (street, id) DO UPDATE SET "
                                  "state = excluded.state, courier = excluded.courier, waybill = excluded.waybill");
    bind_text(st, 1, s->street);
    bind_text(st, 2, d->id);
    bind_text(st, 3, s->case_no);
    bind_text(st, 4, d->method);
    bind_text(st, 5, d->state);
    bind_text(st, 6, d->courier);
    bind_text(st, 7, d->waybill);
    bind_int(st, 8, d->ordered_ms);
    return db_run(st, e);
}

/* What does not fit is a repair item; what fits after all is one no more. */
static enum err save_verdict(struct db *db, const struct fold_event *f, bool *changed, struct errmsg *e)
{
    const struct event *ev = &f->ev;
    struct stmt *st = db_stmt(db, "UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2 "
                                  "AND (state <> $3 OR coalesce(reason, '') <> coalesce($4, ''))");
    char site[13];
    enum err err;

    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_text(st, 3, f->why ? "aside" : "applied");
    bind_text(st, 4, f->why);
    if ((err = db_run(st, e)) != OK || !db_changes(db))
        return err;
    *changed = true;
    if (!f->why) {
        st = db_stmt(db, "DELETE FROM repair WHERE origin = $1 AND seq = $2");
        bind_text(st, 1, ev->origin);
        bind_int(st, 2, (int64_t)ev->seq);
        return db_run(st, e);
    }
    log_line(LOG_LEVEL_WARN, "casework", "set_aside=yes origin=%s seq=%llu kind=%s case=%s reason=\"%s\"", ev->origin,
             (unsigned long long)ev->seq, ev->kind, ev->case_no, f->why);
    event_site(ev->origin, site);
    st = db_stmt(db, "INSERT INTO repair (street, origin, seq, case_no, kind, reason, owner, deadline_ms) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (street, origin, seq) DO UPDATE SET "
                     "reason = excluded.reason");
    bind_text(st, 1, ev->street);
    bind_text(st, 2, ev->origin);
    bind_int(st, 3, (int64_t)ev->seq);
    bind_text(st, 4, ev->case_no);
    bind_text(st, 5, ev->kind);
    bind_text(st, 6, f->why);
    bind_text(st, 7, site);
    bind_int(st, 8, (int64_t)(ev->hlc >> 16) + REPAIR_DEADLINE_MS);
    return db_run(st, e);
}

static enum err save_case(struct office *o, struct db *db, struct case_open *c, struct errmsg *e)
{
    bool changed = false;
    enum err err = OK;

    for (int i = 0; err == OK && i < c->count; i++) {
        err = save_verdict(db, &c->events[i], &changed, e);
        /* A filing that was set aside has papers too: they travel like all others. */
        if (err == OK && c->events[i].why && c->state.filed && !strcmp(c->events[i].ev.kind, "case.filed/1"))
            err = papers_note(o, db, &c->state, json_get(c->state.kept[i], "materials"), e);
    }
    if (err == OK && changed) /* another filing may stand now */
        err = drop_of_case(db, "DELETE FROM case_document WHERE case_no = $1", c->events[0].ev.case_no, e);
    if (err != OK || !c->state.filed)
        return err;
    if ((err = save_row(db, &c->state, e)) == OK && (err = save_documents(db, &c->state, e)) == OK &&
        (err = save_certificate(db, &c->state, e)) == OK && (err = save_delivery(db, &c->state, e)) == OK)
        err = papers_note(o, db, &c->state, c->state.materials, e);
    return err;
}

/* What an event tells of the numbers in use. */
static enum err note_numbers(struct db *db, const struct event *ev, const struct json *b, struct errmsg *e)
{
    char site[13], street[13], scope[8] = "";
    const char *number = json_get_text(b, "number"), *waybill = json_get_text(b, "waybill");
    enum err err = OK;

    event_site(ev->origin, site);
    division_street(site, street); /* of the site whose number it is, not of the case */
    if (!strcmp(ev->kind, "case.filed/1") && strlen(ev->case_no) == 21) {
        snprintf(scope, sizeof scope, "%.6s", ev->case_no + 9);
        char digits[6];
        snprintf(digits, sizeof digits, "%.5s", ev->case_no + 15);
        err = number_used(db, street, "case", site, scope, strtoll(digits, NULL, 10), e);
    } else if (!strcmp(ev->kind, "certificate.issued/1") && number && strlen(number) > 6) {
        err = number_used(db, street, "certificate", site, "", strtoll(number + strlen(number) - 6, NULL, 10), e);
    }
    if (err == OK && waybill && s10_check(waybill)) {
        char digits[9];
        snprintf(digits, sizeof digits, "%.8s", waybill + 2);
        err = number_used(db, street, "waybill", site, "", strtoll(digits, NULL, 10), e);
    }
    return err;
}

static enum err apply_case(struct office *o, struct db *db, const struct event *ev, const struct json *b, bool local,
                           struct errmsg *e)
{
    struct case_open c;
    enum err err = case_load(db, ev->case_no, &c, e);

    if (err != OK)
        return err;
    for (int i = 0; local && i < c.count; i++)
        if (c.events[i].why && c.events[i].ev.seq == ev->seq && !strcmp(c.events[i].ev.origin, ev->origin)) {
            errmsg_set(e, "%s", c.events[i].why);
            err = ERR_INVALID;
        }
    if (err == OK)
        err = save_case(o, db, &c, e);
    if (err == OK)
        err = note_numbers(db, ev, b, e);
    case_close(&c);
    return err;
}

/* ---- the table ----------------------------------------------------------------------------------*/

static const struct {
    const char *kind;
    enum err (*fn)(struct db *db, const struct event *ev, const struct json *b, struct errmsg *e);
} facts[] = {
    {"site.enrolled/1", site_enrolled},     {"account.created/1", account_created},
    {"item.published/1", item_published},   {"calendar.published/1", calendar_published},
    {"block.leased/1", number_leased},
};

enum err office_apply(void *arg, struct db *db, const struct event *ev, bool local, struct errmsg *e)
{
    struct office *o = arg;
    struct json *b = NULL;
    enum err err = json_parse(ev->body, ev->body_len, &b, e);

    if (err != OK)
        return ERR_INVALID;
    if (ev->case_no[0] && fold_knows(ev->kind)) {
        err = apply_case(o, db, ev, b, local, e);
        json_free(b);
        return err;
    }
    errmsg_set(e, "this program does not know the kind %s", ev->kind);
    err = ERR_INVALID;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (!strcmp(facts[i].kind, ev->kind))
            err = facts[i].fn(db, ev, b, e);
    json_free(b);
    return err;
}

enum err office_say(struct office *o, struct db *db, const char *kind, const char *case_no, const char *street,
                    const struct caller *c, struct json *body, struct errmsg *e)
{
    if (c && c->name[0])
        json_set_text(body, "by", c->name);
    enum err err = ledger_append(&o->ledger, db, kind, case_no, street, c ? c->user : "", body, NULL, e);
    json_free(body);
    return err;
}

/* ---- again from the beginning -------------------------------------------------------------------*/

static const char *const projections[] = {
    "site", "account", "case_file", "case_document", "certificate", "delivery", "block", "counter",
    "repair", "item", "calendar_year",
};

struct rebuild {
    struct office *o;
    struct db *db;
    struct buf cases; /* case numbers, each once, NUL between */
};

static enum err again(void *arg, const struct event *ev, struct errmsg *e)
{
    struct rebuild *r = arg;
    struct json *b = NULL;
    struct errmsg why;
    enum err err;

    if (!fold_knows(ev->kind) || !ev->case_no[0]) {
        err = office_apply(r->o, r->db, ev, false, &why);
        if (err != OK && err != ERR_INVALID)
            *e = why;
        return err == ERR_INVALID ? OK : err;
    }
    if ((err = json_parse(ev->body, ev->body_len, &b, e)) == OK)
        err = note_numbers(r->db, ev, b, e);
    json_free(b);
    return err;
}

enum err office_rebuild(struct office *o, struct db *db, struct errmsg *e)
{
    struct rebuild r = {.o = o, .db = db};
    char sql[80];
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sizeof projections / sizeof projections[0]; i++) {
        snprintf(sql, sizeof sql, "DELETE FROM %s", projections[i]);
        err = db_exec(db, sql, e);
    }
    if (err != OK || (err = ledger_each(db, again, &r, e)) != OK)
        return err;
    /* Every verdict is found anew too; what is aside for another reason than its case's fold stays. */
    struct stmt *st = db_stmt(db, "UPDATE event SET state = 'applied', reason = NULL "
                                  "WHERE state = 'aside' AND case_no <> ''");
    if ((err = db_run(st, e)) != OK)
        return err;
    st = db_stmt(db, "SELECT DISTINCT case_no FROM event WHERE case_no <> ''");
    bool row;
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct case_open c;
        if ((err = case_load(db, col_text(st, 0), &c, e)) != OK)
            break;
        err = save_case(o, db, &c, e);
        case_close(&c);
        if (err != OK)
            break;
    }
    db_reset(st);
    return err;
}

static void add_row(struct sha256 *h, struct stmt *st, int columns)
{
    for (int i = 0; i < columns; i++) {
        const char *text = col_text(st, i);
        sha256_update(h, text ? text : "\1", text ? strlen(text) + 1 : 2);
    }
}

enum err office_digest(struct db *db, char out[65], struct errmsg *e)
{
    /* table, its columns, its key */
    static const struct {
        const char *sql;
        int columns;
    } all[] = {
        {"SELECT code, name, tier, public_key, hlc FROM site ORDER BY code", 5},
        {"SELECT username, name, role, site, salt, hash, hlc FROM account ORDER BY username", 7},
        {"SELECT street, case_no, item, item_name, item_name_en, applicant_name, applicant_id, community, filed_at, "
         "custodian, custody_no, held, state, filed_ms, promised_ms, completed_ms, trips_saved FROM case_file "
         "ORDER BY street, case_no", 17},
        {"SELECT street, case_no, digest FROM case_document ORDER BY street, case_no, digest", 3},
        {"SELECT street, number, case_no, issuer, issued_ms, state FROM certificate ORDER BY street, number, case_no", 6},
        {"SELECT street, id, case_no, method, state, courier, waybill, ordered_ms FROM delivery ORDER BY street, id", 8},
        {"SELECT street, kind, holder, first, last, hlc FROM block ORDER BY street, kind, first", 6},
        {"SELECT street, kind, holder, scope, next FROM counter ORDER BY street, kind, holder, scope", 5},
        {"SELECT street, origin, seq, case_no, kind, reason, owner, deadline_ms FROM repair ORDER BY street, origin, seq", 8},
        {"SELECT code, version, hlc, state, name, body FROM item ORDER BY code", 6},
        {"SELECT year, hlc, body FROM calendar_year ORDER BY year", 3},
        {"SELECT origin, seq, state, reason FROM event WHERE state <> 'applied' ORDER BY origin, seq", 4},
    };
    struct sha256 *h = sha256_create();
    unsigned char sum[32];
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sizeof all / sizeof all[0]; i++) {
        struct stmt *st = db_stmt(db, all[i].sql);
        bool row;
        while ((err = db_step(st, &row, e)) == OK && row)
            add_row(h, st, all[i].columns);
        sha256_update(h, "\2", 1);
    }
    sha256_final(h, sum);
    sha256_destroy(h);
    hex_encode(sum, 32, out);
    return err;
}
