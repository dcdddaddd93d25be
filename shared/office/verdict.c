/* The table `repair`, and the columns state and reason of `event`. */
#include "office/verdict.h"

#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"

#define REPAIR_DEADLINE_MS (3LL * 24 * 3600 * 1000)

static enum err drop_repair(struct db *db, const struct event *ev, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "DELETE FROM repair WHERE street = $1 AND origin = $2 AND seq = $3");

    bind_text(st, 1, ev->street);
    bind_text(st, 2, ev->origin);
    bind_int(st, 3, (int64_t)ev->seq);
    return db_run(st, e);
}

/* Whose work is it? What was not its author's to say, his office above looks at: a broken or hostile
 * program does not mend itself. */
static void owner_of(const struct event *ev, enum verdict v, char out[13])
{
    char parent[13];

    event_site(ev->origin, out);
    if ((v == VERDICT_DENIED || v == VERDICT_REFUSED) && division_parent(out, parent))
        memcpy(out, parent, 13);
}

static enum err add_repair(struct db *db, const struct event *ev, enum verdict v, const char *why,
                           struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO repair (street, origin, seq, dossier, kind, reason, owner, deadline_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (street, origin, seq) DO UPDATE "
            "SET reason = excluded.reason, owner = excluded.owner");
    char owner[13];

    owner_of(ev, v, owner);
    bind_text(st, 1, ev->street);
    bind_text(st, 2, ev->origin);
    bind_int(st, 3, (int64_t)ev->seq);
    bind_text(st, 4, ev->dossier);
    bind_text(st, 5, ev->kind);
    bind_text(st, 6, why);
    bind_text(st, 7, owner);
    bind_int(st, 8, (int64_t)(ev->hlc >> 16) + REPAIR_DEADLINE_MS);
    return db_run(st, e);
}

static enum err write_state(struct db *db, const struct event *ev, enum verdict v, const char *why,
                            struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2");

    if (v != VERDICT_APPLIED)
        log_line(v == VERDICT_UNKNOWN ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "office",
                 "verdict=%s origin=%s seq=%llu kind=%s dossier=%s reason=\"%s\"", verdict_name(v),
                 ev->origin, (unsigned long long)ev->seq, ev->kind, ev->dossier, text_or(why, ""));
    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_text(st, 3, verdict_name(v));
    bind_text(st, 4, why);
    return db_run(st, e);
}

static bool asks_for_work(enum verdict v, const struct event_kind *k)
{
    return v == VERDICT_DENIED || v == VERDICT_REFUSED ||
           (v == VERDICT_ASIDE && !(k && (k->flags & KIND_QUIET)));
}

static enum err save_one(struct db *db, const struct dossier_event *x, struct errmsg *e)
{
    enum err err = write_state(db, &x->ev, x->verdict, x->why, e);

    if (err != OK)
        return err;
    return asks_for_work(x->verdict, x->kind) ? add_repair(db, &x->ev, x->verdict, x->why, e)
                                              : drop_repair(db, &x->ev, e);
}

enum err verdicts_save(struct db *db, const struct dossier *d, bool *ret_changed, bool *ret_moved,
                       struct errmsg *e)
{
    enum err err = OK;

    *ret_changed = *ret_moved = false;
    for (int i = 0; err == OK && i < d->count; i++) {
        const struct dossier_event *x = &d->events[i];
        if (x->verdict == x->noted && (!x->why || text_is(x->why, x->noted_why)))
            continue;
        *ret_changed = true;
        *ret_moved |= (x->noted == VERDICT_DENIED || x->noted == VERDICT_UNKNOWN) &&
                      (dossier_event_counts(x) || x->verdict == VERDICT_ASIDE);
        err = save_one(db, x, e);
    }
    return err;
}

enum err verdict_fact(struct db *db, const struct event *ev, enum verdict v, const char *why,
                      struct errmsg *e)
{
    enum err err = write_state(db, ev, v, why, e);

    if (err != OK)
        return err;
    return asks_for_work(v, NULL) ? add_repair(db, ev, v, why, e) : drop_repair(db, ev, e);
}

enum err repair_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                     struct json **out, struct problem *p)
{
    /* The most pressing of each site: one that says a thousand wrong things hides no other's. */
    struct stmt *st = db_stmt(
        db, "SELECT dossier, kind, reason, owner, deadline_ms, origin, seq FROM (SELECT *, "
            "row_number() OVER (PARTITION BY substr(origin, 1, 12) ORDER BY deadline_ms, origin, "
            "seq) AS place FROM repair) r WHERE place <= 50 ORDER BY deadline_ms, origin, seq "
            "LIMIT 1000 /* full scan: what is to be repaired is little, or all of one site */");
    struct json *list = json_array();
    struct errmsg e;
    enum err err;
    bool row;

    (void)in;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        const struct dossier_type *t = dossier_type_of(o->work, col_text(st, 0));
        bool sees = division_within(col_text(st, 3), c->site);
        if (!sees && t && (err = t->visible(o, db, c, col_text(st, 0), &sees, &e)) != OK)
            break;
        if (!sees)
            continue;
        struct json *s = json_object();
        json_set_text(s, "dossier", col_text(st, 0));
        if (t && !t->letter) /* as it is called by those who know cases only */
            json_set_text(s, "case_no", col_text(st, 0));
        json_set_text(s, "kind", col_text(st, 1));
        json_set_text(s, "reason", col_text(st, 2));
        json_set_text(s, "owner", col_text(st, 3));
        json_set_int(s, "deadline_ms", col_int(st, 4));
        json_set_text(s, "origin", col_text(st, 5));
        json_set_int(s, "seq", col_int(st, 6));
        json_push(list, s);
    }
    db_reset(st);
    if (err != OK) {
        json_free(list);
        return err;
    }
    *out = json_object();
    json_set(*out, "repairs", list);
    return OK;
}
