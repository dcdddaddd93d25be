/* rebuild: all tables of all types and facts. catch_up: only what can have changed. */
#include "office/rebuild.h"

#include "base/crypto.h"
#include "base/text.h"
#include "ledger/meta.h"
#include "ledger/row.h"
#include "office/apply.h"
#include "office/load.h"
#include "office/route.h"
#include "office/verdict.h"

#include <assert.h>

/* Call fn for every projection that this program folds. */
static enum err each_table(struct office *o,
                           enum err (*fn)(void *arg, const struct projection *p, struct errmsg *e),
                           void *arg, struct errmsg *e)
{
    enum err err = OK;

    for (size_t g = 0; g < o->work->group_count; g++)
        for (size_t i = 0; err == OK && i < o->work->groups[g]->table_count; i++)
            err = fn(arg, &o->work->groups[g]->tables[i], e);
    for (size_t t = 0; t < o->work->type_count; t++)
        for (size_t i = 0; err == OK && i < o->work->types[t]->table_count; i++)
            err = fn(arg, &o->work->types[t]->tables[i], e);
    return err;
}

/* ---- one of it, again -------------------------------------------------------------------------*/

/* The fact of the row that st stands on. */
static enum err fact_again(struct office *o, struct db *db, struct stmt *st, bool route,
                           struct errmsg *e)
{
    struct event ev = ledger_row(st, 0);
    struct arena *a = arena_create();
    struct json *record = NULL, *personal = NULL;
    enum verdict v = VERDICT_REFUSED;
    const char *why = "its record is not JSON";
    enum err err = OK;

    if (json_parse_in(a, ev.record, ev.record_len, &record, NULL) != OK)
        record = NULL;
    if (ev.personal && json_parse_in(a, ev.personal, ev.personal_len, &personal, NULL) != OK)
        personal = NULL;
    if (record)
        err = apply_fact(o, db, &ev, record, personal, a, &v, &why, e);
    if (err == OK && (v != VERDICT_APPLIED || route))
        err = verdict_fact(db, &ev, v, why, e);
    if (err == OK && route && v == VERDICT_APPLIED)
        err = route_fact_again(o, db, &ev, record, e);
    arena_destroy(a);
    return err;
}

/* route: it is news to who has part, and to its type. */
static enum err dossier_again(struct office *o, struct db *db, const char *id, bool route,
                              struct errmsg *e)
{
    const struct dossier_type *t = dossier_type_of(o->work, id);
    struct marks m = {.arena = NULL};
    struct dossier d;
    bool moved;
    enum err err;

    assert(t);
    if ((err = dossier_load(o->work, db, id, &d, e)) != OK)
        return err;
    m.arena = d.arena;
    err = apply_dossier(o, db, &d, &m, &moved, e);
    if (err == OK)
        err = marks_write(db, &m, e);
    if (err == OK && route)
        err = route_whole(o, db, t, id, e);
    dossier_close(&d);
    return err == OK && route ? apply_answer(o, db, t, id, e) : err;
}

/* Of a type that is not known nothing is folded; what may never be said is told apart all the same. */
static enum err unread_again(struct db *db, const char *id, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE dossier = $1");
    enum err err;
    bool row;

    bind_text(st, 1, id);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        const char *why = authority_misplaced(&ev);
        if ((err = verdict_fact(db, &ev, why ? VERDICT_REFUSED : VERDICT_UNKNOWN,
                                why ? why : "this program does not know the kind of work", e)) !=
            OK)
            break;
    }
    db_reset(st);
    return err;
}

/* ---- all of it --------------------------------------------------------------------------------*/

static enum err clear(void *arg, const struct projection *p, struct errmsg *e)
{
    char sql[80];

    snprintf(sql, sizeof sql, "DELETE FROM %s", p->table);
    return db_exec(arg, sql, e);
}

static enum err facts_again(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE dossier = '' "
                                                               "ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = fact_again(o, db, st, false, e)) != OK)
            break;
    db_reset(st);
    return err;
}

static enum err dossiers_again(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT DISTINCT dossier FROM event WHERE dossier <> '' /* full scan on purpose */");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        char id[40];
        COPY_TEXT(id, col_text(st, 0));
        err = dossier_type_of(o->work, id) ? dossier_again(o, db, id, false, e)
                                           : unread_again(db, id, e);
        if (err != OK)
            break;
    }
    db_reset(st);
    return err;
}

enum err office_rebuild(struct office *o, struct db *db, struct errmsg *e)
{
    enum err err = each_table(o, clear, db, e);

    if (err == OK)
        err = db_run(db_stmt(db, "UPDATE event SET state = 'applied', reason = NULL WHERE state <> "
                                 "'applied' /* full scan on purpose */"),
                     e);
    if (err == OK)
        err = facts_again(o, db, e);
    return err == OK ? dossiers_again(o, db, e) : err;
}

/* ---- the digest -------------------------------------------------------------------------------*/

struct digesting {
    struct db *db;
    struct sha256 *h;
};

static int columns_of(const char *list)
{
    int n = 1;

    for (; *list; list++)
        n += *list == ',';
    return n;
}

static enum err digest_table(void *arg, const struct projection *p, struct errmsg *e)
{
    struct digesting *d = arg;
    char sql[800];
    enum err err;
    bool row;

    snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY %s /* full scan on purpose */",
             p->columns, p->table, p->key);
    struct stmt *st = db_stmt(d->db, sql);
    while ((err = db_step(st, &row, e)) == OK && row)
        for (int i = 0; i < columns_of(p->columns); i++) {
            const char *text = col_text(st, i);
            sha256_update(d->h, text ? text : "\1", text ? strlen(text) + 1 : 2);
        }
    sha256_update(d->h, "\2", 1);
    return err;
}

