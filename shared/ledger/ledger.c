/* Appending and receiving. What an event means is not known here: apply() and route() are given.
 *
 *   append:  next seq, hlc -> chain -> store -> apply -> route -> outbox     (any failure undoes all)
 *   receive: known? -> allowed? -> chain -> store -> apply or set aside -> route -> outbox */
#include "ledger/ledger.h"

#include "base/ids.h"
#include "base/log.h"
#include "ledger/outbox.h"

#include <string.h>

/* A clock that is this far ahead of ours is not followed: one broken site must not move all others. */
#define HLC_AHEAD_MS_MAX (24 * 3600 * 1000LL)

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
    st = db_stmt(db, "SELECT max(hlc) FROM event");
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    l->hlc_last = row ? (uint64_t)col_int(st, 0) : 0;
    db_reset(st);
    return OK;
}

static uint64_t next_hlc(struct ledger *l)
{
    uint64_t now = (uint64_t)host_wall_ms(l->host) << 16;

    l->hlc_last = now > l->hlc_last ? now : l->hlc_last + 1;
    return l->hlc_last;
}

static void merge_hlc(struct ledger *l, const struct event *ev)
{
    int64_t ahead = (int64_t)(ev->hlc >> 16) - host_wall_ms(l->host);

    if (ahead > HLC_AHEAD_MS_MAX)
        log_line(LOG_LEVEL_WARN, "ledger", "clock_ahead_ms=%lld origin=%s seq=%llu followed=no",
                 (long long)ahead, ev->origin, (unsigned long long)ev->seq);
    else if (ev->hlc > l->hlc_last)
        l->hlc_last = ev->hlc;
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

static enum err set_head(struct db *db, const struct event *ev, const unsigned char hash[32],
                         struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO origin (origin, seq, hash) VALUES ($1, $2, $3) "
                                  "ON CONFLICT (origin) DO UPDATE SET seq = excluded.seq, "
                                  "hash = excluded.hash");

    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_blob(st, 3, hash, 32);
    return db_run(st, e);
}

static enum err store_event(struct db *db, const struct event *ev, const unsigned char *hash,
                            const char *from, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO event (street, origin, seq, hlc, kind, case_no, actor, "
                                  "body, hash, state, from_peer) "
                                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'applied', $10)");

    bind_text(st, 1, ev->street);
    bind_text(st, 2, ev->origin);
    bind_int(st, 3, (int64_t)ev->seq);
    bind_int(st, 4, (int64_t)ev->hlc);
    bind_text(st, 5, ev->kind);
    bind_text(st, 6, ev->case_no);
    bind_text(st, 7, ev->actor);
    bind_text(st, 8, ev->body);
    bind_blob(st, 9, hash, hash ? 32 : 0);
    bind_text(st, 10, from);
    return db_run(st, e);
}

struct emission {
    struct ledger *l;
    struct db *db;
    const struct event *ev;
    const char *from;
    struct errmsg *e;
};

static enum err emit(void *ctx, const char *peer)
{
    struct emission *m = ctx;

    if (m->from && !strcmp(peer, m->from))
        return OK;
    return ledger_enqueue(m->l, m->db, peer, m->ev->origin, m->ev->seq, m->e);
}

static enum err route(struct ledger *l, struct db *db, const struct event *ev, const char *from,
                      struct errmsg *e)
{
    struct emission m = {l, db, ev, from, e};

    return l->route ? l->route(l->arg, db, ev, from, emit, &m, e) : OK;
}

enum err ledger_append(struct ledger *l, struct db *db, const char *kind, const char *case_no,
                       const char *street, const char *actor, const struct json *body,
                       uint64_t *ret_seq, struct errmsg *e)
{
    struct buf text = {0};
    unsigned char prev[32], hash[32];
    struct event ev = {.origin = l->origin, .kind = kind, .case_no = case_no ? case_no : "",
                       .street = street, .actor = actor ? actor : ""};
    enum err err;

    bool recalling;

    if ((err = ledger_recalling(db, &recalling, e)) != OK)
        return err;
    if (recalling) {
        errmsg_set(e, "this site is still getting its own past back from its parent; try again when the link is up");
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
        errmsg_set(e, "the event has %zu bytes, at most %d are allowed", ev.body_len, EVENT_BODY_MAX);
        err = ERR_INVALID;
        goto done;
    }
    event_hash(prev, &ev, hash);
    if ((err = store_event(db, &ev, hash, NULL, e)) != OK || (err = set_head(db, &ev, hash, e)) != OK ||
        (l->apply && (err = l->apply(l->arg, db, &ev, true, e)) != OK) ||
        (err = route(l, db, &ev, NULL, e)) != OK)
        goto done;
    if (ret_seq)
        *ret_seq = ev.seq;
done:
    if (err != OK)
        errmsg_wrap(e, "append %s", kind);
    buf_free(&text);
    return err;
}

