/* The rows of links, one per peer: names of outboxes, positions, the peer's clock. Inside a
 * transaction of the writer; link_read() and link_revoked() also in a reader's. */
#ifndef LEDGER_LINK_ROWS_H
#define LEDGER_LINK_ROWS_H

#include "base/host.h"
#include "db/db.h"

struct link_state {
    unsigned char stream[16];      /* names our outbox */
    unsigned char peer_stream[16]; /* the one that recv_pos counts in; zeros: none yet */
    uint64_t head_pos;             /* the end of our outbox */
    uint64_t acked_pos;            /* the peer holds it up to here */
    uint64_t recv_pos;             /* we hold the peer's up to here */
    int64_t last_contact_ms;       /* Unix ms; 0: never */
    int64_t skew_ms;               /* the peer's wall clock minus ours, when it was compared last */
    bool is_parent;                /* the peer is our parent */
};

/* Make the link (role 'parent' or 'child') unless it is there. */
MUST_USE enum err link_add(struct db *db, const char *peer, const char *role,
                           const struct host *host, struct errmsg *e);
/* A restored site names its outboxes anew: what it gave out in its forgotten past counts no more.
 */
MUST_USE enum err link_rename_all(struct db *db, const struct host *host, struct errmsg *e);
/* ERR_NOT_FOUND: no such link. */
MUST_USE enum err link_read(struct db *db, const char *peer, struct link_state *ret,
                            struct errmsg *e);
/* A child that is not to be let in any more, whatever certificate it shows, until it is enrolled
 * again (link_add). ERR_NOT_FOUND: no such child. */
MUST_USE enum err link_revoke(struct db *db, const char *peer, struct errmsg *e);
MUST_USE enum err link_revoked(struct db *db, const char *peer, bool *ret, struct errmsg *e);
/* We hold the peer's outbox `stream` up to pos, as of this transaction. ERR_CONFLICT: it was not
 * held up to prev_pos before (another stream counts as 0), so the batch came behind one that
 * failed. */
MUST_USE enum err link_received(struct db *db, const char *peer, const unsigned char stream[16],
                                uint64_t prev_pos, uint64_t pos, int64_t now_ms, struct errmsg *e);
/* From now on the peer's outbox is `stream`; when it was another one, we hold nothing of it yet. */
MUST_USE enum err link_named(struct db *db, const char *peer, const unsigned char stream[16],
                             struct errmsg *e);
/* The peer holds our outbox up to pos. ERR_PEER: beyond what was given out. Never goes back. */
MUST_USE enum err link_acked(struct db *db, const char *peer, uint64_t pos, int64_t now_ms,
                             struct errmsg *e);
MUST_USE enum err link_skewed(struct db *db, const char *peer, int64_t skew_ms, struct errmsg *e);

#endif
