/* The tables case_file, certificate, delivery, and the papers of a case. */
#include "dossiers/case/rows.h"

#include "base/ids.h"
#include "base/text.h"
#include "dossiers/case/duplicates.h"
#include "office/papers.h"

#include <stdlib.h>

const struct projection case_tables[CASE_TABLE_COUNT] = {
    {"case_file",
     "street, case_no, item, item_name, item_name_en, applicant_name, applicant_id, community, "
     "filed_at, custodian, custody_no, held, state, filed_ms, promised_ms, completed_ms, "
     "trips_saved, person, certificates",
     "street, case_no"},
    {"certificate", "street, number, case_no, issuer, issued_ms, state", "street, number, case_no"},
    {"delivery", "street, id, case_no, method, state, courier, waybill, ordered_ms", "street, id"},
};

static int64_t trips_saved(const struct case_state *s)
{
    int64_t trips = s->trips - s->visits;

    return s->completed_ms && trips > 0 ? trips : 0;
}

/* Words with a blank at each end and between them. */
static void add_word(char *list, size_t cap, const char *word)
{
    size_t n = strlen(list), len = strlen(word);

    if (!len || word_in(list, word) || n + len + 3 > cap)
        return;
    if (!n)
        list[n++] = ' ';
    memcpy(list + n, word, len);
    memcpy(list + n + len, " ", 2);
}

static void lend(struct stmt *st, int n, const char *text)
{
    lend_text(st, n, text_or(text, ""), text ? strlen(text) : 0);
}

static enum err save_row(struct db *db, const struct dossier *d, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO case_file (street, case_no, item, item_name, item_name_en, applicant_name, "
        "applicant_id, community, filed_at, custodian, custody_no, held, state, filed_ms, "
        "promised_ms, completed_ms, trips_saved, person, certificates) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
        "$19) ON CONFLICT (case_no, street) DO UPDATE SET item = excluded.item, "
        "item_name = excluded.item_name, item_name_en = excluded.item_name_en, "
        "applicant_name = excluded.applicant_name, applicant_id = excluded.applicant_id, "
        "community = excluded.community, filed_at = excluded.filed_at, "
        "custodian = excluded.custodian, custody_no = excluded.custody_no, held = excluded.held, "
        "state = excluded.state, filed_ms = excluded.filed_ms, "
        "promised_ms = excluded.promised_ms, completed_ms = excluded.completed_ms, "
        "trips_saved = excluded.trips_saved, person = excluded.person, "
        "certificates = excluded.certificates");
    const struct case_state *s = d->state;
    const struct json *f = s->filing, *a = json_get(s->person, "applicant");
    char held[CUSTODY_MAX * 13 + 2] = "", certificates[400] = "";

    for (int i = 1; i <= d->custody.no; i++)
        add_word(held, sizeof held, d->custody.at[i]);
    add_word(certificates, sizeof certificates, s->certificate_no);
    for (int i = 0; i < s->overruled_count; i++)
        add_word(certificates, sizeof certificates, s->overruled[i].number);
    const char *const texts[] = {d->street,
                                 d->id,
                                 json_get_text(f, "item"),
                                 json_get_text(f, "item_name"),
                                 json_get_text(f, "item_name_en"),
                                 json_get_text(a, "name"),
                                 json_get_text(a, "id_number"),
                                 json_get_text(f, "community"),
                                 s->filed_at,
                                 custody_holder(&d->custody)};
    for (int i = 0; i < 10; i++)
        lend(st, i + 1, texts[i]);
    bind_int(st, 11, d->custody.no);
    lend(st, 12, held);
    lend(st, 13, s->state);
    bind_int(st, 14, s->filed_ms);
    bind_int(st, 15, s->promised_ms);
    bind_int(st, 16, s->completed_ms);
    bind_int(st, 17, trips_saved(s));
    bind_int(st, 18, person_key(text_or(texts[6], ""), s->filed_ms));
    lend(st, 19, certificates);
    return db_run(st, e);
}

/* ---- results, delivery ------------------------------------------------------------------------*/

static enum err save_certificate(struct db *db, const struct dossier *d, const char *street,
                                 const char *number, const char *issuer, int64_t issued_ms,
                                 const char *state, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO certificate (street, number, case_no, issuer, issued_ms, state) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (number, case_no, street) DO UPDATE "
            "SET issuer = excluded.issuer, issued_ms = excluded.issued_ms, state = excluded.state");

    lend(st, 1, street);
    lend(st, 2, number);
    lend(st, 3, d->id);
    lend(st, 4, issuer);
    bind_int(st, 5, issued_ms);
    lend(st, 6, state);
    return db_run(st, e);
}

static enum err save_certificates(struct db *db, const struct dossier *d, struct errmsg *e)
{
    const struct case_state *s = d->state;
    enum err err = OK;

    for (int i = 0; err == OK && i < s->overruled_count; i++)
        err = save_certificate(db, d, s->overruled[i].street, s->overruled[i].number,
                               s->overruled[i].by, s->overruled[i].issued_ms, "overruled", e);
    if (err == OK && s->issued)
        err = save_certificate(db, d, s->issued->ev.street, s->certificate_no, s->issued->site,
                               s->issued->at_ms, s->revoked ? "revoked" : "valid", e);
    return err;
}

static enum err save_delivery(struct db *db, const struct dossier *d, struct errmsg *e)
{
    const struct case_delivery *y = &((const struct case_state *)d->state)->delivery;
    struct stmt *st;

