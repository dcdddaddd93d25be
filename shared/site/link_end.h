/* One site's end of a link: what each effect of the engine does to its store. Plain functions in a
 * transaction (or beside one, for papers), without sockets, threads or clocks of their own. feed.c and
 * its neighbours call them from tasks; the simulator calls them too. */
#ifndef SITE_LINK_END_H
#define SITE_LINK_END_H

#include "base/arena.h"
#include "office/office.h"
#include "ledger/blob.h"
#include "ledger/chain.h"
#include "ledger/link_rows.h"
#include "ledger/outbox.h"
#include "ledger/recall.h"
#include "sync/link.h"

struct link_end {
    struct office *office;  /* ours; the caller's */
    struct blob_dir *blobs; /* ours; the caller's */
    char peer[13];          /* the site at the other end */
    bool is_parent;         /* the peer is our parent */
    int64_t skew_ms;        /* of its clock, as the link's row has it; set by link_end_open() */
};

/* Of all below:
 * Order   In one transaction, of a writer or a reader as the headings say.
 * Errors  Those of the database, and what is said beside. */

/* ---- writer -----------------------------------------------------------------------------------*/
/* Before the link's first byte: the state for IN_OPENED. ERR_NOT_FOUND: the peer is not enrolled
 * here; ERR_DENIED: it was revoked. */
MUST_USE enum err link_end_open(struct link_end *x, struct db *db, struct link_input *ret,
                                struct errmsg *e);
/* After its last. */
MUST_USE enum err link_end_closed(struct link_end *x, struct db *db, struct errmsg *e);

/* A batch, and what it has touched. Zero at the beginning; its memory is an arena's. */
struct link_end_batch {
    bool prepared;         /* link_end_prepare() was there */
    enum err err;          /* of preparing: what came are no events */
    struct errmsg msg;     /* its sentence */
    struct arrival *list;  /* what came: list[0 .. count) */
    size_t count;          /* as far as it could be read */
    const char **dossiers; /* ids, each once: dossiers[0 .. dossier_count) */
    size_t dossier_count;
    bool offends; /* the peer has said too much that is never its to say: close the link */
    unsigned char (*here)[32]; /* papers of them that are here already: here[0 .. here_count) */
    int here_count;
};
/* Read what an FX_STORE brought. Needs no database: may be done before, on another thread. */
void link_end_prepare(const struct link_end *x, const struct link_effect *fx, struct arena *a,
                      struct link_end_batch *ret);
/* FX_STORE; prepares by itself what was not. ERR_PEER: the peer broke the rules. */
MUST_USE enum err link_end_store(struct link_end *x, struct db *db, const struct link_effect *fx,
                                 struct arena *a, struct link_end_batch *b, struct errmsg *e);
/* Two sites whose clocks differ by more than two minutes: people are told. */
bool link_end_skew_shown(int64_t skew_ms);
/* FX_UP, FX_SKEW, when it differs from what the row has by a second or more. */
MUST_USE enum err link_end_skew(struct link_end *x, struct db *db, int64_t skew_ms,
                                struct errmsg *e);
/* FX_ACKED: the peer holds our outbox durably up to pos. */
MUST_USE enum err link_end_acked(struct link_end *x, struct db *db, uint64_t pos, struct errmsg *e);
/* FX_ASK_LEASE: fills the answer IN_LEASE. */
MUST_USE enum err link_end_ask_lease(struct link_end *x, struct db *db, struct link_input *ret,
                                     struct errmsg *e);
/* FX_LEASE: keep what the parent has promised. */
MUST_USE enum err link_end_lease(struct link_end *x, struct db *db, const struct link_effect *fx,
                                 struct errmsg *e);
/* FX_HEAD: a signed head is witnessed. ERR_PEER: it cannot be. */
MUST_USE enum err link_end_head(struct link_end *x, struct db *db, const struct link_effect *fx,
                                struct errmsg *e);
/* This site was restored, or finds that it was: name the outboxes anew, recall, promise every lease
 * again. */
MUST_USE enum err link_end_come_back(struct office *o, struct db *db, struct errmsg *e);
/* FX_RECALL: fills the answer IN_RECALLED, and puts what is behind into the child's outbox. */
MUST_USE enum err link_end_recall(struct link_end *x, struct db *db, const struct link_effect *fx,
                                  struct link_input *ret, struct errmsg *e);
