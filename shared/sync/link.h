/**
 * One side of one link, as a function: what happened in, what to do out. No clock, socket, file,
 * thread, randomness or SQL: time is a field of the input, durability is an answer of the host.
 *
 * link_step(l, in, turn, fx):
 * Advance ${l} by ${in}; list in ${fx}, in order, what the host must now do.
 *
 * Shapes  fx->item[0 .. fx->count), count <= LINK_EFFECTS_MAX; IN_FRAME is one whole frame.
 * Units   now_ms is monotonic milliseconds, wall_ms Unix milliseconds on our own clock, both of
 *         every input; positions start at 1, contiguous per outbox.
 * Owns    The caller keeps ${in}. Effects point into ${turn}, dead after arena_reset(), or into
 *         ${in}.
 * Order   What an FX_STORE names is durable before IN_STORED is given; only then is it
 *         acknowledged.
 * Errors  None: a peer that breaks the protocol gives FX_SEND of a BYE and FX_CLOSE; then every
 *         input but IN_OPENED gives nothing.
 * Source  schema/protocol.md
 */
#ifndef SYNC_LINK_H
#define SYNC_LINK_H

#include "base/arena.h"
#include "sync/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define LINK_EFFECTS_MAX 16
#define LINK_PING_MS 20000
#define LINK_DEAD_MS 60000
#define LINK_CLOCK_MS 20000
#define LINK_WINDOW_BYTES (2 << 20) /* sent and not acknowledged, before deflating */
#define LINK_WINDOW_BATCHES 8
#define LINK_FETCHES_MAX 12 /* documents on their way at once, each way */

struct link;

struct link_config {
    char site[13], peer[13]; /* who we are, whom we mean */
    bool parent_side;        /* we are the parent on this link */
    unsigned oldest, newest; /* versions that we speak; 0: as wire.h has them */
    const void *dictionary;  /* of both deflated streams; the caller's, outlives the link */
    size_t dictionary_len;   /* bytes */
};

/* One event in its binary form; the engine does not look inside. */
struct sync_event {
    const unsigned char *bytes; /* borrowed */
    size_t len;                 /* of them */
};

enum link_input_kind {
    IN_OPENED, /* the connection stands: stream, recv_stream, pos = what we hold, head_pos;
                * recalling: our past is being given back (protocol.md 7) */
    IN_FRAME,  /* bytes */
    IN_TICK,   /* at least every second */
    IN_LOCAL,  /* our outbox ends at head_pos now */
    IN_EVENTS, /* answer to FX_READ: events, pos = position of the last; none: count 0 */
    IN_STORED, /* answer to FX_STORE: token, err */
    IN_WANTED, /* fetch a document: digest, offset = bytes that are here */
    IN_CHUNK,  /* answer to FX_READ_CHUNK: digest, offset, bytes, total; not here: total = -1 */
    IN_CHUNK_STORED, /* answer to FX_STORE_CHUNK: digest, offset = next byte, finished, err */
    IN_LEASE,    /* answer to FX_ASK_LEASE (parent side): mono_ms as asked, clock fields, pos = our
                    outbox's end */
    IN_HEAD,     /* our signed head: origin, seq, hash in digest, signature */
    IN_BYE,      /* end the link: code, reason */
    IN_RECALL,   /* child: ask whether our chain `origin` up to seq, hash in digest, is the one the
                    parent holds */
    IN_RECALLED, /* parent: answer to FX_RECALL: origin, seq as asked, verdict, pos = our head of
                    it, hlc, feed */
    IN_HAVE,     /* tell the peer that the document digest is here, whole and durable */
};

/* Of the rest an input has what its kind names. Bytes are borrowed until link_step() returns. */
struct link_input {
    enum link_input_kind kind;       /* says which of the rest is used */
    int64_t now_ms, wall_ms;         /* of every input: monotonic, and Unix time on our own clock */
    unsigned char stream[16];        /* name of our outbox */
    unsigned char recv_stream[16];   /* name of the peer's, as we hold it; zeros: we hold none */
    uint64_t pos;                    /* see the kinds */
    uint64_t head_pos;               /* where our outbox ends */
    const void *bytes;               /* a frame, or a piece of a document */
    size_t bytes_len;                /* of them */
    const struct sync_event *events; /* events[0 .. event_count) */
    size_t event_count;              /* at most event_max of the FX_READ */
    uint64_t token;                  /* of the FX_STORE that is answered */
    enum err err;                    /* OK, or why what was asked for could not be done */
    unsigned char digest[32];        /* of a document; or a hash of the chain */
    uint64_t offset;                 /* in a document */
    int64_t total;                   /* its size; -1: it is not here */
    bool finished;                   /* the document is whole, checked and durable */
    bool recalling;                  /* our past is being given back */
    int64_t mono_ms;                 /* the child's clock as it was asked with */
    int64_t lease_now_ms, promised_ms, length_ms; /* of the promise, on the parent's lease clock */
    char origin[25];                              /* a chain */
    uint64_t seq;                                 /* an event of it */
    unsigned verdict;                             /* enum recall_verdict */
    uint64_t hlc;                /* number blocks up to here are not used any more */
    uint64_t feed;               /* how far the past reaches in our outbox */
    unsigned char signature[64]; /* of a head */
    enum bye_code code;          /* why the link is ended */
    const char *reason;          /* in English, for a log; at most 127 bytes count */
};

