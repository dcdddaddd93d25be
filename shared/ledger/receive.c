/* Receiving a batch. The chain of each origin is followed in memory and its head written once. What
 * comes from a child goes on up, in the order in which it came.
 *
 *   each: known? -> allowed? -> chain -> store      then: apply all -> set aside what does not fit
 * -> route all */
#include "ledger/inside.h"

#include "base/ids.h"
#include "base/log.h"

#include <string.h>

/* A clock that is this far ahead of ours is not followed: one broken site must not move all others.
 */
#define HLC_AHEAD_MS_MAX (24 * 3600 * 1000LL)

/* Where the chain of an origin stands while a batch is stored. */
struct chain {
    struct chain *next;
    char origin[25];
    uint64_t seq;
    unsigned char hash[32];
    bool moved;
};

struct receiving {
    struct ledger *l;
    struct db *db;
    struct arena *a;
    const char *from;
    bool from_child, up; /* up: what is stored goes up from here */
    uint64_t up_pos;
    struct chain *chains; /* the last used first */
};

static void merge_hlc(struct ledger *l, const struct event *ev)
{
    int64_t ahead = (int64_t)(ev->hlc >> 16) - host_wall_ms(l->host);

    if (ahead > HLC_AHEAD_MS_MAX)
        log_line(LOG_LEVEL_WARN, "ledger", "clock_ahead_ms=%lld origin=%s seq=%llu followed=no",
                 (long long)ahead, ev->origin, (unsigned long long)ev->seq);
    else if (ev->hlc > l->hlc_last)
        l->hlc_last = ev->hlc;
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

static enum err chain_of(struct receiving *r, const char *origin, struct chain **ret,
                         struct errmsg *e)
{
    struct chain **at = &r->chains, *c;

    while ((c = *at) && strcmp(c->origin, origin))
        at = &c->next;
    if (c) {
        *at = c->next;
    } else {
        c = arena_alloc(r->a, sizeof *c);
        memset(c, 0, sizeof *c);
        memcpy(c->origin, origin, strnlen(origin, sizeof c->origin - 1));
        enum err err = ledger_head(r->db, origin, &c->seq, c->hash, e);
        if (err != OK)
            return err;
    }
    c->next = r->chains;
    r->chains = c;
    *ret = c;
    return OK;
}

static enum err store_chained(struct receiving *r, struct chain *c, struct arrival *x,
                              struct errmsg *e)
{
    const struct event *ev = &x->ev;
    unsigned char hash[32];
    enum err err;

    if (x->encoding.n)
        event_encoding_hash(c->hash, &x->encoding, hash);
    else
        event_hash(c->hash, ev, hash);
    if ((err = event_store(r->db, ev, hash, r->from, r->up ? ++r->up_pos : 0, e)) != OK)
        return err;
    memcpy(c->hash, hash, 32);
    c->seq = ev->seq;
    c->moved = true;
    return OK;
}

/* Of this site itself: a forgotten past. The recall brings it, in order, once both chains are known
 * to agree. */
static enum err take_own(struct receiving *r, struct arrival *x, struct errmsg *e)
{
    struct chain *c;
    bool takes;
    enum err err;

    if ((err = chain_of(r, x->ev.origin, &c, e)) != OK ||
        (err = ledger_recall_takes(r->db, &takes, e)) != OK)
        return err;
    if (takes && x->ev.seq == c->seq + 1)
        return store_chained(r, c, x, e);
    x->got = RECEIVED_DUPLICATE;
    return OK;
}

static enum err take_from_child(struct receiving *r, struct arrival *x, const char *site,
                                struct errmsg *e)
{
    const struct event *ev = &x->ev;
    struct chain *c;
    enum err err;

    if (!division_within(site, r->from)) {
        errmsg_set(e, "origin %s is not within %s, which sent it", ev->origin, r->from);
        return ERR_PEER;
    }
    if ((err = chain_of(r, ev->origin, &c, e)) != OK)
        return err;
    if (ev->seq <= c->seq) { /* held without gaps: it is here */
        x->got = RECEIVED_DUPLICATE;
        return OK;
    }
    if (ev->seq != c->seq + 1) {
        errmsg_set(e, "origin %s: event %llu expected, %llu came", ev->origin,
                   (unsigned long long)c->seq + 1, (unsigned long long)ev->seq);
        return ERR_PEER;
    }
    return store_chained(r, c, x, e);
}

static enum err take(struct receiving *r, struct arrival *x, struct errmsg *e)
{
    char site[13];
    bool there = false;
    enum err err;

    x->got = RECEIVED_NEW;
    x->why = NULL;
    x->alone = false;
    event_site(x->ev.origin, site);
    if (r->from_child)
        err = take_from_child(r, x, site, e);
    else if ((err = known(r->db, &x->ev, &there, e)) == OK && !there)
        err = strcmp(site, r->l->site) ? event_store(r->db, &x->ev, NULL, r->from, 0, e)
                                       : take_own(r, x, e);
    if (there)
        x->got = RECEIVED_DUPLICATE;
    if (err == OK && x->got == RECEIVED_NEW)
        merge_hlc(r->l, &x->ev);
    return err;
}

static enum err set_aside(struct db *db, struct arrival *x, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "UPDATE event SET state = 'aside', reason = $3 WHERE origin = $1 AND seq = $2");

    x->got = RECEIVED_ASIDE;
    log_line(LOG_LEVEL_WARN, "ledger", "set_aside=yes origin=%s seq=%llu kind=%s", x->ev.origin,
             (unsigned long long)x->ev.seq, x->ev.kind);
    bind_text(st, 1, x->ev.origin);
    bind_int(st, 2, (int64_t)x->ev.seq);
    bind_text(st, 3, x->why);
    return db_run(st, e);
}

enum err ledger_receive(struct ledger *l, struct db *db, const char *from, struct arrival *list,
                        size_t n, struct arena *a, struct errmsg *e)
{
    struct receiving r = {.l = l, .db = db, .a = a, .from = from};
    enum err err = OK;

    r.from_child = strcmp(from, l->site) && division_within(from, l->site);
    if (r.from_child)
        err = up_head(l, db, &r.up, &r.up_pos, e);
    for (size_t i = 0; err == OK && i < n; i++)
        err = take(&r, &list[i], e);
    for (struct chain *c = r.chains; err == OK && c; c = c->next)
        if (c->moved)
            err = head_set(db, c->origin, c->seq, c->hash, e);
    if (err == OK && r.up)
        err = up_head_set(l, db, r.up_pos, e);
    if (err == OK)
        err = clock_keep(l, db, e);
    if (err == OK && l->apply)
        err = l->apply(l->arg, db, list, n, false, a, e);
    for (size_t i = 0; err == OK && i < n; i++)
        if (list[i].got == RECEIVED_NEW && list[i].why)
            err = set_aside(db, &list[i], e);
    if (err == OK && l->route)
        err = l->route(l->arg, db, list, n, from, a, e);
    return err;
}
