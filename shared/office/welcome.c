/* Filling the outbox of a child. */
#include "office/welcome.h"

#include "base/text.h"
#include "ledger/outbox.h"
#include "ledger/row.h"
#include "office/equipped.h"
#include "office/load.h"

bool fact_concerns(const char *place, const char *child)
{
    return !place || (strlen(place) == 12 && division_within(place, child));
}

/* Whatever this child said in an earlier life. */
static enum err give_back(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT origin, seq FROM event WHERE origin >= $1 AND origin < $1 || '/' AND "
                    "hash IS NOT NULL ORDER BY origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, child);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(&o->ledger, db, child, col_text(st, 0), (uint64_t)col_int(st, 1),
                                  e)) != OK)
            break;
    db_reset(st);
    return err;
}

static enum err tell_facts(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE dossier = '' AND "
                                                 "state = 'applied' ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        const struct fact_kind *k = fact_kind_of(o->work, ev.kind);
        struct json *record = NULL;
        bool tell = k && !k->place;
        if (k && k->place && (err = json_parse(ev.record, ev.record_len, &record, e)) == OK)
            tell = fact_concerns(text_or(json_get_text(record, k->place), ""), child);
        json_free(record);
        if (err == OK && tell)
            err = ledger_enqueue(&o->ledger, db, child, ev.origin, ev.seq, e);
        if (err != OK)
            break;
    }
    db_reset(st);
    return err;
}

/* Is there anything that only the fold can tell whether it is told? Nearly never. */
static enum err has_unknown(struct db *db, const char *id, bool *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT 1 FROM event WHERE dossier = $1 AND state = 'unknown' LIMIT 1");

    bind_text(st, 1, id);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

enum err welcome_dossier(struct office *o, struct db *db, const char *child, const char *id,
                         struct errmsg *e)
{
    struct dossier d;
    bool look;
    enum err err = has_unknown(db, id, &look, e);

    if (err != OK || !look)
        return err != OK ? err : ledger_enqueue_dossier(&o->ledger, db, child, id, e);
    if ((err = dossier_load(o->work, db, id, &d, e)) != OK)
        return err;
    for (int i = 0; err == OK && i < d.count; i++)
        if (dossier_event_counts(&d.events[i]) || d.events[i].verdict == VERDICT_ASIDE)
            err =
                ledger_enqueue(&o->ledger, db, child, d.events[i].ev.origin, d.events[i].ev.seq, e);
    dossier_close(&d);
    return err;
}

struct telling {
    struct office *o;
    struct db *db;
    const char *child;
};

static enum err tell_dossier(void *arg, const char *id, struct errmsg *e)
{
    struct telling *t = arg;

    return welcome_dossier(t->o, t->db, t->child, id, e);
}

enum err welcome_type(struct office *o, struct db *db, const char *child,
                      const struct dossier_type *t, struct errmsg *e)
{
    struct telling x = {o, db, child};

    return t->each_of ? t->each_of(db, child, tell_dossier, &x, e) : OK;
}

/* Why an opening of its own does not stand: in such a dossier it may have no part (any more). */
static enum err tell_overruled(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT v.origin, v.seq, v.dossier, x.kind FROM event v JOIN event x ON x.dossier = "
            "v.dossier WHERE v.kind = '" KIND_OVERRULED "' AND v.state = 'applied' AND x.state IN "
            "('aside', 'denied') AND x.from_peer = $1 ORDER BY v.hlc, v.origin, v.seq /* full "
            "scan: once in the "
            "life of a child */");
    enum err err;
    bool row;

    bind_text(st, 1, child);
    while ((err = db_step(st, &row, e)) == OK && row) {
        const struct dossier_type *t = dossier_type_of(o->work, col_text(st, 2));
        if (t && dossier_opens(t, col_text(st, 3)) &&
            (err = ledger_enqueue(&o->ledger, db, child, col_text(st, 0), (uint64_t)col_int(st, 1),
                                  e)) != OK)
            break;
    }
    db_reset(st);
    return err;
}

enum err welcome(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    struct equipment x;
    enum err err = give_back(o, db, child, e);

    if (err == OK)
        err = tell_facts(o, db, child, e);
    if (err == OK)
        err = equipment_of(db, child, &x, e);
    for (size_t i = 0; err == OK && i < o->work->type_count; i++)
        if (equipment_has_type(&x, o->work->types[i]))
            err = welcome_type(o, db, child, o->work->types[i], e);
    return err == OK ? tell_overruled(o, db, child, e) : err;
}

/* ---- it has learned something -----------------------------------------------------------------*/

static enum err keep(struct db *db, const struct event *ev, const struct json *record,
                     struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO equipped (site, program, types, critical, hlc) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (site) DO UPDATE SET program = excluded.program, types = excluded.types, "
        "critical = excluded.critical, hlc = excluded.hlc WHERE excluded.hlc >= equipped.hlc");

    bind_text(st, 1, json_get_text(record, "site"));
    bind_text(st, 2, text_or(json_get_text(record, "program"), ""));
    bind_text(st, 3, text_or(json_get_text(record, "types"), ""));
    bind_text(st, 4, text_or(json_get_text(record, "critical"), ""));
    bind_int(st, 5, (int64_t)ev->hlc);
    return db_run(st, e);
}

static enum err is_child(struct db *db, const char *site, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM link WHERE peer = $1 AND role = 'child'");

    bind_text(st, 1, site);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

enum err site_equipped(struct office *o, struct db *db, const struct event *ev,
                       const struct json *record, const struct json *personal, struct errmsg *e)
{
    const char *site = text_or(json_get_text(record, "site"), "");
    struct equipment before, after;
    bool child;
    enum err err = equipment_of(db, site, &before, e);

    (void)personal;
    if (err != OK || (err = keep(db, ev, record, e)) != OK ||
        (err = equipment_of(db, site, &after, e)) != OK ||
        (err = is_child(db, site, &child, e)) != OK || !child)
        return err;
    for (size_t i = 0; err == OK && i < o->work->type_count; i++) {
        const struct dossier_type *t = o->work->types[i];
        if (equipment_has_type(&after, t) && !equipment_has_type(&before, t))
            err = welcome_type(o, db, site, t, e);
    }
    return err;
}
