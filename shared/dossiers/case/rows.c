/* The rows of one case, as its fold tells: they can be dropped and made again. */
#include "office/inside.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPAIR_DEADLINE_MS (3LL * 24 * 3600 * 1000)

static enum err read_events(struct db *db, const char *case_no, struct case_open *ret,
                            struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT " LEDGER_COLUMNS("") ", state, reason FROM event "
                                                 "WHERE dossier = $1 ORDER BY hlc, origin, seq");
    int cap = 16;
    enum err err;
    bool row;

    memset(ret, 0, sizeof *ret);
    ret->arena = arena_create();
    ret->events = mem_alloc(sizeof *ret->events * (size_t)cap);
    bind_text(st, 1, case_no);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        bool aside = !strcmp(col_text(st, LEDGER_COLUMN_COUNT), "aside");
        if (ret->count == cap)
            ret->events = mem_realloc(ret->events, sizeof *ret->events * (size_t)(cap *= 2));
        ret->events[ret->count++] = (struct fold_event){
            .ev = event_copy(&ev, ret->arena),
            .noted_why =
                aside ? arena_strdup(ret->arena, text_or(col_text(st, LEDGER_COLUMN_COUNT + 1), ""))
                      : NULL};
    }
    if (err == OK && !ret->count)
        err = ERR_NOT_FOUND;
    if (err != OK)
        case_close(ret);
    return err;
}

enum err case_load(struct db *db, const char *case_no, struct case_open *ret, struct errmsg *e)
{
    enum err err = read_events(db, case_no, ret, e);

    if (err == OK)
        fold_case(ret->events, ret->count, ret->arena, &ret->state);
    return err;
}

enum err case_look(struct db *db, const char *case_no, struct case_open *ret, struct errmsg *e)
{
    enum err err = read_events(db, case_no, ret, e);

    for (int i = 0; err == OK && i < ret->count; i++) {
        struct fold_event *f = &ret->events[i];
        if (json_parse_in(ret->arena, f->ev.record, f->ev.record_len, &f->body, NULL) != OK)
            f->body = NULL;
    }
    if (err == OK)
        fold_case(ret->events, ret->count, ret->arena, &ret->state);
    return err;
}

