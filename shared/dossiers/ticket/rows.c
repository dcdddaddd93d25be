/* The table `ticket`. */
#include "dossiers/ticket/rows.h"

#include "base/ids.h"
#include "base/text.h"
#include "dossiers/ticket/queue.h"
#include "office/say.h"

const struct projection ticket_tables[TICKET_TABLE_COUNT] = {
    {"ticket",
     "street, id, hall, issued_at, queue, class, rank, item, day, state, place, given, called_to, "
     "kept_for, calls, issued_ms, called_ms, serving_ms, finished_ms",
     "street, id"},
};

enum err ticket_rows_save(struct office *o, struct db *db, const struct dossier *d,
                          struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO ticket (street, id, hall, issued_at, queue, class, rank, item, day, state, "
        "place, given, called_to, kept_for, calls, issued_ms, called_ms, serving_ms, finished_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
        "$19) ON CONFLICT (id, street) DO UPDATE SET hall = excluded.hall, "
        "issued_at = excluded.issued_at, queue = excluded.queue, class = excluded.class, "
        "rank = excluded.rank, item = excluded.item, day = excluded.day, state = excluded.state, "
        "place = excluded.place, given = excluded.given, called_to = excluded.called_to, "
        "kept_for = excluded.kept_for, calls = excluded.calls, "
        "issued_ms = excluded.issued_ms, called_ms = excluded.called_ms, "
        "serving_ms = excluded.serving_ms, finished_ms = excluded.finished_ms");
    const struct ticket_state *s = d->state;
    const char *class = text_or(json_get_text(s->opening, "class"), "normal");
    char day[7];

    (void)o;
    ticket_day(d->id, day);
    bind_text(st, 1, d->street);
    bind_text(st, 2, d->id);
    bind_text(st, 3, d->owner);
    bind_text(st, 4, s->issued_at);
    bind_text(st, 5, s->queue);
    bind_text(st, 6, class);
    bind_int(st, 7, ticket_rank(class));
    bind_text(st, 8, text_or(json_get_text(s->opening, "item"), ""));
    bind_text(st, 9, day);
    bind_text(st, 10, s->state);
    bind_int(st, 11, s->place);
    bind_int(st, 12, s->given);
    bind_text(st, 13, s->window);
    bind_text(st, 14, s->for_window);
    bind_int(st, 15, s->calls);
    bind_int(st, 16, s->issued_ms);
    bind_int(st, 17, s->called_ms);
    bind_int(st, 18, s->serving_ms);
    bind_int(st, 19, s->finished_ms);
    return db_run(st, e);
}

enum err ticket_rows_drop(struct db *db, const char *id, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "DELETE FROM ticket WHERE id = $1");

    bind_text(st, 1, id);
    return db_run(st, e);
}

enum err ticket_concerns(struct db *db, const char *id, struct text_set *ret, bool *ret_known,
                         struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT hall, issued_at FROM ticket WHERE id = $1");

    bind_text(st, 1, id);
    enum err err = db_step(st, ret_known, e);
    for (int i = 0; err == OK && *ret_known && i < 2; i++)
        text_set_put(ret, col_text(st, i), NULL);
    db_reset(st);
    return err;
}

enum err ticket_each_of(struct db *db, const char *site,
                        enum err (*fn)(void *arg, const char *id, struct errmsg *e), void *arg,
                        struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT id FROM ticket WHERE hall LIKE $1 OR issued_at LIKE $1 "
                                  "/* full scan: once in the life of a child */");
    enum tier tier = TIER_COMMUNITY;
    char like[16];
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

enum err ticket_join(struct office *o, struct db *db, const char *id, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT street FROM ticket WHERE id = $1 AND hall = $2 AND "
                                  "state = 'coming' AND day >= $3");
    char oldest[7], street[13] = "";
    bool row;

    queue_oldest_day(o, oldest);
    bind_text(st, 1, id);
    bind_text(st, 2, o->site);
    bind_text(st, 3, oldest);
    enum err err = db_step(st, &row, e);
    if (err == OK && row)
        COPY_TEXT(street, col_text(st, 0));
    db_reset(st);
    return street[0] ? office_say(o, db, "ticket.joined/1", id, street, NULL, json_object(), e)
                     : err;
}