    if (!y->order)
        return OK;
    st = db_stmt(
        db,
        "INSERT INTO delivery (street, id, case_no, method, state, courier, waybill, "
        "ordered_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id, street) DO UPDATE "
        "SET method = excluded.method, state = excluded.state, courier = excluded.courier, "
        "waybill = excluded.waybill, ordered_ms = excluded.ordered_ms");
    lend(st, 1, d->street);
    lend(st, 2, y->id);
    lend(st, 3, d->id);
    lend(st, 4, y->method);
    lend(st, 5, y->state);
    lend(st, 6, y->courier);
    lend(st, 7, y->waybill);
    bind_int(st, 8, y->order->at_ms);
    return db_run(st, e);
}

/* ---- papers -----------------------------------------------------------------------------------*/

/* Where the papers of a case belong: the street has every one, so has the custodian. */
static bool papers_wanted(const struct office *o, const struct dossier *d)
{
    const struct case_state *s = d->state;

    return o->tier == TIER_STREET || text_is(custody_holder(&d->custody), o->site) ||
           text_is(json_get_text(s->filing, "community"), o->site) || text_is(s->filed_at, o->site);
}

static enum err save_papers(struct office *o, struct db *db, const struct dossier *d,
                            struct errmsg *e)
{
    const struct case_state *s = d->state;
    bool wanted = papers_wanted(o, d);
    enum err err = papers_name(db, d->street, d->id, s->materials, e);

    if (err == OK)
        err = papers_note(db, d->street, d->id, s->materials, wanted, s->filed_ms, e);
    /* A filing that was set aside has papers too: they travel like all others. */
    for (int i = 0; err == OK && i < d->count; i++)
        if (d->events[i].verdict == VERDICT_ASIDE && text_is(d->events[i].ev.kind, "case.filed/1"))
            err = papers_note(db, d->street, d->id, json_get(d->events[i].personal, "materials"),
                              wanted, s->filed_ms, e);
    return err;
}

/* ---- all of it --------------------------------------------------------------------------------*/

enum err case_rows_save(struct office *o, struct db *db, const struct dossier *d, struct errmsg *e)
{
    enum err err = save_row(db, d, e);

    if (err == OK)
        err = save_certificates(db, d, e);
    if (err == OK)
        err = save_delivery(db, d, e);
    return err == OK ? save_papers(o, db, d, e) : err;
}

static enum err drop_certificates(struct db *db, const char *id, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT certificates FROM case_file WHERE case_no = $1");
    char numbers[400] = "", *save = NULL;
    bool row;

    bind_text(st, 1, id);
    enum err err = db_step(st, &row, e);
    if (err == OK && row)
        COPY_TEXT(numbers, col_text(st, 0));
    db_reset(st);
    for (char *n = strtok_r(numbers, " ", &save); n && err == OK; n = strtok_r(NULL, " ", &save)) {
        st = db_stmt(db, "DELETE FROM certificate WHERE number = $1 AND case_no = $2");
        bind_text(st, 1, n);
        bind_text(st, 2, id);
        err = db_run(st, e);
    }
    return err;
}

enum err case_rows_drop(struct db *db, const char *id, struct errmsg *e)
{
    static const char *const sql[] = {"DELETE FROM case_file WHERE case_no = $1",
                                      "DELETE FROM delivery WHERE id = $1 || '-1'"};
    enum err err = drop_certificates(db, id, e);

    for (size_t i = 0; err == OK && i < sizeof sql / sizeof sql[0]; i++) {
        struct stmt *st = db_stmt(db, sql[i]);
        bind_text(st, 1, id);
        err = db_run(st, e);
    }
    return err == OK ? papers_drop(db, id, e) : err;
}

/* The applicant lives there, it was filed there, or it was held there. */
enum err case_concerns(struct db *db, const char *id, struct text_set *ret, bool *ret_known,
                       struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT community, filed_at, held FROM case_file WHERE case_no = $1");
    char held[CUSTODY_MAX * 13 + 2] = "", *save = NULL;

    lend_text(st, 1, id, strlen(id));
    enum err err = db_step(st, ret_known, e);
    if (err == OK && *ret_known) {
        for (int i = 0; i < 2; i++)
            if (col_text(st, i)[0])
                text_set_put(ret, col_text(st, i), NULL);
        COPY_TEXT(held, col_text(st, 2));
    }
    db_reset(st);
    for (char *site = strtok_r(held, " ", &save); site; site = strtok_r(NULL, " ", &save))
        text_set_put(ret, site, NULL);
    return err;
}

enum err case_each_of(struct db *db, const char *site,
                      enum err (*fn)(void *arg, const char *id, struct errmsg *e), void *arg,
                      struct errmsg *e)
{
    /* A street's own are found by their number; what was handed to a child or is about one who lives
     * there, by its code. */
    struct stmt *st = db_stmt(
        db, "SELECT case_no FROM case_file WHERE community LIKE $1 OR filed_at LIKE $1 OR held "
            "LIKE '% ' || $1 || ' %' /* full scan: once in the life of a child */");
    char like[16];
    enum tier tier = TIER_COMMUNITY;
    enum err err;
    bool row;

    division_tier(site, &tier);
    snprintf(like, sizeof like, tier == TIER_COMMUNITY ? "%.12s" : "%.9s%%", site);
    bind_text(st, 1, like);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = fn(arg, col_text(st, 0), e)) != OK)
            break;
    db_reset(st);
    return err;
}
