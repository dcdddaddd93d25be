/* What each peer must still hear, in order: position -> event. */
#include "ledger/outbox.h"

#include "ledger/inside.h"
#include "ledger/link_rows.h"

#include <string.h>

/* ---- to the parent: all, by event.up_pos; to a child: a selection, by the table outbox --------*/

static struct stmt *read_behind(struct db *db, const struct link_state *link, const char *peer,
                                uint64_t pos, int max)
{
    struct stmt *st;

    if (link->is_parent) {
        st = db_stmt(db, "SELECT up_pos, " LEDGER_COLUMNS("") " FROM event WHERE up_pos > $1 "
                                                              "ORDER BY up_pos LIMIT $2");
        bind_int(st, 1, (int64_t)pos);
        bind_int(st, 2, max);
        return st;
    }
    st = db_stmt(db, "SELECT o.pos, " LEDGER_COLUMNS(
                         "v.") " FROM outbox o "
                               "JOIN event v ON v.origin = o.origin AND v.seq = o.seq "
                               "WHERE o.peer = $1 AND o.pos > $2 ORDER BY o.pos LIMIT $3");
    bind_text(st, 1, peer);
    bind_int(st, 2, (int64_t)pos);
    bind_int(st, 3, max);
    return st;
}

enum err outbox_read(struct db *db, const char *peer, uint64_t from_pos, int max_events,
                     size_t max_bytes, void (*fn)(void *arg, const struct event *ev), void *arg,
                     uint64_t *ret_pos, struct errmsg *e)
{
    struct link_state link;
    struct stmt *st;
    uint64_t last = from_pos;
    size_t bytes = 0;
    enum err err = link_read(db, peer, &link, e);
    bool row;

    if (err != OK)
        return err;
    st = read_behind(db, &link, peer, from_pos, max_events);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 1);
        size_t n = ev.record_len + ev.personal_len + ev.more_len;
        if (last != from_pos && bytes + n > max_bytes) {
            db_reset(st);
            break;
        }
        bytes += n + 100;
        last = (uint64_t)col_int(st, 0);
        fn(arg, &ev);
    }
    if (err == OK)
        *ret_pos = last;
    return err;
}

enum err outbox_unsent(struct db *db, const char *peer, int64_t *ret_count, int64_t *ret_oldest_ms,
                       struct errmsg *e)
{
    struct link_state link;
    struct stmt *st;
    enum err err = link_read(db, peer, &link, e);
    bool row;

    *ret_count = 0;
    *ret_oldest_ms = 0;
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    *ret_count = (int64_t)(link.head_pos - link.acked_pos);
    if (link.is_parent) {
        st = db_stmt(db, "SELECT hlc / 65536 FROM event WHERE up_pos > $1 ORDER BY up_pos LIMIT 1");
    } else {
        st = db_stmt(db,
                     "SELECT at_ms FROM outbox WHERE peer = $2 AND pos > $1 ORDER BY pos LIMIT 1");
        bind_text(st, 2, peer);
    }
    bind_int(st, 1, (int64_t)link.acked_pos);
    if ((err = db_step(st, &row, e)) == OK && row)
        *ret_oldest_ms = col_int(st, 0);
    db_reset(st);
    return err;
}

enum err outbox_up_head(const struct ledger *l, struct db *db, bool *ret_there, uint64_t *ret_pos,
                        struct errmsg *e)
{
    struct stmt *st;

    *ret_there = false;
    *ret_pos = 0;
    if (!l->parent[0])
        return OK;
    st = db_stmt(db, "SELECT head_pos FROM link WHERE peer = $1");
    lend_text(st, 1, l->parent, 12);
    enum err err = db_step(st, ret_there, e);
    if (err == OK && *ret_there)
        *ret_pos = (uint64_t)col_int(st, 0);
    db_reset(st);
    return err;
}

enum err outbox_set_up_head(const struct ledger *l, struct db *db, uint64_t pos, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "UPDATE link SET head_pos = $2 WHERE peer = $1");

    lend_text(st, 1, l->parent, 12);
    bind_int(st, 2, (int64_t)pos);
    return db_run(st, e);
}

/* A peer without a link gets nothing: it is not enrolled. */
enum err ledger_enqueue(struct ledger *l, struct db *db, const char *peer, const char *origin,
                        uint64_t seq, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO outbox (peer, pos, origin, seq, at_ms) "
            "SELECT peer, head_pos + 1, $2, $3, $4 FROM link WHERE peer = $1 AND role = 'child' "
            "ON CONFLICT (origin, seq, peer) DO NOTHING");
    enum err err;

    bind_text(st, 1, peer);
    bind_text(st, 2, origin);
    bind_int(st, 3, (int64_t)seq);
    bind_int(st, 4, host_wall_ms(l->host));
    if ((err = db_run(st, e)) != OK || !db_changes(db))
        return err;
    st = db_stmt(db, "UPDATE link SET head_pos = head_pos + 1 WHERE peer = $1");
    bind_text(st, 1, peer);
    return db_run(st, e);
}

enum err ledger_enqueue_again(struct ledger *l, struct db *db, const char *peer, const char *origin,
                              uint64_t seq, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "DELETE FROM outbox WHERE peer = $1 AND origin = $2 AND seq = $3");
    enum err err;

    bind_text(st, 1, peer);
    bind_text(st, 2, origin);
    bind_int(st, 3, (int64_t)seq);
    if ((err = db_run(st, e)) != OK)
        return err;
    return ledger_enqueue(l, db, peer, origin, seq, e);
}

enum err ledger_enqueue_dossier(struct ledger *l, struct db *db, const char *peer,
                                const char *dossier, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT origin, seq FROM event WHERE dossier = $1 AND "
                                  "state NOT IN ('refused', 'denied') ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, dossier);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(l, db, peer, col_text(st, 0), (uint64_t)col_int(st, 1), e)) !=
            OK) {
            db_reset(st);
            return err;
        }
    return err;
}
