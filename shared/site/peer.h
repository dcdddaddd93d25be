/* One open connection to another site, and where to find it. It outlives its socket for as long as
 * a task names it. Private to this floor; loop thread only. */
#ifndef SITE_PEER_H
#define SITE_PEER_H

#include "site/inside.h"

#define REFUSED_MAX 256 /* papers remembered as refused, per connection */

struct peer {
    struct site *site;    /* its owner; never NULL */
    struct peer *beside;  /* the next on its shelf */
    int at;               /* site->peers[at].peer is this */
    struct link_end x;    /* who the peer is */
    struct ws *ws;        /* NULL: the connection has ended */
    char fingerprint[65]; /* of the child's certificate; "": the peer is our parent */
    bool replaced;        /* that certificate is not the child's newest */
    struct link *link;    /* the engine; NULL until the store has opened the link */
    bool up;              /* both hellos are through */
    bool offends;         /* it has said too much that is never its to say: the link ends */
    uint64_t head_pos;    /* our outbox for it ends here, as far as the engine was told */
    int jobs;             /* tasks that name it */

    struct buf waiting;     /* frames that came before the link was opened, or are held: u32 length,
                               bytes */
    bool held;              /* in site->held */
    struct peer *held_next; /* behind it there */
    int64_t heard_ms;       /* monotonic: when a frame came last */
    int64_t said_ms;        /* monotonic: when one was sent last */

    struct link_end_recall_state recall; /* of the parent's link; the writer's while `recalling` */
    bool recalling;                      /* a task looks how far the past is back */

    struct sent_head {
        char origin[25];             /* whose chain */
        uint64_t seq;                /* how long */
        unsigned char signature[64]; /* another one at the same place: that site was made anew */
    } * heads;                       /* shown to this peer already: heads[0 .. head_count) */
    int head_count;
    unsigned char (*refused)[32]; /* papers that the peer does not have: refused[0 ..
                                     refused_count), room for refused_cap */
    int refused_count, refused_cap;

    struct {
        int64_t asked_ms;  /* monotonic, when the promise was asked for; 0: there is none */
        int64_t now_ms;    /* the lease clock, not earlier than at asked_ms */
        int64_t at_ms;     /* the lease clock when it was promised */
        int64_t length_ms; /* how long it holds */
        uint64_t pos;      /* where our outbox ended then */
        bool renew;        /* make it again at the next tick */
        int64_t answer_ms; /* the child's clock in a question that this promise answers; 0: none */
    } promise;             /* of ours to a child (protocol.md 6) */
};

/* The clocks and dice of its site. */
const struct host *peer_host(const struct peer *p);

/* The connection of the site `code` whose socket is open, or NULL. */
struct peer *peer_find(struct site *s, const char *code);

/* peer_add(s, p): list p, whose x.peer is set and which is in no list, under its code.
 * Owns  s, until peer_release(). */
void peer_add(struct site *s, struct peer *p);

/* Free it when neither its socket, nor a task, nor the list of the held names it; else do nothing.
 * Papers that were on their way by it are free to be fetched from others. */
void peer_release(struct peer *p);

/* Say when it is ticked next (protocol.md 8): when something must be said, or it counts as dead. */
void peer_rest(struct peer *p);

/* Forget among site->fetching those that have come, or will not. */
void peer_fetched(struct site *s);

#endif
