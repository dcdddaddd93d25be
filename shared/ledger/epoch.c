/* A new epoch: what was appended to a past that is another's gets other names. */
#include "base/log.h"
#include "base/text_set.h"
#include "ledger/inside.h"
#include "ledger/meta.h"
#include "ledger/outbox.h"
#include "ledger/recall.h"

#include <stdio.h>
#include <string.h>

/* It goes up by its new name, at the end of the outbox. */
static enum err rename_event(struct ledger *l, struct db *db, const char *from, uint64_t seq,
                             const char *to, uint64_t to_seq, const unsigned char hash[32],
                             struct errmsg *e)
{
    struct stmt *st;
    uint64_t pos;
    bool up;
    enum err err = outbox_up_head(l, db, &up, &pos, e);

    if (err != OK || (up && (err = outbox_set_up_head(l, db, ++pos, e)) != OK))
        return err;
    st = db_stmt(db, "UPDATE event SET origin = $3, seq = $4, hash = $5, up_pos = $6 WHERE origin "
                     "= $1 AND seq = $2");
    if (up)
        bind_int(st, 6, (int64_t)pos);

    bind_text(st, 1, from);
    bind_int(st, 2, (int64_t)seq);
    bind_text(st, 3, to);
    bind_int(st, 4, (int64_t)to_seq);
    bind_blob(st, 5, hash, 32);
    return db_run(st, e);
}

/* Whichever child was to get the event by its old name gets it by the new one, at the end: the old
 * place may have been acknowledged for another event of that name. */
static enum err requeue(struct ledger *l, struct db *db, const char *from, uint64_t seq,
                        const char *to, uint64_t to_seq, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT peer FROM outbox WHERE origin = $1 AND seq = $2");
    struct arena *a = arena_create();
    struct text_set peers = {.arena = a};
    enum err err;
    bool row;

    bind_text(st, 1, from);
    bind_int(st, 2, (int64_t)seq);
    while ((err = db_step(st, &row, e)) == OK && row)
        text_set_put(&peers, col_text(st, 0), NULL);
    st = db_stmt(db, "DELETE FROM outbox WHERE origin = $1 AND seq = $2");
    bind_text(st, 1, from);
    bind_int(st, 2, (int64_t)seq);
    if (err == OK)
        err = db_run(st, e);
    for (size_t i = 0; err == OK && i < peers.count; i++)
        err = ledger_enqueue(l, db, peers.list[i], to, to_seq, e);
    arena_destroy(a);
    return err;
}

static enum err set_origin(struct db *db, const char *origin, uint64_t seq,
                           const unsigned char hash[32], struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO origin (origin, seq, hash) VALUES ($1, $2, $3) ON CONFLICT (origin) "
            "DO UPDATE SET seq = excluded.seq, hash = excluded.hash, signed_seq = 0");

    bind_text(st, 1, origin);
    bind_int(st, 2, (int64_t)seq);
    bind_blob(st, 3, hash, 32);
    return db_run(st, e);
}

enum err ledger_new_epoch(struct ledger *l, struct db *db, uint64_t seq, struct errmsg *e)
{
    char origin[25];
    unsigned char dice[3], prev[32] = {0}, hash[32];
    struct event_sum sum;
    uint64_t head, n = 0;
    enum err err = ledger_head(db, l->origin, &head, hash, e);

    if (err != OK)
        return err;
    host_random(l->host, dice, sizeof dice);
    snprintf(origin, sizeof origin, "%s.%u", l->site,
             2 + ((unsigned)dice[0] << 16 | (unsigned)dice[1] << 8 | dice[2]));
    log_line(LOG_LEVEL_WARN, "ledger", "forked=yes origin=%s behind=%llu events=%llu epoch=%s",
             l->origin, (unsigned long long)seq, (unsigned long long)(head - seq), origin);
    for (uint64_t at = seq + 1; at <= head; at++) {
        struct stmt *st =
            db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE origin = $1 AND seq = $2");
        bool row;
        bind_text(st, 1, l->origin);
        bind_int(st, 2, (int64_t)at);
        if ((err = db_step(st, &row, e)) != OK || !row)
            return err == OK ? ERR_CORRUPT : err;
        struct event ev = ledger_row(st, 0);
        event_sum(&ev, &sum); /* of the site, whichever epoch */
        event_hash(prev, origin, ++n, sum.core, hash);
        db_reset(st);
        if ((err = rename_event(l, db, l->origin, at, origin, n, hash, e)) != OK ||
            (err = requeue(l, db, l->origin, at, origin, n, e)) != OK)
            return err;
        memcpy(prev, hash, 32);
    }
    if ((err = ledger_hash_at(db, l->origin, seq, hash, e)) != OK ||
        (err = set_origin(db, l->origin, seq, hash, e)) != OK ||
        (n && (err = set_origin(db, origin, n, prev, e)) != OK))
        return err;
    if ((err = meta_write(db, "origin", origin, e)) == OK)
        snprintf(l->origin, sizeof l->origin, "%s", origin);
    return err;
}
