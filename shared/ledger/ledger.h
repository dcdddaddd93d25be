/* The ledger: append what happens here, receive what happened elsewhere, tell who must hear of it.
 * Everything here runs inside a transaction of the writer. */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/arena.h"
#include "base/host.h"
#include "base/json.h"
#include "db/db.h"
#include "ledger/event.h"

#include <stdbool.h>

struct ledger;

enum received { RECEIVED_NEW, RECEIVED_DUPLICATE, RECEIVED_ASIDE };

/* An event on its way into the ledger. */
struct arrival {
    struct event ev;
    struct json *body; /* parsed already, borrowed; NULL: not yet, or it is no JSON */
    enum received got;
    const char *why; /* why it does not fit; NULL: it does. Lives as long as the batch's arena */
    bool alone; /* apply() to route(): of its case nothing is here but what came in this batch */
    /* What may be made of a batch before its turn comes, on another thread; zeros: nothing was. */
    struct event_encoding encoding; /* of each */
    const void *ahead; /* of the first: what apply() and route() know of the whole batch */
};

/* Fold the events of list that are RECEIVED_NEW, and stored already, into the projections; any
 * order that gives the same rows will do. Local (one event): ERR_INVALID when it does not fit, e
 * says why. Received: the `why` of one that does not fit is set and it becomes RECEIVED_ASIDE.
 * Anything else fails the whole transaction. */
typedef enum err (*ledger_apply_fn)(void *arg, struct db *db, struct arrival *list, size_t n,
                                    bool local, struct arena *a, struct errmsg *e);
/* Enqueue (ledger_enqueue...) what is not RECEIVED_DUPLICATE for every child that must get it.
 * `from` is the link by which it came, or NULL: an event never goes back there. What goes up the
 * ledger sees to. */
typedef enum err (*ledger_route_fn)(void *arg, struct db *db, const struct arrival *list, size_t n,
                                    const char *from, struct arena *a, struct errmsg *e);

/* A site that is made anew or restored may have forgotten events of its own which its parent holds:
 * it appends nothing until they are back (protocol.md 7). */
MUST_USE enum err ledger_recall_begin(struct db *db, struct errmsg *e);
MUST_USE enum err ledger_recalling(struct db *db, bool *ret, struct errmsg *e);
/* The own chain and the parent's are the same up to where ours ends: from now on own events are
 * taken from the parent, in order. Before (and without a recall) they are passed over. */
MUST_USE enum err ledger_recall_agreed(struct db *db, struct errmsg *e);
MUST_USE enum err ledger_recall_takes(struct db *db, bool *ret, struct errmsg *e);
/* numbers_after: see office number blocks; 0: nothing was forgotten. */
MUST_USE enum err ledger_recall_end(struct db *db, uint64_t numbers_after, struct errmsg *e);

struct ledger {
    char site[13];
    char origin[25]; /* what this site appends under */
    char parent[13]; /* everything goes up there that did not come from there; "": nowhere */
    const struct host *host;
    uint64_t hlc_last; /* the newest clock given out or followed */
    ledger_apply_fn apply;
    ledger_route_fn route;
    void *arg; /* of both */
};

/* Read the last clock and the name of the own chain. parent, apply and route are set by the caller
 * after. */
MUST_USE enum err ledger_open(struct ledger *l, struct db *db, const char *site,
                              const struct host *host, struct errmsg *e);

/* Give ev the next seq and hlc of this site, chain, store, apply, route. body stays the caller's.
 */
MUST_USE enum err ledger_append(struct ledger *l, struct db *db, const char *kind,
                                const char *case_no, const char *street, const char *actor,
                                const struct json *body, uint64_t *ret_seq, struct errmsg *e);

/* ledger_receive(l, db, from, list, n, a, e):
 * Store, apply and route the events of list that are not here yet. From a child only origins of its
 * subtree, without gaps; from the parent in any selection.
 *
 * Shapes  list[0 .. n), in the order of the peer's outbox; each got, and for what was set aside
 * why, is set. Owns    The texts of list live as long as a. Order   All are stored before any is
 * applied, all are applied before any is routed. Errors  ERR_PEER: the peer broke the rules;
 * nothing may be kept. Others of the store. Source  protocol.md 2: "From a child come only origins
 * of its own subtree, each without gaps from seq 1". */
MUST_USE enum err ledger_receive(struct ledger *l, struct db *db, const char *from,
                                 struct arrival *list, size_t n, struct arena *a, struct errmsg *e);

/* Put the whole history of a case, as far as it is held here, into the outbox of peer (a child, as
 * below), once. */
MUST_USE enum err ledger_enqueue_case(struct ledger *l, struct db *db, const char *peer,
                                      const char *case_no, struct errmsg *e);
/* One event at the end of the outbox, also when it was given out before: the peer has forgotten it.
 */
MUST_USE enum err ledger_enqueue_again(struct ledger *l, struct db *db, const char *peer,
                                       const char *origin, uint64_t seq, struct errmsg *e);
/* Likewise one event (for what a new child must know). */
MUST_USE enum err ledger_enqueue(struct ledger *l, struct db *db, const char *peer,
                                 const char *origin, uint64_t seq, struct errmsg *e);

/* seq 0 and zeros for an origin that is not held from its beginning. */
MUST_USE enum err ledger_head(struct db *db, const char *origin, uint64_t *ret_seq,
                              unsigned char hash[32], struct errmsg *e);

/* The hash of one event held here; ERR_NOT_FOUND. seq 0: zeros. */
MUST_USE enum err ledger_hash_at(struct db *db, const char *origin, uint64_t seq,
                                 unsigned char hash[32], struct errmsg *e);
/* The own events behind seq become the first of a new epoch: the past behind it was forgotten and
 * is another's. l->origin is the new one afterwards; outboxes name it. */
MUST_USE enum err ledger_new_epoch(struct ledger *l, struct db *db, uint64_t seq, struct errmsg *e);

/* A head as its origin signed it: Ed25519 over "doorstep.head.1" || origin || seq (8 bytes) ||
 * hash. */
void ledger_sign_head(const unsigned char seed[32], const char *origin, uint64_t seq,
                      const unsigned char hash[32], unsigned char sig[64]);
/* Check a signed head against the chain held here and remember it. ERR_PEER: wrong signature, or
 * another hash at that seq (the origin's past was rewritten). An unknown key: OK, not remembered.
 */
MUST_USE enum err ledger_witness(struct db *db, const char *origin, uint64_t seq,
                                 const unsigned char hash[32], const unsigned char sig[64],
                                 struct errmsg *e);
/* The key of a site, in all its epochs. Another than before: what was signed with that is
 * forgotten. */
MUST_USE enum err ledger_key_set(struct db *db, const char *site, const unsigned char key[32],
                                 struct errmsg *e);

/* The event in the columns first, first+1 ...: origin, seq, hlc, kind, case_no, street, actor,
 * body. Texts are the statement's: good until its next step. */
struct event ledger_row(struct stmt *st, int first);

/* The events of a case ("": those of none) in the order (hlc, origin, seq). fn failing ends the
 * walk. */
MUST_USE enum err ledger_each(struct db *db, const char *case_no,
                              enum err (*fn)(void *arg, const struct event *ev, struct errmsg *e),
                              void *arg, struct errmsg *e);

/* Walk every complete chain: gaps, hashes, heads, signatures. ERR_CORRUPT names the first fault. */
MUST_USE enum err ledger_verify(struct db *db, int64_t *ret_events, struct errmsg *e);

#endif
