/* The rows of links: who is enrolled, how far each side holds the other's outbox. */
#include "ledger/link_rows.h"

#include "base/arena.h"
#include "base/text_set.h"
#include "ledger/meta.h"

#include <stdio.h>
#include <string.h>

static const char *revoked_key(const char *peer, char out[32])
{
    snprintf(out, 32, "revoked.%s", peer);
    return out;
}

enum err link_add(struct db *db, const char *peer, const char *role, const struct host *host,
                  struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO link (peer, role, stream) VALUES ($1, $2, $3) "
                                  "ON CONFLICT (peer) DO NOTHING");
    unsigned char stream[16];
    char key[32];
    enum err err;

    host_random(host, stream, sizeof stream);
    bind_text(st, 1, peer);
    bind_text(st, 2, role);
    bind_blob(st, 3, stream, sizeof stream);
    if ((err = db_run(st, e)) != OK)
        return err;
    return meta_delete(db, revoked_key(peer, key), e);
}

enum err link_revoke(struct db *db, const char *peer, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM link WHERE peer = $1 AND role = 'child'");
    char key[32];
    bool row;

    bind_text(st, 1, peer);
    enum err err = db_step(st, &row, e);
    db_reset(st);
    if (err == OK && !row) {
        errmsg_set(e, "%s is not a child that is enrolled here", peer);
        err = ERR_NOT_FOUND;
    }
    return err == OK ? meta_write(db, revoked_key(peer, key), "1", e) : err;
}

enum err link_revoked(struct db *db, const char *peer, bool *ret, struct errmsg *e)
{
    char key[32], text[4];

    return meta_read(db, revoked_key(peer, key), text, sizeof text, ret, e);
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
                                  "last_contact_ms, role, skew_ms FROM link WHERE peer = $1");
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
    ret->skew_ms = col_int(st, 7);
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

enum err link_skewed(struct db *db, const char *peer, int64_t skew_ms, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "UPDATE link SET skew_ms = $2 WHERE peer = $1");

    bind_text(st, 1, peer);
    bind_int(st, 2, skew_ms);
    return db_run(st, e);
}
