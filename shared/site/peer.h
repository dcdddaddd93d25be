/* One open connection and the jobs it has under way: what the files of the replication share.
 * Private.
 *
 *   links.c    sockets: who connects, who is dialled, frames that come in
 *   peer.c     one peer: a step of its engine
 *   effects.c  what the engine asks for becomes a store job, what the job answers goes back in
 *   leases.c   recalls.c   papers.c    the jobs of protocol.md 6, 7 and 5
 *   replica.c  ticks, and what a glance at the database has found
 *
 *   socket frame -> IN_FRAME -> effects -> jobs -> IN_... -> effects -> socket frame */
#ifndef SITE_PEER_H
#define SITE_PEER_H

#include "db/store.h"
#include "site/inside.h"

#define REFUSED_MAX 256
#define BACKOFF_MS_MIN 500 /* before the parent is dialled again; doubled each time */

struct peer {
    struct site *site;
    struct peer *beside;  /* on its shelf */
    int at;               /* in site->peers */
    struct exchange x;    /* who the peer is */
    struct ws *ws;        /* NULL: the connection has ended */
    char fingerprint[65]; /* of the child's certificate; "": the peer is our parent */
    bool replaced;        /* that certificate is not the child's newest */
    struct link *link;
    struct buf
        waiting; /* frames that came before the link was opened, or are held: u32 length, bytes */
    struct peer *held_next;
    bool held; /* in site->held */
    int64_t heard_ms, said_ms;
    int jobs;
    bool up;
    struct exchange_recall_state recall;
    bool recalling; /* a step is under way */
    uint64_t head_pos;
    struct sent_head {
        char origin[25];
        uint64_t seq;
        unsigned char
            signature[64]; /* of others; another one at the same place: the site was made anew */
    } * heads;             /* shown to this peer already */
    int head_count;
    unsigned char (*refused)[32]; /* papers that the peer does not have */
    int refused_count, refused_cap;
    struct {
        int64_t asked_ms; /* on our clock, when the promise was asked for; 0: there is none */
        int64_t now_ms;   /* the lease clock, not earlier than at asked_ms */
        int64_t at_ms, length_ms;
        uint64_t pos; /* where our outbox ended then */
        bool renew;
        int64_t answer_ms; /* the child's clock in a question that this promise answers; 0: none */
    } promise;
};

/* One job for a peer. */
struct task {
    struct job job;
    struct peer *peer;
    struct link_effect fx; /* what asked for it; pointers are copies in `arena` */
    struct arena *arena;
    struct link_input in; /* the answer */
    struct buf bytes;
    struct sync_event *events;
    struct exchange_batch batch;
    bool here; /* or: ask */
    size_t store_bytes;
    int64_t asked_ms; /* a promise: our clock before */
};

typedef enum err run_fn(struct job *job, struct db *db, struct errmsg *e);
typedef void done_fn(struct job *job);

/* peer.c */
const struct host *peer_host(const struct peer *p);
/* Give an input to the engine and do what it asks for. */
void peer_step(struct peer *p, struct link_input *in);
struct peer *peer_find(struct site *s, const char *code); /* of the open connections; NULL */
void peer_add(struct site *s, struct peer *p);
void peer_remove(struct site *s, struct peer *p);
/* Free it when neither its socket nor a job names it. */
void peer_release(struct peer *p);
/* When it is ticked next: protocol.md 8. */
void peer_rest(struct peer *p);

/* effects.c */
void effects_do(struct peer *p, const struct link_effects *fx);
struct task *task_new(struct peer *p, const struct link_effect *fx, run_fn *run, done_fn *done);
void task_end(struct task *t);
/* A job for fx on the writer or a reader; the bytes of fx are copied. */
void task_start(struct peer *p, const struct link_effect *fx, run_fn *run, done_fn *done,
                bool write);
done_fn task_plain_done; /* logs a failure; closes the link of a peer that broke the rules */

/* leases.c */
void lease_asked(struct peer *p, const struct link_effect *fx);
void lease_answered(struct peer *p, const struct link_effect *fx);
/* A promise that is due is made again, ahead of the next question. */
void lease_renew(struct peer *p);
bool lease_answer_ready(struct peer *p, struct link_input *ret);

/* recalls.c */
void recall_asked(struct peer *p, const struct link_effect *fx);
void recall_answered(struct peer *p, const struct link_effect *fx);
/* While this site has not got its past back: how far is it? why: FX_UP, FX_STORE, or NULL at a
 * tick. */
void recall_look(struct peer *p, const struct link_effect *why);
/* It turns out that this site was restored. */
void recall_come_back(struct peer *p, const struct link_effect *fx);

/* papers.c */
void paper_serve(struct peer *p, const struct link_effect *fx);
void paper_store(struct peer *p, const struct link_effect *fx);
void paper_refused(struct peer *p, const unsigned char digest[32]);
/* Ask for what a glance has found to be wanted; for what is left of it when a paper has come. */
void papers_fetch(struct site *s, const struct glance *g);
void papers_next(struct site *s);

/* links.c */
/* The outbox to the peer ends at head_pos now. */
void link_tell_head(struct peer *p, uint64_t head_pos);
/* The writer has room again: take in what was held back. */
void links_let_in(struct site *s);

#endif
