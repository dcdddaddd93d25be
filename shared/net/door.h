/* Who may come in: accepts connections, counts them in total and per client, lets the one that only
 * waits give way to the one that comes, and looks at everybody's patience once a second. Private to
 * this floor; loop thread. */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "net/address.h"
#include "net/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct conn_kind;
struct door;
struct guest; /* a connection that was let in */
struct loop;

/* Calls about a guest; what it is about hangs on guest_user(). on_close is the last one. */
struct guest_calls {
    void (*on_data)(struct guest *g, unsigned char *p, size_t n); /* p may be changed */
    void (*on_writable)(struct guest *g);                         /* after conn_want_write() */
    void (*on_late)(struct guest *g);  /* the time of guest_patience() is over */
    void (*on_close)(struct guest *g); /* g is gone afterwards */
};

struct door_config {
    /* where it turns, and what connections are taken as */
    struct loop *loop;
    struct conn_kind *kind;
    int fd;                /* listens; taken */
    struct limits *limits; /* counted in */
    enum limit total;      /* LIMIT_CONNECTIONS or LIMIT_SYNC_CONNECTIONS */
    bool per_client; /* LIMIT_CONNECTIONS_PER_CLIENT holds; else those of one client only give way
                         first */
    const struct network *trusted; /* proxies: no client of their own, so not counted as one */
    size_t trusted_count;
    /* who is told of a guest; on_enter sets its user and its patience */
    const struct guest_calls *calls;
    void (*on_enter)(struct guest *g, void *arg);
    void *arg;
};

/**
 * door_open(c, e):
 * Take connections from now on.
 *
 * Order   A client at its own limit, or all at theirs: the one that has waited longest without a
 *         request of its own (guest_waits()) is closed for the newcomer, of that client, or of the
 *         client with the most connections; where nobody waits, the newcomer is told 503 and
 *         closed. No descriptor left: one is told 503 by a descriptor kept for that, then the door
 *         rests for a moment, with one line in the log in five seconds.
 * Owns    The loop: it ends with it. The texts of c are copied, what it points to must live on.
 * Errors  NULL with e; c->fd is closed.
 */
struct door *door_open(const struct door_config *c, struct errmsg *e);

/* Its bytes, and whence they come. */
struct conn *guest_conn(struct guest *g);
const struct address *guest_address(const struct guest *g);
bool guest_is_proxy(const struct guest *g); /* comes from a trusted network */
/* Its owner's; on_enter sets it. */
void guest_set_user(struct guest *g, void *user);
void *guest_user(struct guest *g);
/* Another owner: the calls that follow are his. */
void guest_hand_over(struct guest *g, const struct guest_calls *calls, void *user);
/* on_late after so many seconds from now; 0: never. Good to about a second. */
void guest_patience(struct guest *g, int64_t seconds);
/* It waits for a request: it may be closed to make room. */
void guest_waits(struct guest *g, bool waits);
/* It has proved who it is: it no longer counts as one of its client's. */
void guest_is_known(struct guest *g);

#endif
