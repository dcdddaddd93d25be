/**
 * One side of one link, as a function: what happened in, what to do out. No clock, socket, file,
 * thread, randomness or SQL: time is a field of the input, durability is an answer of the host.
 *
 * link_step(l, in, turn, fx):
 * Advance ${l} by ${in}; list in ${fx}, in order, what the host must now do.
 *
 * Shapes  fx->item[0 .. fx->count), count <= LINK_EFFECTS_MAX; IN_FRAME is one whole frame.
 * Units   now_ms is monotonic milliseconds, wall_ms Unix milliseconds on our own clock, both of
 * every input; positions start at 1, contiguous per outbox.
 * Owns    The caller keeps ${in}. Effects point into ${turn}, dead after arena_reset(), or into
 * ${in}. Order   What an FX_STORE names is durable before IN_STORED is given; only then is it
 * acknowledged. Errors  None: a peer that breaks the protocol gives FX_SEND of a BYE and FX_CLOSE;
 * then every input but IN_OPENED gives nothing. Source  schema/protocol.md
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
    char site[13], peer[13]; /* who we are, and who the peer must be */
    bool parent_side;        /* we are the parent on this link */
    unsigned oldest, newest; /* versions that we speak; 0: as wire.h has them */
    const void *dictionary;  /* preset of both streams; must outlive the link */
    size_t dictionary_len;   /* its bytes */
};

/* One event in its binary form; the engine does not look inside. */
struct sync_event {
    const unsigned char *bytes; /* bytes[0 .. len) */
    size_t len;
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

struct link_input {
    enum link_input_kind kind; /* says which of the others count */
    int64_t now_ms;            /* monotonic */
    int64_t wall_ms;           /* Unix */
    /* IN_OPENED, IN_LOCAL, IN_EVENTS, IN_LEASE, IN_RECALLED */
    unsigned char stream[16];      /* the name of our outbox */
    unsigned char recv_stream[16]; /* the peer's outbox as we know it */
    uint64_t pos, head_pos;        /* a position, and the end of our outbox */
    bool recalling;                /* our past is being given back */
    /* IN_FRAME, IN_CHUNK: borrowed until link_step() returns */
    const void *bytes;
    size_t bytes_len;
    /* IN_EVENTS: events[0 .. event_count), borrowed likewise */
    const struct sync_event *events;
    size_t event_count;
    /* IN_STORED, IN_CHUNK_STORED */
    uint64_t token; /* as FX_STORE gave it */
    enum err err;   /* how the store answered */
    bool finished;  /* the document is whole */
    /* IN_WANTED, IN_CHUNK, IN_CHUNK_STORED, IN_HAVE; digest: also the hash of IN_HEAD, IN_RECALL */
    unsigned char digest[32];
    uint64_t offset; /* in the document */
    int64_t total;   /* its bytes; -1: it is not here */
    /* IN_LEASE: ms; mono_ms as the child asked, the others on the parent's lease clock */
    int64_t mono_ms, lease_now_ms, promised_ms, length_ms;
    /* IN_HEAD, IN_RECALL, IN_RECALLED */
    char origin[25];
    uint64_t seq;
    unsigned verdict;            /* enum recall_verdict */
    uint64_t hlc, feed;          /* as in a frame RECALLED */
    unsigned char signature[64]; /* IN_HEAD */
    /* IN_BYE */
    enum bye_code code;
    const char *reason; /* in English, for a log */
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

struct link_effect {
    enum link_effect_kind kind; /* says which of the others count */
    /* FX_SEND, FX_STORE_CHUNK */
    const unsigned char *bytes;
    size_t bytes_len;
    /* FX_STORE: events[0 .. event_count); FX_READ: at most event_max, about byte_max bytes */
    const struct sync_event *events;
    size_t event_count, event_max, byte_max;
    uint64_t prev_pos, pos;   /* positions */
    uint64_t token;           /* FX_STORE: to be given back */
    uint64_t offset, total;   /* in a document, and its bytes */
    unsigned char stream[16]; /* the peer's outbox */
    unsigned char digest[32]; /* of a document; the hash of FX_HEAD, FX_RECALL */
    unsigned version;         /* FX_UP: that is spoken */
    int64_t skew_ms;          /* the peer's wall clock minus ours */
    /* FX_ASK_LEASE, FX_LEASE: as in struct link_input */
    int64_t mono_ms, lease_now_ms, promised_ms, length_ms;
    /* FX_HEAD, FX_RECALL, FX_RECALLED: as in struct link_input */
    char origin[25];
    uint64_t seq;
    unsigned verdict;
    uint64_t hlc, feed;
    unsigned char signature[64];
    /* FX_CLOSE */
    enum bye_code code;
    char reason[128];
    bool by_peer; /* the peer said so */
};

struct link_effects {
    struct link_effect item[LINK_EFFECTS_MAX]; /* item[0 .. count), in order */
    int count;
};

/* Closed, until IN_OPENED. c is copied, but not the dictionary. */
struct link *link_create(const struct link_config *c);
void link_destroy(struct link *l); /* NULL is allowed */
/* See above. */
void link_step(struct link *l, const struct link_input *in, struct arena *turn,
               struct link_effects *fx);
bool link_is_up(const struct link *l);       /* both hellos are through */
unsigned link_version(const struct link *l); /* that is spoken; 0: not agreed */
/* May another document be fetched over this link now (IN_WANTED)? protocol.md 5 says how many at
 * once. */
bool link_can_fetch(const struct link *l);
bool link_is_fetching(const struct link *l, const unsigned char digest[32]);

#endif
