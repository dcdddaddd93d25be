/* What the files of this floor share. Private. */
#ifndef SITE_INSIDE_H
#define SITE_INSIDE_H

#include "base/arena.h"
#include "net/http.h"
#include "net/ws.h"
#include "site/exchange.h"
#include "site/folder.h"
#include "site/site.h"
#include "sync/link.h"

#include <stdatomic.h>

struct peer;

#define PEER_SHELVES 1024
#define GLANCE_READERS 6

/* What is looked up for the links each second, and when something was written. */
struct glance {
    struct job job;
    struct site *site;
    struct arena *arena;
    bool whole; /* also what only the parent is told, and what is unsent there */
    bool heads_wanted;
    char (*revoked)[13]; /* in arena */
    int revoked_count;
    struct glance_link {
        char peer[13];
        uint64_t head_pos;
    } * links; /* those with something that the peer has not acknowledged; none when nothing was
                  written since the last look */
    int link_count, link_cap;
    struct exchange_paper_row *wanted, *unsent;
    int wanted_count, unsent_count;
    struct exchange_head_row *heads;
    int head_count;
    struct json *link; /* of the status, when there is a parent */
};

struct site {
    struct folder folder;
    struct office office;
    struct db *boot_db; /* only while opening */
    struct store *store;
    struct blob_dir *blobs;
    struct loop *loop;
    struct timer *tick, *redial;
    int lock_fd;
    bool stopping;
    char cert[1100], key[1100], ca[1100], parent_host[256];
    int parent_port;
    /* links */
    struct seat {
        struct peer *peer;
        int64_t due_ms; /* nothing is to be done for it before, while nothing comes */
    } * peers;          /* open connections, in any order */
    int peer_count, peer_cap;
    struct peer *shelf[PEER_SHELVES]; /* the same, by site code */
    struct arena *turn;               /* of one step of a link */
    size_t store_bytes;               /* of events on their way into the store */
    struct peer *held, **held_end;    /* those that wait until these are fewer, the first first */
    struct fetching {
        struct peer *peer;
        unsigned char digest[32];
    } * fetching; /* papers on their way here */
    int fetching_count, fetching_cap;
    struct ws_client *uplink;
    int64_t backoff_ms, backoff_before_ms; /* before the link came up */
    bool up;                               /* to the parent */
    atomic_ullong up_head; /* where the outbox to the parent ends, as of the writer's last COMMIT */
    uint64_t up_head_next; /* writer only: as of the next one */
    int stepping;          /* an engine's effects are being carried out: they point into `turn` */
    char last_reason[256]; /* why the link to the parent ended last */
    bool reason_said; /* ... in the words of one of the two sites: the connection's own say less */
    struct ws_endpoint endpoint;
    struct route routes[1];
    bool glancing, glance_again;
    int ticks;
    struct json *link; /* of the status, as of the last second */
    struct {
        struct db *db;
        int64_t version;
    } seen[GLANCE_READERS]; /* what each reader's connection saw last; only the one glance under way
                               looks here */
    bool show_heads;        /* the link to the parent is new */
    void (*on_case)(void *arg, const char *case_no);
    void *on_case_arg;
};

/* replica.c */
MUST_USE enum err replica_start(struct site *s, struct errmsg *e);
void replica_stop(struct site *s);
void replica_finish(struct site *s); /* after loop_destroy() */
void replica_tick(struct site *s);
/* The answers of a glance are given to the links. */
void replica_glanced(struct site *s, struct glance *g);
/* Something may have been written: what goes up need not wait for a glance. */
void replica_up(struct site *s);
void replica_add_status(struct site *s, struct json *status);

/* site.c */
void site_glance(struct site *s, bool whole);

#endif
