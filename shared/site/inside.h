/* The site that serves, as its own files see it. Private to this floor.
 *
 * Who calls whom, each only downwards:
 *
 *   site       opens, closes, ticks              sync_http  enrolment on the sync port
 *   links      sockets: who connects, who is dialled
 *   replica    ticks, what a glance has found, and settling: what is left to do after each turn
 *   glance     what is looked up for the links
 *   frames     frames that wait for room         fetch  which papers, and from whom
 *   step       a step of one engine: its effects become tasks, answers of tasks go back into it
 *   feed  leases  recalls  papers                the kinds of tasks (protocol.md 3, 6, 7, 5)
 *   task       one job for one peer
 *   peer       one open connection, and where to find it */
#ifndef SITE_INSIDE_H
#define SITE_INSIDE_H

#include "base/arena.h"
#include "db/store.h"
#include "net/http.h"
#include "net/ws.h"
#include "office/office.h"
#include "site/link_end.h"
#include "site/folder.h"
#include "site/site.h"

#include <stdatomic.h>

#define PEER_SHELVES 1024  /* of open connections, by site code */
#define GLANCE_READERS 6   /* the most readers a store is opened with */
#define BACKOFF_MS_MIN 500 /* before the parent is dialled again; doubled each time */

struct glance;
struct peer;
struct task;

/* What is asked to be looked up for the links: bits of site.look. */
enum {
    LOOK_OUTBOXES = 1, /* something was written: what goes to whom? what is wanted? */
    LOOK_WHOLE = 2 /* also what only the parent is told: heads, papers, the status of the link */
};

struct site {
    struct folder folder;   /* who we are, and where */
    struct office office;   /* ours; any thread reads it */
    struct store *store;    /* NULL: not open yet, or closed again */
    struct blob_dir *blobs; /* papers by digest */
    struct loop *loop;      /* the caller's; outlives the site */
    struct timer *tick;     /* every second; NULL: stopped */
    int lock_fd;            /* of folder_lock(); -1: none */
    bool stopping;          /* site_stop() was called: nothing new is begun */
    int ticks;              /* how many there were */
    char cert[1100];        /* path of keys/site.crt */
    char key[1100];         /* path of keys/site.key */
    char ca[1100];          /* path of keys/ca.crt */
    bool catching_up;       /* site_catching_up() */
    /* site_on_dossier()'s, with on_dossier_arg; NULL: nobody asks */
    void (*on_dossier)(void *arg, const char *id);
    void *on_dossier_arg;

    /* ---- connections: peer.c */
    struct seat {
        struct peer *peer; /* never NULL */
        int64_t due_ms;    /* monotonic; nothing is to be done for it before, while nothing comes */
    } * peers;             /* open connections, in any order: peers[0 .. peer_count) */
    int peer_count, peer_cap;
    struct peer *shelf[PEER_SHELVES]; /* the same, by site code */
    struct fetching {
        struct peer *peer;        /* by which link it comes */
        unsigned char digest[32]; /* of the paper */
    } * fetching;                 /* papers on their way here: fetching[0 .. fetching_count) */
    int fetching_count, fetching_cap;

    /* ---- tasks and steps: task.c, step.c */
    struct task *finished;      /* what the store has done, not yet answered; oldest first */
    struct task **finished_end; /* where the next one goes */
    struct arena *turn;         /* memory of one step of an engine */
    size_t store_bytes;         /* of events on their way into the store */
    struct peer *held;          /* peers whose frames wait until these are fewer */
    struct peer **held_end;     /* where the next one goes */
    unsigned look;              /* LOOK_ bits: asked for since the last glance began */
    bool settling;              /* replica_settle() is at work */
    bool offended;              /* a peer offends */

    /* ---- the link to the parent: links.c, replica.c */
    char parent_host[256];    /* where to dial; "" without a parent */
    int parent_port;          /* 1 .. 65535 */
    struct ws_client *uplink; /* NULL: no parent, or stopped */
    struct timer *redial;     /* NULL: not waiting */
    int64_t backoff_ms;       /* the next wait; BACKOFF_MS_MIN .. BACKOFF_MS_MAX */
    int64_t backoff_kept_ms;  /* what it was when the link came up */
    bool up;                  /* both hellos are through */
    bool show_heads;          /* the link is new: show the heads though nothing was written */
    char last_reason[256];    /* why it ended last; "": it is up, or never was */
    bool reason_said;      /* ... in the words of one of the two sites: the connection says less */
    atomic_ullong up_head; /* where the outbox to the parent ends, as of the last COMMIT */
    uint64_t up_head_next; /* writer thread only: as of the next one */

    /* ---- glances: glance.c */
    bool glancing;          /* one is under way, or has ended and was not taken */
    struct glance *glanced; /* the one that has ended; NULL: none */
    struct json *link;      /* of the status, as of the last whole glance; NULL: none yet */
    struct {
        struct db *db;      /* NULL: free */
        int64_t version;    /* PRAGMA data_version as that connection saw it last */
    } seen[GLANCE_READERS]; /* only the one glance under way looks here, on its reader's thread */

    struct ws_endpoint endpoint; /* what links_endpoint() gives out */
    struct route routes[1];      /* what sync_http_routes() gives out */
};

#endif