enum err office_digest(struct office *o, struct db *db, char out[65], struct errmsg *e)
{
    static const struct projection verdicts = {"event", "origin, seq, state, reason",
                                               "origin, seq"};
    struct digesting d = {db, sha256_create()};
    unsigned char sum[32];
    enum err err = each_table(o, digest_table, &d, e);

    if (err == OK)
        err = digest_table(&d, &verdicts, e);
    sha256_final(d.h, sum);
    sha256_destroy(d.h);
    hex_encode(sum, 32, out);
    return err;
}

/* ---- what has become readable -----------------------------------------------------------------*/

/* Facts of a kind that wait. */
static enum err read_facts(struct office *o, struct db *db, const char *kind, int *left,
                           struct errmsg *e)
{
    enum err err = OK;
    bool there = true;

    while (err == OK && there && *left > 0) {
        struct stmt *st = db_stmt(
            db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE state = "
                                             "'unknown' AND kind = $1 AND dossier = '' LIMIT 1");
        bind_text(st, 1, kind);
        if ((err = db_step(st, &there, e)) == OK && there)
            err = fact_again(o, db, st, true, e);
        db_reset(st);
        *left -= there;
    }
    return err;
}

/* Dossiers in which an event of a kind waits that their type knows now. */
static enum err read_dossiers(struct office *o, struct db *db, const char *kind, int *left,
                              struct errmsg *e)
{
    enum err err = OK;
    bool there = true;
    char id[40] = "";

    while (err == OK && there && *left > 0) {
        struct stmt *st =
            db_stmt(db, "SELECT dossier FROM event WHERE state = 'unknown' AND kind = "
                        "$1 AND dossier > $2 ORDER BY dossier LIMIT 1");
        bind_text(st, 1, kind);
        bind_text(st, 2, id);
        if ((err = db_step(st, &there, e)) == OK && there)
            COPY_TEXT(id, col_text(st, 0));
        db_reset(st);
        const struct dossier_type *t = err == OK && there ? dossier_type_of(o->work, id) : NULL;
        if (!t || !event_kind_of(t, kind))
            continue;
        err = dossier_again(o, db, id, true, e);
        --*left;
    }
    return err;
}

/* ---- what folds otherwise now -----------------------------------------------------------------*/

/* From which id, and before which, the dossiers of a type lie. */
static void range_of(const struct dossier_type *t, char from[2], char before[2])
{
    from[0] = t->letter ? t->letter : '0';
    before[0] = t->letter ? (char)(t->letter + 1) : '9' + 1;
    from[1] = before[1] = 0;
}

static enum err sweep(struct office *o, struct db *db, const struct dossier_type *t, int *left,
                      struct errmsg *e)
{
    struct stmt *st;
    char version_key[64], at_key[64], at[40], from[2], before[2];
    uint64_t version;
    enum err err;
    bool row = true;

    assert(t->fold_version > 0);
    snprintf(version_key, sizeof version_key, "fold.%s", t->name);
    snprintf(at_key, sizeof at_key, "sweep.%s", t->name);
    range_of(t, from, before);
    if ((err = meta_read_u64(db, version_key, &version, e)) != OK)
        return err;
    if (version == (uint64_t)t->fold_version ||
        (err = meta_read(db, at_key, at, sizeof at, NULL, e)) != OK)
        return err;
    while (err == OK && row && *left > 0) {
        /* Of a type that is new here nothing was folded before, but some of it has been read by now. */
        st = db_stmt(db, version ? "SELECT min(dossier) FROM event WHERE dossier > $1 AND "
                                   "dossier >= $2 AND dossier < $3"
                                 : "SELECT min(dossier) FROM event WHERE dossier > $1 AND "
                                   "dossier >= $2 AND dossier < $3 AND state = 'unknown'");
        bind_text(st, 1, at);
        bind_text(st, 2, from);
        bind_text(st, 3, before);
        err = db_step(st, &row, e);
        row = err == OK && row && !col_is_null(st, 0);
        if (row)
            COPY_TEXT(at, col_text(st, 0));
        db_reset(st);
        if (row && dossier_type_of(o->work, at) == t)
            err = dossier_again(o, db, at, !version, e);
        --*left;
    }
    if (err != OK)
        return err;
    if (row)
        return meta_write(db, at_key, at, e);
    if ((err = meta_delete(db, at_key, e)) != OK)
        return err;
    return meta_write_u64(db, version_key, (uint64_t)t->fold_version, e);
}

enum err office_catch_up(struct office *o, struct db *db, int most, bool *ret_more,
                         struct errmsg *e)
{
    const struct office_work *w = o->work;
    int left = most;
    enum err err = OK;

    /* By the kinds that are known, not by those that wait: of these anybody can make up more. */
    for (size_t g = 0; g < w->group_count; g++)
        for (size_t i = 0; err == OK && i < w->groups[g]->count; i++)
            err = read_facts(o, db, w->groups[g]->kinds[i].kind, &left, e);
    for (size_t t = 0; t < w->type_count; t++)
        for (size_t i = 0; err == OK && i < w->types[t]->kind_count; i++)
            err = read_dossiers(o, db, w->types[t]->kinds[i].kind, &left, e);
    for (size_t t = 0; err == OK && t < o->work->type_count; t++)
        err = sweep(o, db, o->work->types[t], &left, e);
    *ret_more = err == OK && left <= 0;
    return err;
}
