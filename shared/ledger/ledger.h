/* The ledger: append what happens here, receive what happened elsewhere. What an event means is not
 * known here: apply() and route() are given. Everything runs inside a transaction of the writer.
 *
 * Beside this: chain.h (heads, witness, verify), row.h (reading events back), outbox.h (who must
 * hear), link_rows.h (peers), recall.h (a forgotten past), meta.h. */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/arena.h"
#include "base/host.h"
#include "base/json.h"
#include "db/db.h"
#include "ledger/event.h"

#include <stdbool.h>

struct ledger;

/* NEW: stored now, and it counts. DUPLICATE: it was here. ASIDE: stored now, but state and why say
 * what is to be done without it. FILLED: it was here without its personal part, which has come. */
enum received { RECEIVED_NEW, RECEIVED_DUPLICATE, RECEIVED_ASIDE, RECEIVED_FILLED };

/* An event on its way into the ledger. */
struct arrival {
    struct event ev;      /* as it came */
    struct event_sum sum; /* may be made before its turn comes, on another thread */
    /* Its texts, parsed already, borrowed; NULL: not yet, or it is no JSON, or is not here. */
    struct json *record, *personal;
    enum received got;
    /* Set by apply(), static or in the batch's arena. state NULL: it counts ('applied'); else what
     * its row says of it: 'aside', 'refused', 'unknown' ...; why: for people, may be NULL. */
    const char *state, *why;
    bool alone; /* apply() to route(): of its dossier nothing is here but what came in this batch */
    /* Of the first: what apply() and route() made of the whole batch before its turn. NULL: none.
     */
    const void *ahead;
};

/**
 * ledger_apply_fn(arg, db, list, n, local, a, e):
 * Fold the events of ${list} that are RECEIVED_NEW or RECEIVED_FILLED, and stored already, into the
 * projections; any order that gives the same rows will do.
 *
 * Shapes  local: one event, NEW, appended here.
 * Errors  ERR_INVALID, local only: it does not fit, ${e} says why. Of a received one that does not
 *         fit, state and why are set instead. Anything else fails the whole transaction.
 */
typedef enum err (*ledger_apply_fn)(void *arg, struct db *db, struct arrival *list, size_t n,
                                    bool local, struct arena *a, struct errmsg *e);
/* Enqueue (outbox.h) what is NEW or ASIDE for every child that must get it. `from` is the link by
 * which it came, or NULL: an event never goes back there. What goes up the ledger sees to. */
typedef enum err (*ledger_route_fn)(void *arg, struct db *db, const struct arrival *list, size_t n,
                                    const char *from, struct arena *a, struct errmsg *e);

struct ledger {
    char site[13];
    char origin[EVENT_ORIGIN_MAX + 1]; /* what this site appends under */
    char parent[13]; /* everything goes up there that did not come from there; "": nowhere */
    const struct host *host; /* clocks, randomness */
    uint64_t hlc_last;       /* the newest clock given out or followed */
    ledger_apply_fn apply;   /* or NULL: nothing is folded */
    ledger_route_fn route;   /* or NULL: nobody hears of it */
    void *arg;               /* of both */
};

/* Read the last clock and the name of the own chain. parent, apply and route are set by the caller
 * after. */
MUST_USE enum err ledger_open(struct ledger *l, struct db *db, const char *site,
                              const struct host *host, struct errmsg *e);

/* What is to be said. */
struct said {
    const char *kind;          /* "case.filed/1" */
    const char *dossier;       /* NULL or "": none */
    const char *street;        /* 12 digits: of the dossier, or of the place that a fact is about */
    const char *actor;         /* NULL or "": a resident or the program */
    unsigned flags;            /* EVENT_CRITICAL or 0; the others follow from what is given */
    const struct json *record; /* stays for ever */
    const struct json *personal; /* may be taken away later; NULL: there is none */
    const unsigned char *seed;   /* 32 bytes: sign with it; NULL: no signature of its own */
};

/**
 * ledger_append(l, db, s, ret_seq, e):
 * Give what is said the next seq and clock of this site and, if it has a personal part, 16 random
 * bytes of salt; chain, store, apply, route.
 *
 * Owns    All of ${s} stays the caller's. ${ret_seq} may be NULL.
 * Errors  ERR_BUSY: the own past is being recalled. ERR_INVALID: apply() says that it does not
 *         fit, or record and personal part are longer than EVENT_TEXT_BYTES_MAX. Others of the
 *         store. Nothing may be kept of a transaction in which it failed.
 */
MUST_USE enum err ledger_append(struct ledger *l, struct db *db, const struct said *s,
                                uint64_t *ret_seq, struct errmsg *e);

/**
 * ledger_receive(l, db, from, list, n, a, e):
 * Store, apply and route the events of ${list} that are not here yet. From a child only origins of
 * its subtree, without gaps; from the parent in any selection.
 *
 * Shapes  list[0 .. n) in the order of the peer's outbox. got, state and why of each are set.
 * Owns    The texts of ${list} live as long as ${a}.
 * Order   All are stored before any is applied, all are applied before any is routed.
 * Errors  ERR_PEER: the peer broke the rules. ERR_WITHHELD: a child shows an event without its
 *         personal part and nothing explains that. Of both nothing may be kept. Others of the
 * store. Source  protocol.md 2: "From a child come only origins of its own subtree, each without
 * gaps"
 */
MUST_USE enum err ledger_receive(struct ledger *l, struct db *db, const char *from,
                                 struct arrival *list, size_t n, struct arena *a, struct errmsg *e);

#endif
