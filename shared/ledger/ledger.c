/* Appending, and reading back. What an event means is not known here: apply() and route() are
 * given.
 *
 *   append: next seq, hlc -> chain -> store -> apply -> route -> outbox     (any failure undoes
 * all) */
#include "ledger/inside.h"

#include "ledger/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err ledger_open(struct ledger *l, struct db *db, const char *site, const struct host *host,
                     struct errmsg *e)
{
    struct stmt *st;
    enum err err;
    bool row;

    memset(l, 0, sizeof *l);
    memcpy(l->site, site, 12);
    memcpy(l->origin, site, 12);
    l->host = host;
    st = db_stmt(db, "SELECT value FROM meta WHERE key = 'origin'");
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (row && strlen(col_text(st, 0)) < sizeof l->origin)
        memcpy(l->origin, col_text(st, 0), strlen(col_text(st, 0)) + 1);
    db_reset(st);
    st = db_stmt(db, "SELECT value FROM meta WHERE key = 'hlc'");
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    l->hlc_last = row ? strtoull(col_text(st, 0), NULL, 10) : 0;
    db_reset(st);
    return OK;
}

enum err clock_keep(struct ledger *l, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO meta (key, value) VALUES ('hlc', $1) "
                                  "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)l->hlc_last);
    bind_text(st, 1, text);
    return db_run(st, e);
}

static uint64_t next_hlc(struct ledger *l)
{
    uint64_t now = (uint64_t)host_wall_ms(l->host) << 16;

    l->hlc_last = now > l->hlc_last ? now : l->hlc_last + 1;
    return l->hlc_last;
}

enum err ledger_head(struct db *db, const char *origin, uint64_t *ret_seq, unsigned char hash[32],
                     struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT seq, hash FROM origin WHERE origin = $1");
    enum err err;
    size_t n;
    bool row;

    *ret_seq = 0;
    memset(hash, 0, 32);
    bind_text(st, 1, origin);
    if ((err = db_step(st, &row, e)) != OK || !row)
        return err;
    *ret_seq = (uint64_t)col_int(st, 0);
    const void *p = col_blob(st, 1, &n);
    if (n == 32)
        memcpy(hash, p, 32);
    db_reset(st);
    return OK;
}

enum err head_set(struct db *db, const char *origin, uint64_t seq, const unsigned char hash[32],
                  struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO origin (origin, seq, hash) VALUES ($1, $2, $3) "
                                  "ON CONFLICT (origin) DO UPDATE SET seq = excluded.seq, "
                                  "hash = excluded.hash");

    bind_text(st, 1, origin);
    bind_int(st, 2, (int64_t)seq);
    bind_blob(st, 3, hash, 32);
    return db_run(st, e);
}

enum err event_store(struct db *db, const struct event *ev, const unsigned char *hash,
                     const char *from, uint64_t up_pos, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "INSERT INTO event (street, origin, seq, hlc, kind, case_no, actor, "
                    "body, hash, state, from_peer, up_pos) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'applied', $10, $11)");

    lend_text(st, 1, ev->street, strlen(ev->street));
    lend_text(st, 2, ev->origin, strlen(ev->origin));
    bind_int(st, 3, (int64_t)ev->seq);
    bind_int(st, 4, (int64_t)ev->hlc);
    lend_text(st, 5, ev->kind, strlen(ev->kind));
    lend_text(st, 6, ev->case_no, strlen(ev->case_no));
    lend_text(st, 7, ev->actor, strlen(ev->actor));
    lend_text(st, 8, ev->body, ev->body_len);
    lend_blob(st, 9, hash, hash ? 32 : 0);
    lend_text(st, 10, from, from ? strlen(from) : 0);
    if (up_pos)
        bind_int(st, 11, (int64_t)up_pos);
    return db_run(st, e);
}

enum err ledger_append(struct ledger *l, struct db *db, const char *kind, const char *case_no,
                       const char *street, const char *actor, const struct json *body,
                       uint64_t *ret_seq, struct errmsg *e)
{
    struct buf text = {0};
    unsigned char prev[32], hash[32];
    struct event ev = {.origin = l->origin,
                       .kind = kind,
                       .case_no = case_no ? case_no : "",
                       .street = street,
                       .actor = actor ? actor : ""};
    struct arena *a = NULL;
    struct arrival one;
    bool recalling, up;
    uint64_t pos;
    enum err err;

    if ((err = ledger_recalling(db, &recalling, e)) != OK)
        return err;
    if (recalling) {
        errmsg_set(e, "this site is still getting its own past back from its parent; try again "
                      "when the link is up");
        return ERR_BUSY;
    }
    if ((err = ledger_head(db, l->origin, &ev.seq, prev, e)) != OK)
        return err;
    json_canonical(body, &text);
    ev.body = buf_text(&text);
    ev.body_len = text.len;
    ev.seq++;
    ev.hlc = next_hlc(l);
    if (ev.body_len > EVENT_BODY_MAX) {
        errmsg_set(e, "the event has %zu bytes, at most %d are allowed", ev.body_len,
                   EVENT_BODY_MAX);
        err = ERR_INVALID;
        goto done;
    }
    event_hash(prev, &ev, hash);
    a = arena_create();
    one = (struct arrival){.ev = ev};
    if ((err = up_head(l, db, &up, &pos, e)) != OK ||
        (up && (err = up_head_set(l, db, ++pos, e)) != OK) ||
        (err = event_store(db, &ev, hash, NULL, up ? pos : 0, e)) != OK ||
        (err = head_set(db, ev.origin, ev.seq, hash, e)) != OK ||
        (err = clock_keep(l, db, e)) != OK ||
        (l->apply && (err = l->apply(l->arg, db, &one, 1, true, a, e)) != OK) ||
        (l->route && (err = l->route(l->arg, db, &one, 1, NULL, a, e)) != OK))
        goto done;
    if (ret_seq)
        *ret_seq = ev.seq;
done:
    if (err != OK)
        errmsg_wrap(e, "append %s", kind);
    arena_destroy(a);
    buf_free(&text);
    return err;
}

struct event ledger_row(struct stmt *st, int first)
{
    struct event ev = {.origin = col_text(st, first),
                       .seq = (uint64_t)col_int(st, first + 1),
                       .hlc = (uint64_t)col_int(st, first + 2),
                       .kind = col_text(st, first + 3),
                       .case_no = col_text(st, first + 4),
                       .street = col_text(st, first + 5),
                       .actor = col_text(st, first + 6),
                       .body = col_text(st, first + 7)};

    ev.body_len = strlen(ev.body);
    return ev;
}

enum err ledger_each(struct db *db, const char *case_no,
                     enum err (*fn)(void *arg, const struct event *, struct errmsg *), void *arg,
                     struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT origin, seq, hlc, kind, case_no, street, actor, body "
                                  "FROM event WHERE case_no = $1 ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, case_no);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        if ((err = fn(arg, &ev, e)) != OK) {
            db_reset(st);
            return err;
        }
    }
    return err;
}
