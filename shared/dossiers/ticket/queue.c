#include "dossiers/ticket/queue.h"

#include "base/text.h"
#include "base/time.h"

#include <stdlib.h>

#define SERVICES_MS (3600LL * 1000) /* how far back services tell how long one takes */
#define SERVICES_MIN 3              /* fewer tell nothing */
#define SERVICES_MAX 200
#define MINUTE_MS 60000

void queue_oldest_day(const struct office *o, char out[7])
{
    time_yymmdd(host_wall_ms(o->host) - TICKET_HOLDS_MS, out);
}

bool queue_holds(const struct office *o, const char *id)
{
    char day[7], oldest[7];

    ticket_day(id, day);
    queue_oldest_day(o, oldest);
    return strcmp(day, oldest) >= 0;
}

static enum err one_number(struct stmt *st, int64_t *ret, struct errmsg *e)
{
    bool row;
    enum err err = db_step(st, &row, e);

    *ret = err == OK && row ? col_int(st, 0) : 0;
    db_reset(st);
    return err;
}

static enum err one_id(struct stmt *st, char out[33], struct errmsg *e)
{
    bool row;
    enum err err = db_step(st, &row, e);

    snprintf(out, 33, "%s", err == OK && row ? col_text(st, 0) : "");
    db_reset(st);
    return err;
}

enum err queue_ahead(struct office *o, struct db *db, const struct dossier *d, int64_t *ret,
                     struct errmsg *e)
{
    const struct ticket_state *s = d->state;
    struct stmt *st;
    char oldest[7];

    *ret = -1;
    if (!text_is(s->state, "waiting") || o->tier == TIER_COMMUNITY || !queue_holds(o, d->id))
        return OK;
    st = db_stmt(db, "SELECT count(*) FROM ticket WHERE hall = $1 AND queue = $2 AND "
                     "state = 'waiting' AND (rank, place, given) < ($3, $4, $5) AND day >= $6");
    queue_oldest_day(o, oldest);
    bind_text(st, 1, d->owner);
    bind_text(st, 2, s->queue);
    bind_int(st, 3, ticket_rank(text_or(json_get_text(s->opening, "class"), "normal")));
    bind_int(st, 4, s->place);
    bind_int(st, 5, s->given);
    bind_text(st, 6, oldest);
    return one_number(st, ret, e);
}

/* ---- how long ---------------------------------------------------------------------------------*/

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The median of the last hour's services; 0: too few. */
static enum err service_ms(struct office *o, struct db *db, const char *hall, const char *queue,
                           int64_t *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT finished_ms - serving_ms FROM ticket WHERE hall = $1 AND queue = $2 "
                    "AND finished_ms >= $3 ORDER BY finished_ms DESC LIMIT $4");
    int64_t took[SERVICES_MAX] = {0};
    size_t n = 0;
    enum err err;
    bool row;

    bind_text(st, 1, hall);
    bind_text(st, 2, queue);
    bind_int(st, 3, host_wall_ms(o->host) - SERVICES_MS);
    bind_int(st, 4, SERVICES_MAX);
    while ((err = db_step(st, &row, e)) == OK && row)
        took[n++] = col_int(st, 0);
    db_reset(st);
    qsort(took, n, sizeof took[0], by_size);
    *ret = n >= SERVICES_MIN ? took[n / 2] : 0;
    return err;
}

/* Windows that have called somebody of the queue within the hour. */
static enum err open_windows(struct office *o, struct db *db, const char *hall, const char *queue,
                             int64_t *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT count(DISTINCT called_to) FROM ticket WHERE hall = $1 AND "
                    "queue = $2 AND state IN ('called', 'serving', 'finished') AND "
                    "called_ms >= $3");

    bind_text(st, 1, hall);
    bind_text(st, 2, queue);
    bind_int(st, 3, host_wall_ms(o->host) - SERVICES_MS);
    return one_number(st, ret, e);
}

enum err queue_estimate(struct office *o, struct db *db, const char *hall, const char *queue,
                        int64_t ahead, struct json **ret, struct errmsg *e)
{
    int64_t each, windows;
    enum err err = service_ms(o, db, hall, queue, &each, e);

    if (err != OK || (err = open_windows(o, db, hall, queue, &windows, e)) != OK)
        return err;
    if (ahead < 0 || each <= 0 || !windows) {
        *ret = json_null();
        return OK;
    }
    *ret = json_object();
    json_set_int(*ret, "from", ahead * each * 3 / 4 / windows / MINUTE_MS);
    json_set_int(*ret, "to", (ahead + 1) * each * 3 / 2 / windows / MINUTE_MS + 1);
    return OK;
}

/* ---- for the windows --------------------------------------------------------------------------*/

/* Who waits, in order; then, where there is nobody, who was issued elsewhere and was given no place. */
enum err queue_first(struct office *o, struct db *db, const char *queue, const char *window,
                     char out[33], struct errmsg *e)
{
    static const char *const states[] = {"waiting", "coming"};
    enum err err = OK;
    char oldest[7];

    queue_oldest_day(o, oldest);
    out[0] = 0;
    for (int i = 0; err == OK && i < 2 && !out[0]; i++) {
        struct stmt *st = db_stmt(
            db, "SELECT id FROM ticket WHERE hall = $1 AND queue = $2 AND state = $3 AND day >= $4 "
                "AND (kept_for = '' OR kept_for = $5) ORDER BY rank, place, given, issued_ms, "
                "id LIMIT 1");
        bind_text(st, 1, o->site);
        bind_text(st, 2, queue);
        bind_text(st, 3, states[i]);
        bind_text(st, 4, oldest);
        bind_text(st, 5, window);
        err = one_id(st, out, e);
    }
    return err;
}

enum err queue_in_hand(struct office *o, struct db *db, const char *window, const char *other,
                       char out[33], struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT id FROM ticket WHERE hall = $1 AND called_to = $2 AND called_to <> '' AND "
            "state IN ('called', 'serving') AND day >= $3 AND id <> $4 "
            "LIMIT 1");
    char oldest[7];

    queue_oldest_day(o, oldest);
    bind_text(st, 1, o->site);
    bind_text(st, 2, window);
    bind_text(st, 3, oldest);
    bind_text(st, 4, other);
    return one_id(st, out, e);
}

enum err queue_place(struct office *o, struct db *db, const char *queue, int rank, int64_t behind,
                     int64_t *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT place FROM ticket WHERE hall = $1 AND queue = $2 AND state = 'waiting' "
                    "AND rank = $3 AND day >= $4 ORDER BY place, given LIMIT 1 OFFSET $5");
    char oldest[7];

    queue_oldest_day(o, oldest);
    bind_text(st, 1, o->site);
    bind_text(st, 2, queue);
    bind_int(st, 3, rank);
    bind_text(st, 4, oldest);
    bind_int(st, 5, behind > 0 ? behind - 1 : 0);
    enum err err = one_number(st, ret, e);
    if (err == OK && *ret && !behind)
        --*ret; /* before the first */
    return err;
}
