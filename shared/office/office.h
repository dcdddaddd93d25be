/* One site's office: its commands and queries, and how events become what people read.
 *
 *   command -> checks -> events -> ledger_append -> office_apply -> projections -> office_route ->
 * outboxes event of another site -> ledger_receive -> office_apply -> ...
 *
 * Commands run in a writer's transaction, queries in a reader's. All have one signature
 * (office_fn). */
#ifndef CASEWORK_OFFICE_H
#define CASEWORK_OFFICE_H

#include "base/host.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/problem.h"
#include "catalogue/calendar.h"
#include "db/db.h"
#include "ledger/ledger.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_LENGTH_MS (72LL * 3600 * 1000)
#define LEASE_MARGIN_MS (60LL * 1000)

/* Everything but `ledger` and the calendar stays as it is once the office is open, so that readers
 * may look. */
struct office {
    const struct host *host;
    char site[13], street[13], parent[13]; /* parent: "" for a district */
    enum tier tier;
    char name[64];
    unsigned char seed[32]; /* signs certificates and heads */
    char boot[40]; /* names this start of the machine: the monotonic clock counts from it */
    int64_t lease_base_ms, lease_base_mono_ms; /* our lease clock (as a parent) */
    int64_t lease_length_ms, lease_margin_ms;  /* 0 before office_open(): the defaults */
    char authority[33];        /* first half of the fingerprint of the tree's authority: a part of
                                  invitations */
    struct ledger ledger;      /* writer only */
    struct calendar *calendar; /* writer only */
    int64_t calendar_hlc;
    struct code_try { /* wrong hand-over codes; writer only */
        char id[32];
        int count;
        int64_t last_ms;
    } tries[64];
    int try_at;
    /* Fresh facts of the running site (link, disk) for GET /status; may be NULL. */
    struct json *(*status)(void *arg, struct db *db);
    void *status_arg;
};

struct case_news;

/* Who asks. Texts are "" when there is none. */
struct caller {
    const char *user, *name, *role; /* user "": a resident */
    const char *site;               /* the account's site; a resident's: this one */
    const char *channel;            /* online, window */
    const char *query_code;         /* a resident's */
};

/* The struct must be zero with host, site, parent, name, seed, boot set. */
MUST_USE enum err office_open(struct office *o, struct db *db, struct errmsg *e);
void office_close(struct office *o);

/* ---- commands and queries ---------------------------------------------------------------------*/
/* in: borrowed; *out: the caller's, set on OK. On an error p says what people are told; p->status
 * 0: the error is of the store and the err alone tells. */
typedef enum err office_fn(struct office *o, struct db *db, const struct caller *c,
                           const struct json *in, struct json **out, struct problem *p);

office_fn case_file, case_act;              /* commands */
office_fn case_list, case_show, case_track; /* queries */
office_fn item_list, item_show, item_import;
office_fn certificate_show, certificate_verify_token;
office_fn delivery_list, delivery_show, delivery_act;
office_fn statistics_show;
office_fn account_list;
/* in is what account_seal() has made of what an admin said. */
office_fn account_add;
/* A sign-in: session_look() finds what session_hash() needs, {salt?}, and session_open() takes what
 * that has made of in: {username, tried} -> {token, user}. ERR_BUSY: no account is here yet. */
office_fn session_look, session_open;
office_fn session_close;
office_fn site_list, repair_list, block_list;
office_fn invitation_create; /* {site, name, case_numbers?} -> {site, invitation} */

/* Put salt and hash of in's password into in, in place of it. Any thread; about 50 ms and 16 MiB.
 * ERR_INVALID with p: there is no password, or it is too short or too long. */
MUST_USE enum err account_seal(const struct host *h, struct json *in, struct problem *p);
/* Put the hash of in's password into in as "tried", in place of it, by the salt that session_look()
 * has found; "" where nothing can match. Any thread; as long for a name that nobody has. */
void session_hash(struct json *in, const struct json *found);

/* The account behind a token. Texts go into a. ERR_NOT_FOUND: none, or over. */
MUST_USE enum err session_find(struct office *o, struct db *db, const char *token,
                               struct caller *ret, struct arena *a);

bool case_visible(struct office *o, struct db *db, const struct caller *c, const char *case_no);
/* case_no may be "": then any case that names the paper counts. */
bool document_visible(struct office *o, struct db *db, const struct caller *c, const char *digest,
                      const char *case_no);