/* The child's side of a recall, one per connection. Begin with zeros. */
struct link_end_recall_state {
    bool asked;      /* the first question was put */
    bool known;      /* the parent's head is `target` */
    bool done;       /* there is nothing to recall any more */
    char past[25];   /* the epoch whose rest is awaited, when a new one was begun; else "" */
    bool asked_past; /* `past` was asked for, and the answer has not come yet */
    int waited;      /* looks since anything was asked */
    uint64_t agreed; /* our chain is the parent's up to here */
    uint64_t forked; /* ... and is not from here on; 0: not found to be */
    uint64_t target; /* the past is back when the chain reaches so far */
    uint64_t hlc;    /* numbers leased up to here are used no more; 0: all may be used */
    uint64_t feed;   /* the past reaches so far in the feed */
};
/* What to do now: *ret_ask says that ret holds the next IN_RECALL. When the own chain has reached
 * the parent's, the recall is over. Call when the link is up (fx: FX_UP), at ticks (fx: NULL),
 * after each FX_RECALLED, and when an FX_STORE is stored (fx). */
MUST_USE enum err link_end_recall_step(struct link_end *x, struct db *db,
                                       struct link_end_recall_state *s,
                                       const struct link_effect *fx, struct link_input *ret,
                                       bool *ret_ask, struct errmsg *e);
/* FX_HAVE from the parent: the paper counts as sent. */
MUST_USE enum err link_end_sent(struct link_end *x, struct db *db, const unsigned char digest[32],
                                struct errmsg *e);
/* A fetched paper is whole: say so in its row. */
MUST_USE enum err link_end_paper(struct link_end *x, struct db *db, const unsigned char digest[32],
                                 struct errmsg *e);

/* ---- reader -----------------------------------------------------------------------------------*/
/* FX_READ: the answer IN_EVENTS; its events point into bytes and list, which the caller frees. */
MUST_USE enum err link_end_read(struct link_end *x, struct db *db, const struct link_effect *fx,
                                struct buf *bytes, struct sync_event **list, struct link_input *ret,
                                struct errmsg *e);
/* FX_HAVE from a child: is it here too? */
MUST_USE enum err link_end_have(struct link_end *x, struct db *db, const unsigned char digest[32],
                                bool *ret, struct errmsg *e);

/* ---- papers; no transaction -------------------------------------------------------------------*/
/* FX_READ_CHUNK: the answer IN_CHUNK, its bytes in `bytes`. */
MUST_USE enum err link_end_read_chunk(struct link_end *x, const struct link_effect *fx,
                                      struct buf *bytes, struct link_input *ret, struct errmsg *e);
/* FX_STORE_CHUNK: the answer IN_CHUNK_STORED, without its err. When finished, link_end_paper()
 * comes first. */
MUST_USE enum err link_end_store_chunk(struct link_end *x, const struct link_effect *fx,
                                       struct link_input *ret, struct errmsg *e);

/* ---- what to do next (reader) -----------------------------------------------------------------*/
struct link_end_paper_row {
    char digest[DIGEST_TEXT_LEN + 1]; /* "sha256:" and hex */
    char from[13];                    /* the link by which its dossier came, or "" */
};
/* Papers to fetch, the urgent and the oldest first: list[0 .. *ret_count), at most max. */
MUST_USE enum err link_end_wanted(struct db *db, int max, struct link_end_paper_row *list,
                                  int *ret_count, struct errmsg *e);
/* Papers of which we do not know that the parent has them: list[0 .. *ret_count), at most max. */
MUST_USE enum err link_end_unsent(struct db *db, int max, struct link_end_paper_row *list,
                                  int *ret_count, struct errmsg *e);

struct link_end_head_row {
    char origin[25];             /* whose chain */
    uint64_t seq;                /* how long it is */
    unsigned char hash[32];      /* of its last event */
    unsigned char signature[64]; /* of its origin; not yet when `own` */
    bool own;                    /* ours: link_end_sign() signs it */
};
/* Sign an own head; nothing for others. */
void link_end_sign(const struct office *o, struct link_end_head_row *h);
/* Heads to show to the parent: our own, and those our children have signed; each only as far as the
 * parent has acknowledged (protocol.md 2). */
MUST_USE enum err link_end_heads(struct office *o, struct db *db, int max,
                                 struct link_end_head_row *list, int *ret_count, struct errmsg *e);

/* "sha256:" and 64 hex digits. */
void digest_text(const unsigned char digest[32], char out[DIGEST_TEXT_LEN + 1]);

#endif