static int in_order(const void *a, const void *b)
{
    const struct event *x = &((const struct fold_event *)a)->ev,
                       *y = &((const struct fold_event *)b)->ev;

    if (x->hlc != y->hlc)
        return x->hlc < y->hlc ? -1 : 1;
    int by_origin = strcmp(x->origin, y->origin);
    return by_origin ? by_origin : x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void fold_news(const struct case_news *n, struct arena *a, struct case_open *ret)
{
    for (size_t i = 0; i < n->count; i++) {
        struct fold_event *f = &ret->events[ret->count++];
        *f = (struct fold_event){.ev = n->at[i]->ev};
        f->body = n->at[i]->record;
    }
    qsort(ret->events, n->count, sizeof *ret->events, in_order);
    fold_case(ret->events, ret->count, a, &ret->state);
}

void case_of_news(const struct case_news *n, struct case_open *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->arena = arena_create();
    ret->events = mem_alloc(sizeof *ret->events * (n->count + 1));
    fold_news(n, ret->arena, ret);
}

struct case_open *case_fold_ahead(const struct case_news *n, struct arena *a)
{
    struct case_open *c = arena_alloc(a, sizeof *c);

    c->events = arena_alloc(a, sizeof *c->events * (n->count + 1));
    fold_news(n, a, c);
    if (!c->state.kept_count)
        return c;
    fold_finish(&c->state); /* it has made something that must be freed */
    return NULL;
}

void case_close(struct case_open *c)
{
    fold_finish(&c->state);
    mem_free(c->events);
    arena_destroy(c->arena);
    memset(c, 0, sizeof *c);
}

/* ---- its row, papers, result, delivery --------------------------------------------------------*/

static int64_t trips_saved(const struct case_state *s)
{
    int64_t trips = json_get_int(s->filing, "baseline_trips", 0) - s->visits;

    return s->completed_ms && trips > 0 ? trips : 0;
}

static enum err save_row(struct db *db, const struct case_state *s, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO case_file (street, case_no, item, item_name, item_name_en, applicant_name, "
        "applicant_id, "
        "community, filed_at, custodian, custody_no, held, state, filed_ms, promised_ms, "
        "completed_ms, "
        "trips_saved, person, certificate) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
        "$19) "
        "ON CONFLICT (case_no, street) DO UPDATE SET item = excluded.item, item_name = "
        "excluded.item_name, "
        "item_name_en = excluded.item_name_en, applicant_name = excluded.applicant_name, "
        "applicant_id = excluded.applicant_id, community = excluded.community, filed_at = "
        "excluded.filed_at, "
        "custodian = excluded.custodian, custody_no = excluded.custody_no, held = excluded.held, "
        "state = excluded.state, filed_ms = excluded.filed_ms, promised_ms = excluded.promised_ms, "
        "completed_ms = excluded.completed_ms, trips_saved = excluded.trips_saved, person = "
        "excluded.person, "
        "certificate = excluded.certificate");
    const struct json *f = s->filing, *a = json_get(f, "applicant");
    char held[FOLD_CUSTODIANS_MAX * 13 + 2] = " ";

    for (int i = 0; i < s->custodian_count; i++)
        if (!strstr(held, s->custodians[i])) {
            strcat(held, s->custodians[i]);
            strcat(held, " ");
        }
    const char *const texts[] = {
        s->street,
        s->case_no,
        json_get_text(f, "item"),
        json_get_text(f, "item_name"),
        json_get_text(f, "item_name_en"),
        json_get_text(a, "name"),
        json_get_text(a, "id_number"),
        json_get_text(f, "community"),
        s->filed_at,
        s->custodian,
    };
    for (int i = 0; i < 10; i++)
        lend_text(st, i + 1, text_or(texts[i], ""), strlen(text_or(texts[i], "")));
    bind_int(st, 11, s->custody_no);
    lend_text(st, 12, held, strlen(held));
    lend_text(st, 13, s->state, strlen(s->state));
    bind_int(st, 14, s->filed_ms);
    bind_int(st, 15, json_get_int(f, "promised_ms", 0));
    bind_int(st, 16, s->completed_ms);
    bind_int(st, 17, trips_saved(s));
    bind_int(st, 18, person_key(text_or(texts[6], ""), s->filed_ms));
    lend_text(st, 19, s->certified ? s->certificate_no : "",
              s->certified ? strlen(s->certificate_no) : 0);
    return db_run(st, e);
}

static enum err save_documents(struct db *db, const struct case_state *s, struct errmsg *e)
{
    for (size_t i = 0; i < json_count(s->materials); i++) {
        const struct json *docs = json_get(json_at(s->materials, i), "documents");
        for (size_t k = 0; k < json_count(docs); k++) {
            struct stmt *st =
                db_stmt(db, "INSERT INTO paper (street, dossier, digest) VALUES ($1, $2, $3) "
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

static enum err save_certificate(struct db *db, const struct case_state *s, struct errmsg *e)
{
    struct stmt *st;

    if (!s->certified)
        return OK;
    st = db_stmt(db, "INSERT INTO certificate (street, number, case_no, issuer, issued_ms, state) "
                     "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (number, case_no, street) DO "
                     "UPDATE SET state = excluded.state");
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
    struct stmt *st;

    if (!d->ordered)
        return OK;
    st = db_stmt(
        db,
        "INSERT INTO delivery (street, id, case_no, method, state, courier, waybill, ordered_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id, street) DO UPDATE SET "
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

/* An older event that comes late can change which filing, result or delivery stands: then all rows
 * are made anew. */
static enum err drop_rows(struct db *db, const char *case_no, struct errmsg *e)
{
    static const char *const sql[] = {
        "DELETE FROM certificate WHERE number = (SELECT certificate FROM case_file WHERE case_no = "
        "$1) AND case_no = $1",
        "DELETE FROM case_file WHERE case_no = $1",
        "DELETE FROM paper WHERE dossier = $1",
        "DELETE FROM delivery WHERE id = $1 || '-1'",
    };
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sizeof sql / sizeof sql[0]; i++) {
        struct stmt *st = db_stmt(db, sql[i]);
        bind_text(st, 1, case_no);
        err = db_run(st, e);
    }
    return err;
}

/* ---- verdicts ---------------------------------------------------------------------------------*/

static enum err drop_repair(struct db *db, const struct event *ev, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "DELETE FROM repair WHERE street = $1 AND origin = $2 AND seq = $3");

    bind_text(st, 1, ev->street);
    bind_text(st, 2, ev->origin);
    bind_int(st, 3, (int64_t)ev->seq);
    return db_run(st, e);
}

static enum err add_repair(struct db *db, const struct event *ev, const char *why, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO repair (street, origin, seq, dossier, kind, reason, owner, deadline_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (street, origin, seq) DO UPDATE SET "
        "reason = excluded.reason");
    char site[13];

    event_site(ev->origin, site);
    bind_text(st, 1, ev->street);
    bind_text(st, 2, ev->origin);
    bind_int(st, 3, (int64_t)ev->seq);
    bind_text(st, 4, ev->dossier);
    bind_text(st, 5, ev->kind);
    bind_text(st, 6, why);
    bind_text(st, 7, site);
    bind_int(st, 8, (int64_t)(ev->hlc >> 16) + REPAIR_DEADLINE_MS);
    return db_run(st, e);
}

/* What does not fit is a repair item; what fits after all is one no more. */
static enum err save_verdict(struct db *db, const struct fold_event *f, bool *changed,
                             struct errmsg *e)
{
    const struct event *ev = &f->ev;
    struct stmt *st;
    enum err err;

    if (f->why ? f->noted_why && !strcmp(f->why, f->noted_why) : !f->noted_why)
        return OK;
    *changed = true;
    if (f->why)
        log_line(LOG_LEVEL_WARN, "casework",
                 "set_aside=yes origin=%s seq=%llu kind=%s case=%s reason=\"%s\"", ev->origin,
                 (unsigned long long)ev->seq, ev->kind, ev->dossier, f->why);
    st = db_stmt(db, "UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2");
    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_text(st, 3, f->why ? "aside" : "applied");
    bind_text(st, 4, f->why);
    if ((err = db_run(st, e)) != OK)
        return err;
    return f->why ? add_repair(db, ev, f->why, e) : drop_repair(db, ev, e);
}

enum err case_save(struct office *o, struct db *db, struct case_open *c, struct errmsg *e)
{
    bool changed = false;
    enum err err = OK;

    for (int i = 0; err == OK && i < c->count; i++) {
        err = save_verdict(db, &c->events[i], &changed, e);
        /* A filing that was set aside has papers too: they travel like all others. */
        if (err == OK && c->events[i].why && c->state.filed &&
            !strcmp(c->events[i].ev.kind, "case.filed/1"))
            err = papers_note(o, db, &c->state, json_get(c->events[i].body, "materials"), e);
    }
    if (err == OK && changed)
        err = drop_rows(db, c->events[0].ev.dossier, e);
    if (err != OK || !c->state.filed)
        return err;
    if ((err = save_row(db, &c->state, e)) == OK &&
        (err = save_documents(db, &c->state, e)) == OK &&
        (err = save_certificate(db, &c->state, e)) == OK &&
        (err = save_delivery(db, &c->state, e)) == OK)
        err = papers_note(o, db, &c->state, c->state.materials, e);
    return err;
}