/* ---- events -----------------------------------------------------------------------------------*/
/* For struct ledger: arg is the office (ledger_apply_fn, ledger_route_fn). */
enum err office_apply(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                      struct arena *a, struct errmsg *e);
enum err office_route(void *arg, struct db *db, const struct arrival *list, size_t n,
                      const char *from, struct arena *a, struct errmsg *e);
/* What can be made of a batch before its turn comes, without a database, on any thread: its cases,
 * folded as if nothing else of them were here. list[0].ahead is set; all of it lives in a. */
struct office_ahead {
    const char **cases; /* case numbers, each once, in the order of ahead->news */
    size_t case_count;
    struct case_news *news;
};
const struct office_ahead *office_ahead(struct arrival *list, size_t n, struct arena *a);
/* Drop every projection and fold all events again. */
MUST_USE enum err office_rebuild(struct office *o, struct db *db, struct errmsg *e);
/* SHA-256 over all rows of all projections, in hex. */
MUST_USE enum err office_digest(struct db *db, char out[65], struct errmsg *e);

/* ---- the tree ---------------------------------------------------------------------------------*/
/* A district tells itself of itself, and leases itself its numbers. Once, in an empty ledger. */
MUST_USE enum err office_found(struct office *o, struct db *db, struct errmsg *e);
/* A one-time secret for a child; *secret is 32 hex digits. ERR_INVALID: not a child of this site.
 */
MUST_USE enum err invitation_make(struct office *o, struct db *db, const char *site,
                                  const char *name, int64_t case_numbers, char secret[33],
                                  struct problem *p, struct errmsg *e);
/* Use it up. ERR_DENIED: wrong, used or expired; p says so. */
MUST_USE enum err invitation_use(struct office *o, struct db *db, const char *site,
                                 const char *secret, char name[64], int64_t *ret_case_numbers,
                                 struct problem *p, struct errmsg *e);
/* Take the child in: its link, its key, its numbers, and all that it must know. */
MUST_USE enum err office_enrol(struct office *o, struct db *db, const char *site, const char *name,
                               const char *public_key_hex, int64_t case_numbers, struct errmsg *e);
/* A street looks after the numbers of a child: another block before one is used up. */
MUST_USE enum err office_top_up(struct office *o, struct db *db, const char *child,
                                struct errmsg *e);

/* A child that has forgotten a part of its past gets new blocks of every kind it had. */
MUST_USE enum err number_lease_anew(struct office *o, struct db *db, const char *child,
                                    struct errmsg *e);

/* ---- leases -----------------------------------------------------------------------------------*/
/* What a CLOCK frame says: ms on the parent's lease clock, and where its outbox to the child ended.
 */
struct lease_promise {
    int64_t now_ms, promised_ms, length_ms;
    uint64_t pos;
};
/* Parent: promise again; durable with this transaction. */
MUST_USE enum err lease_promise(struct office *o, struct db *db, const char *child,
                                struct lease_promise *ret, struct errmsg *e);
/* Child: what the parent answered to a question asked at asked_mono_ms. */
MUST_USE enum err lease_keep(struct office *o, struct db *db, int64_t asked_mono_ms,
                             const struct lease_promise *p, struct errmsg *e);
/* Child: before the first byte goes over a link, everything may have been seen by the parent; after
 * it, what is appended has not. Both durable before they are relied on. */
MUST_USE enum err lease_link_opens(struct db *db, struct errmsg *e);
MUST_USE enum err lease_link_closed(struct office *o, struct db *db, struct errmsg *e);
/* Child: only once everything is here that the parent had said before it promised: a case may have
 * been taken back. */
bool lease_held(struct office *o, struct db *db);
/* May this site decide this case of its custody now? A case that the parent can never have seen
 * needs no lease. A street and a district always may: nobody takes a case back from them. */
bool lease_covers(struct office *o, struct db *db, const char *case_no);
/* Parent, restored: what it promised last is forgotten, so every lease counts as promised now. */
MUST_USE enum err lease_renew_all(struct office *o, struct db *db, struct errmsg *e);
/* Parent: has the lease of this child run out, margin and all? */
bool lease_over(struct office *o, struct db *db, const char *child);

#endif
