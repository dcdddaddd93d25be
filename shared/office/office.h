/* One site's office: what every kind of work needs, and no kind of work by name.
 *
 *   command -> checks -> say.h -> ledger_append -> office_apply -> rows -> office_route -> outboxes
 *   event of another site -> ledger_receive -> office_apply -> ...
 *
 * Commands run in a writer's transaction, queries in a reader's. All have one signature (office_fn). */
#ifndef OFFICE_OFFICE_H
#define OFFICE_OFFICE_H

#include "base/host.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/problem.h"
#include "db/db.h"
#include "ledger/ledger.h"
#include "office/dossier.h"
#include "office/news.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_LENGTH_MS (72LL * 3600 * 1000)
#define LEASE_MARGIN_MS (60LL * 1000)
#define OFFICE_MEMORIES_MAX 8

/* Everything but `ledger` and the memories stays as it is once the office is open, so that readers
 * may look. */
struct office {
    const struct host *host;               /* clocks, randomness */
    const struct office_work *work;        /* what this program knows: dossiers/all.h */
    char site[13], street[13], parent[13]; /* parent: "" for a district */
    enum tier tier;                        /* of site */
    char name[64];                         /* of site, for people */
    unsigned char seed[32];                /* signs certificates, facts and heads */
    char boot[40];                         /* names this start of the machine: the monotonic clock
                                                * counts from it */
    int64_t lease_base_ms, lease_base_mono_ms; /* our lease clock (as a parent) */
    int64_t lease_length_ms, lease_margin_ms;  /* 0 before office_open(): the defaults */
    char authority[33];   /* first half of the fingerprint of the tree's authority: a part of
                            * invitations */
    struct ledger ledger; /* writer only */
    /* What a floor above keeps between its commands; writer only. */
    struct office_memory {
        const void *key;         /* NULL: free */
        void *p;                 /* freed with the office */
        void (*finish)(void *p); /* or NULL */
    } memory[OFFICE_MEMORIES_MAX];
    /* Fresh facts of the running site (link, disk) for GET /status; may be NULL. */
    struct json *(*status)(void *arg, struct db *db);
    void *status_arg;
};

/* Who asks. Texts are "" when there is none. */
struct caller {
    const char *user, *name, *role; /* user "": a resident */
    const char *site;               /* the account's site; a resident's: this one */
    const char *channel;            /* online, window */
    const char *query_code;         /* a resident's */
};

/* A command or query. in: borrowed; *out: the caller's, set on OK. On an error p says what people
 * are told; p->status 0: the error is of the store and the err alone tells. */
typedef enum err office_fn(struct office *o, struct db *db, const struct caller *c,
                           const struct json *in, struct json **out, struct problem *p);

/* The struct must be zero with host, work, site, parent, name, seed, boot set. ERR_INVALID: no code
 * of a site. Others of the store. */
MUST_USE enum err office_open(struct office *o, struct db *db, struct errmsg *e);
void office_close(struct office *o);

/**
 * office_memory(o, key, bytes, finish):
 * Memory that lasts as long as the office, zeroes at first, the same for the same ${key} (an address
 * that only its owner has). finish (or NULL) gets it at the end. Writer only.
 */
void *office_memory(struct office *o, const void *key, size_t bytes, void (*finish)(void *p));

#endif