enum link_effect_kind {
    FX_SEND,  /* bytes: one frame, in this order */
    FX_UP,    /* both hellos are through; skew_ms = peer's wall clock minus ours, version */
    FX_SKEW,  /* skew_ms, as the peer has just said its clock (from version 3 on) */
    FX_READ,  /* read our outbox behind pos; answer IN_EVENTS */
    FX_STORE, /* store events, and that we hold `stream` up to pos where we held it up to prev_pos,
               * in one transaction that fails when prev_pos is not what is held: a batch must
               * not be stored behind one that failed; IN_STORED */
    FX_ACKED, /* the peer holds ours durably up to pos */
    FX_READ_CHUNK,  /* digest, offset, max; answer IN_CHUNK */
    FX_STORE_CHUNK, /* digest, offset, bytes, total; answer IN_CHUNK_STORED */
    FX_NONE,        /* the peer does not have the document digest */
    FX_ASK_LEASE, /* parent side: make the promise durable, answer IN_LEASE; mono_ms to give back */
    FX_LEASE,  /* child side: mono_ms (ours, when asked), lease_now_ms, promised_ms, length_ms, pos
                */
    FX_RECALL, /* parent side: origin, seq, digest, stream (the child's outbox: another one after
                * each loss); answer IN_RECALLED and send what is behind */
    FX_RECALLED, /* child side: origin, seq, verdict, pos, hlc, feed */
    FX_HAVE,     /* the peer holds the document digest, whole and durable */
    FX_HEAD,     /* the peer's signed head, behind all FX_STORE given before */
    FX_CLOSE,    /* close the connection: code, reason; by_peer when the peer said so */
};

/* Of the rest an effect has what its kind names; what is not named is zero. */
struct link_effect {
    enum link_effect_kind kind;      /* says which of the rest is used */
    const unsigned char *bytes;      /* a frame, or a piece of a document */
    size_t bytes_len;                /* of them */
    const struct sync_event *events; /* events[0 .. event_count), in the order of the outbox */
    size_t event_count;              /* 1 or more */
    size_t event_max, byte_max;      /* no more than so many; of bytes: about */
    uint64_t prev_pos, pos;          /* see the kinds */
    uint64_t token;                  /* to give back */
    uint64_t offset, total;          /* in a document, and its size */
    unsigned char stream[16];        /* name of the peer's outbox */
    unsigned char digest[32];        /* of a document; or a hash of the chain */
    unsigned version;                /* that is spoken */
    int64_t skew_ms;                 /* the peer's wall clock minus ours */
    int64_t mono_ms;                 /* the child's clock as it asked */
    int64_t lease_now_ms, promised_ms, length_ms; /* of the promise, on the parent's lease clock */
    char origin[25];                              /* a chain */
    uint64_t seq;                                 /* an event of it */
    unsigned verdict;                             /* enum recall_verdict */
    uint64_t hlc;                /* number blocks up to here are not used any more */
    uint64_t feed;               /* how far our past reaches in the peer's outbox */
    unsigned char signature[64]; /* of a head */
    enum bye_code code;          /* why the link has ended */
    char reason[128];            /* in English, for a log */
    bool by_peer;                /* the peer said so */
};

/* What the host must do, in this order. */
struct link_effects {
    struct link_effect item[LINK_EFFECTS_MAX];
    int count; /* item[0 .. count) */
};

/* Closed; IN_OPENED begins. The config is copied, its dictionary is not. link_destroy() ends it. */
struct link *link_create(const struct link_config *c);
void link_destroy(struct link *l); /* NULL is allowed */
/* See above. */
void link_step(struct link *l, const struct link_input *in, struct arena *turn,
               struct link_effects *fx);
bool link_is_up(const struct link *l);       /* both hellos are through, and it has not ended */
unsigned link_version(const struct link *l); /* that is spoken; 0: not agreed */
/* May another document be fetched over this link now (IN_WANTED)? protocol.md 5 says how many at
 * once. */
bool link_can_fetch(const struct link *l);
bool link_is_fetching(const struct link *l, const unsigned char digest[32]);

#endif
