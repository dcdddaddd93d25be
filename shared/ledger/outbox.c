#include "ledger/outbox.h"

#include "base/text_set.h"
#include "ledger/inside.h"

#include <stdio.h>
#include <string.h>

enum err link_add(struct db *db, const char *peer, const char *role, const struct host *host,
                  struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO link (peer, role, stream) VALUES ($1, $2, $3) "
                                  "ON CONFLICT (peer) DO NOTHING");
    unsigned char stream[16];
    enum err err;

    host_random(host, stream, sizeof stream);
    bind_text(st, 1, peer);
    bind_text(st, 2, role);
    bind_blob(st, 3, stream, sizeof stream);
    if ((err = db_run(st, e)) != OK)
        return err;
    st = db_stmt(db, "DELETE FROM meta WHERE key = 'revoked.' || $1");
    bind_text(st, 1, peer);
    return db_run(st, e);
}

enum err link_revoke(struct db *db, const char *peer, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "INSERT INTO meta (key, value) SELECT 'revoked.' || peer, '1' FROM link WHERE "
                    "peer = $1 AND "
                    "role = 'child' ON CONFLICT (key) DO UPDATE SET value = excluded.value");

    bind_text(st, 1, peer);
    enum err err = db_run(st, e);
    if (err == OK && !db_changes(db)) {
        errmsg_set(e, "%s is not a child that is enrolled here", peer);
        return ERR_NOT_FOUND;
    }
    return err;
}

enum err link_revoked(struct db *db, const char *peer, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM meta WHERE key = 'revoked.' || $1");

    bind_text(st, 1, peer);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

static void copy16(struct stmt *st, int i, unsigned char out[16])
{
    size_t n;
    const void *p = col_blob(st, i, &n);

    memset(out, 0, 16);
    if (n == 16)
        memcpy(out, p, 16);
}

enum err link_rename_all(struct db *db, const struct host *host, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT peer FROM link");
    struct arena *a = arena_create();
    struct text_set peers = {.arena = a};
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row)
        text_set_put(&peers, col_text(st, 0), NULL);
    db_reset(st);
    for (size_t i = 0; err == OK && i < peers.count; i++) {
        unsigned char stream[16];
        host_random(host, stream, sizeof stream);
        st = db_stmt(db, "UPDATE link SET stream = $2, acked_pos = 0 WHERE peer = $1");
        bind_text(st, 1, peers.list[i]);
        bind_blob(st, 2, stream, 16);
        err = db_run(st, e);
    }
    arena_destroy(a);
    return err;
}

enum err link_read(struct db *db, const char *peer, struct link_state *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT stream, peer_stream, head_pos, acked_pos, recv_pos, "
                                  "last_contact_ms, role FROM link WHERE peer = $1");
    enum err err;
    bool row;

    bind_text(st, 1, peer);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (!row) {
        errmsg_set(e, "there is no link to %s", peer);
        return ERR_NOT_FOUND;
    }
    copy16(st, 0, ret->stream);
    copy16(st, 1, ret->peer_stream);
    ret->head_pos = (uint64_t)col_int(st, 2);
    ret->acked_pos = (uint64_t)col_int(st, 3);
    ret->recv_pos = (uint64_t)col_int(st, 4);
    ret->last_contact_ms = col_int(st, 5);
    ret->is_parent = !strcmp(col_text(st, 6), "parent");
    db_reset(st);
    return OK;
}

enum err link_received(struct db *db, const char *peer, const unsigned char stream[16],
                       uint64_t prev_pos, uint64_t pos, int64_t now_ms, struct errmsg *e)
{
    struct link_state held;
    struct stmt *st;
    enum err err;

    if ((err = link_read(db, peer, &held, e)) != OK)
        return err;
    if (memcmp(held.peer_stream, stream, 16))
        held.recv_pos = 0;
    if (held.recv_pos != prev_pos || pos <= prev_pos) {
        errmsg_set(e, "%s: positions behind %llu expected, those behind %llu came", peer,
                   (unsigned long long)held.recv_pos, (unsigned long long)prev_pos);
        return ERR_CONFLICT;
    }
    st = db_stmt(db, "UPDATE link SET peer_stream = $2, recv_pos = $3, "
                     "last_contact_ms = $4 WHERE peer = $1");
    bind_text(st, 1, peer);
    bind_blob(st, 2, stream, 16);
    bind_int(st, 3, (int64_t)pos);
    bind_int(st, 4, now_ms);
    return db_run(st, e);
}

enum err link_named(struct db *db, const char *peer, const unsigned char stream[16],
                    struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "UPDATE link SET peer_stream = $2, recv_pos = 0 WHERE peer = $1 "
                                  "AND (peer_stream IS NULL OR peer_stream <> $2)");

    bind_text(st, 1, peer);
    bind_blob(st, 2, stream, 16);
    return db_run(st, e);
}

enum err link_acked(struct db *db, const char *peer, uint64_t pos, int64_t now_ms, struct errmsg *e)
{
    struct link_state now;
    struct stmt *st;
    enum err err;

    if ((err = link_read(db, peer, &now, e)) != OK)
        return err;
    if (pos > now.head_pos) {
        errmsg_set(e, "%s acknowledges position %llu; %llu is the last", peer,
                   (unsigned long long)pos, (unsigned long long)now.head_pos);
        return ERR_PEER;
    }
    st = db_stmt(db, "UPDATE link SET acked_pos = $2, last_contact_ms = $3 WHERE peer = $1");
    bind_text(st, 1, peer);
    bind_int(st, 2, (int64_t)(pos > now.acked_pos ? pos : now.acked_pos));
    bind_int(st, 3, now_ms);
    return db_run(st, e);
}

/* ---- to the parent: all, by event.up_pos; to a child: a selection, by the table outbox --------*/

static struct stmt *read_behind(struct db *db, const struct link_state *link, const char *peer,
                                uint64_t pos, int max)
{
    struct stmt *st;

    if (link->is_parent) {
        st = db_stmt(
            db, "SELECT up_pos, origin, seq, hlc, kind, case_no, street, actor, body FROM event "
                "WHERE up_pos > $1 ORDER BY up_pos LIMIT $2");
        bind_int(st, 1, (int64_t)pos);
        bind_int(st, 2, max);
        return st;
    }
    st = db_stmt(
        db, "SELECT o.pos, v.origin, v.seq, v.hlc, v.kind, v.case_no, v.street, v.actor, v.body "
            "FROM outbox o JOIN event v ON v.origin = o.origin AND v.seq = o.seq "
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
        if (last != from_pos && bytes + ev.body_len > max_bytes) {
            db_reset(st);
            break;
        }
        bytes += ev.body_len + 100;
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

enum err up_head(const struct ledger *l, struct db *db, bool *ret_there, uint64_t *ret_pos,
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

enum err up_head_set(const struct ledger *l, struct db *db, uint64_t pos, struct errmsg *e)
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

enum err ledger_enqueue_case(struct ledger *l, struct db *db, const char *peer, const char *case_no,
                             struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT origin, seq FROM event WHERE case_no = $1 "
                                  "ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, case_no);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(l, db, peer, col_text(st, 0), (uint64_t)col_int(st, 1), e)) !=
            OK) {
            db_reset(st);
            return err;
        }
    return err;
}