static enum err known(struct db *db, const struct event *ev, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM event WHERE origin = $1 AND seq = $2");
    enum err err;

    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

static enum err set_aside(struct db *db, const struct event *ev, const struct errmsg *why,
                          struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "UPDATE event SET state = 'aside', reason = $3 "
                                  "WHERE origin = $1 AND seq = $2");

    log_line(LOG_LEVEL_WARN, "ledger", "set_aside=yes origin=%s seq=%llu kind=%s", ev->origin,
             (unsigned long long)ev->seq, ev->kind);
    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_text(st, 3, why->text);
    return db_run(st, e);
}

/* May this link bring this event, and does its chain go on here? *chained says whether we hold the
 * origin from its beginning. */
static enum err allowed(struct ledger *l, struct db *db, const char *from, const struct event *ev,
                        bool *chained, bool *pass, unsigned char hash[32], struct errmsg *e)
{
    char site[13];
    uint64_t head;
    unsigned char prev[32];
    bool from_child, own;
    enum err err;

    event_site(ev->origin, site);
    from_child = strcmp(from, l->site) && division_within(from, l->site);
    own = !strcmp(site, l->site);
    *chained = from_child || own;
    if (from_child && !division_within(site, from)) {
        errmsg_set(e, "origin %s is not within %s, which sent it", ev->origin, from);
        return ERR_PEER;
    }
    *pass = false;
    if (!*chained)
        return OK;
    if ((err = ledger_head(db, ev->origin, &head, prev, e)) != OK)
        return err;
    if (own) { /* of a forgotten past: the recall brings it, in order, once both chains are known to agree */
        bool takes;
        if ((err = ledger_recall_takes(db, &takes, e)) != OK)
            return err;
        *pass = !takes || ev->seq != head + 1;
        if (*pass)
            return OK;
    }
    if (ev->seq != head + 1) {
        errmsg_set(e, "origin %s: event %llu expected, %llu came", ev->origin,
                   (unsigned long long)head + 1, (unsigned long long)ev->seq);
        return ERR_PEER;
    }
    event_hash(prev, ev, hash);
    return OK;
}

enum err ledger_receive(struct ledger *l, struct db *db, const char *from, const struct event *ev,
                        enum received *ret, struct errmsg *e)
{
    unsigned char hash[32];
    struct errmsg why = {""};
    bool there, chained, pass;
    enum err err;

    if ((err = known(db, ev, &there, e)) != OK)
        return err;
    if (there) {
        *ret = RECEIVED_DUPLICATE;
        return OK;
    }
    if ((err = allowed(l, db, from, ev, &chained, &pass, hash, e)) != OK)
        return err;
    if (pass) {
        *ret = RECEIVED_DUPLICATE;
        return OK;
    }
    if ((err = store_event(db, ev, chained ? hash : NULL, from, e)) != OK ||
        (chained && (err = set_head(db, ev, hash, e)) != OK))
        return err;
    merge_hlc(l, ev);
    *ret = RECEIVED_NEW;
    if (l->apply) {
        if ((err = db_savepoint(db)) != OK)
            return err;
        err = l->apply(l->arg, db, ev, false, &why);
        if (err == OK) {
            err = db_release(db);
        } else if (err == ERR_INVALID) {
            if ((err = db_undo(db)) == OK)
                err = set_aside(db, ev, &why, e);
            *ret = RECEIVED_ASIDE;
        } else {
            *e = why;
        }
        if (err != OK)
            return err;
    }
    return route(l, db, ev, from, e);
}

struct event ledger_row(struct stmt *st, int first)
{
    struct event ev = {.origin = col_text(st, first), .seq = (uint64_t)col_int(st, first + 1),
                       .hlc = (uint64_t)col_int(st, first + 2), .kind = col_text(st, first + 3),
                       .case_no = col_text(st, first + 4), .street = col_text(st, first + 5),
                       .actor = col_text(st, first + 6), .body = col_text(st, first + 7)};

    ev.body_len = strlen(ev.body);
    return ev;
}

enum err ledger_each(struct db *db, enum err (*fn)(void *arg, const struct event *, struct errmsg *),
                     void *arg, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT origin, seq, hlc, kind, case_no, street, actor, body "
                                  "FROM event ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        if ((err = fn(arg, &ev, e)) != OK) {
            db_reset(st);
            return err;
        }
    }
    return err;
}
