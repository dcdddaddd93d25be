/* Receiving a batch. The chain of each origin is followed in memory and its head written once. What
 * comes from a child goes on up, in the order in which it came.
 *
 *   each: known? -> allowed? -> chain -> store
 *   then: apply all -> note what does not count -> route all */
#include "base/ids.h"
#include "base/log.h"
#include "ledger/inside.h"
#include "ledger/recall.h"

#include <assert.h>
#include <string.h>

/* A clock that is this far ahead of ours is not followed: one broken site must not move all others. But
 * what this site itself has said and forgotten is: what it says now comes after that. */
#define HLC_AHEAD_MS_MAX (5 * 60 * 1000LL)

/* Where the chain of an origin stands while a batch is stored. */
struct follow {
    struct follow *next;
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
    struct follow *chains; /* the last used first */
    bool looked, shells;   /* shells: events are held here without their personal part */
    size_t ahead_count;    /* events whose clock is not followed, and how far the worst is ahead */
    int64_t ahead_ms;
};

static void follow_clock(struct receiving *r, const struct event *ev)
{
    struct ledger *l = r->l;
    int64_t ahead = (int64_t)(ev->hlc >> 16) - host_wall_ms(l->host);

    if (ahead > HLC_AHEAD_MS_MAX && strncmp(ev->origin, l->site, 12) != 0) {
        r->ahead_count++;
        r->ahead_ms = ahead > r->ahead_ms ? ahead : r->ahead_ms;
    } else if (ev->hlc > l->hlc_last) {
        l->hlc_last = ev->hlc;
    }
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

static enum err chain_of(struct receiving *r, const char *origin, struct follow **ret,
                         struct errmsg *e)
{
    struct follow **at = &r->chains, *c;

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

static enum err store_chained(struct receiving *r, struct follow *c, struct arrival *x,
                              struct errmsg *e)
{
    const struct event *ev = &x->ev;
    unsigned char hash[32];
    enum err err;

    event_hash(c->hash, ev->origin, ev->seq, x->sum.core, hash);
    if ((err = row_store(r->db, ev, hash, r->from, r->up ? ++r->up_pos : 0, e)) != OK)
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
    struct follow *c;
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
    struct follow *c;
    enum err err;

    bool again = r->chains && !strcmp(r->chains->origin, ev->origin); /* asked before */
    if (!again && !division_within(site, r->from)) {
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
    if (ev->form == EVENT_FORM_DIGEST) {
        errmsg_set(e,
                   "origin %s event %llu: %s sent it without its personal part, which nobody "
                   "has ordered to be forgotten",
                   ev->origin, (unsigned long long)ev->seq, r->from);
        return ERR_WITHHELD;
    }
    return store_chained(r, c, x, e);
}

/* It is here already; but it may be here without what it now brings. */
static enum err fill(struct receiving *r, struct arrival *x, struct errmsg *e)
{
    bool filled = false;
    enum err err = OK;

    if (x->ev.form != EVENT_FORM_HERE)
        return OK;
    if (!r->looked) {
        int64_t n = 0;
        err = ledger_shells(r->db, &n, e);
        r->looked = true;
        r->shells = n > 0;
    }
    if (err == OK && r->shells)
        err = ledger_fill(r->db, &x->ev, &x->sum, &filled, e);
    if (filled)
        x->got = RECEIVED_FILLED;
    return err;
}

static enum err take(struct receiving *r, struct arrival *x, struct errmsg *e)
{
    char site[13];
    bool there = false;
    enum err err;

    x->got = RECEIVED_NEW;
    x->state = x->why = NULL;
    x->alone = false;
    if (!x->sum.made)
        event_sum(&x->ev, &x->sum);
    event_site(x->ev.origin, site);
    if (r->from_child)
        err = take_from_child(r, x, site, e);
    else if ((err = known(r->db, &x->ev, &there, e)) == OK && !there)
        err = strcmp(site, r->l->site) ? row_store(r->db, &x->ev, NULL, r->from, 0, e)
                                       : take_own(r, x, e);
    if (there)
        x->got = RECEIVED_DUPLICATE;
    if (err == OK && x->got == RECEIVED_NEW)
        follow_clock(r, &x->ev);
    if (err == OK && x->got == RECEIVED_DUPLICATE)
        err = fill(r, x, e);
    return err;
}

/* What apply() has said of those that do not count. */
static enum err note_states(struct db *db, struct arrival *list, size_t n, struct errmsg *e)
{
    enum err err = OK;

    for (size_t i = 0; err == OK && i < n; i++) {
        struct arrival *x = &list[i];
        if (!x->state)
            continue;
        assert(x->got == RECEIVED_NEW || x->got == RECEIVED_FILLED);
        /* What only a newer program can read is no fault, and there may be much of it. */
        log_line(strcmp(x->state, "unknown") ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "ledger",
                 "state=%s origin=%s seq=%llu kind=%s", x->state, x->ev.origin,
                 (unsigned long long)x->ev.seq, x->ev.kind);
        x->got = RECEIVED_ASIDE;
        err = row_state(db, &x->ev, x->state, x->why, e);
    }
    return err;
}

enum err ledger_receive(struct ledger *l, struct db *db, const char *from, struct arrival *list,
                        size_t n, struct arena *a, struct errmsg *e)
{
    struct receiving r = {.l = l, .db = db, .a = a, .from = from};
    enum err err = OK;

    r.from_child = strcmp(from, l->site) && division_within(from, l->site);
    if (r.from_child)
        err = outbox_up_head(l, db, &r.up, &r.up_pos, e);
    for (size_t i = 0; err == OK && i < n; i++)
        err = take(&r, &list[i], e);
    for (struct follow *c = r.chains; err == OK && c; c = c->next)
        if (c->moved)
            err = chain_set_head(db, c->origin, c->seq, c->hash, e);
    if (err == OK && r.up)
        err = outbox_set_up_head(l, db, r.up_pos, e);
    if (r.ahead_count)
        log_line(LOG_LEVEL_WARN, "ledger", "clock_ahead_ms=%lld peer=%s events=%zu followed=no",
                 (long long)r.ahead_ms, from, r.ahead_count);
    if (err == OK)
        err = ledger_keep_clock(l, db, e);
    if (err == OK && l->apply)
        err = l->apply(l->arg, db, list, n, false, a, e);
    if (err == OK)
        err = note_states(db, list, n, e);
    if (err == OK && l->route)
        err = l->route(l->arg, db, list, n, from, a, e);
    return err;
}
