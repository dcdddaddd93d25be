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
    char site[13], peer[13];
    bool parent_side;        /* we are the parent on this link */
    unsigned oldest, newest; /* versions that we speak; 0: as wire.h has them */
    const void *dictionary;
    size_t dictionary_len;
};

/* One event in its binary form; the engine does not look inside. */
struct sync_event {
    const unsigned char *bytes;
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
    enum link_input_kind kind;
    int64_t now_ms;
    unsigned char stream[16], recv_stream[16];
    uint64_t pos, head_pos;
    int64_t wall_ms;
    const void *bytes;
    size_t bytes_len;
    const struct sync_event *events;
    size_t event_count;
    uint64_t token;
    enum err err;
    unsigned char digest[32];
    uint64_t offset;
    int64_t total;
    bool finished, recalling;
    int64_t mono_ms, lease_now_ms, promised_ms, length_ms;
    char origin[25];
    uint64_t seq;
    unsigned verdict;
    uint64_t hlc, feed;
    unsigned char signature[64];
    enum bye_code code;
    const char *reason;
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
    enum link_effect_kind kind;
    const unsigned char *bytes;
    size_t bytes_len;
    const struct sync_event *events;
    size_t event_count, event_max, byte_max;
    uint64_t prev_pos, pos, token, offset, total;
    unsigned char stream[16], digest[32];
    unsigned version;
    int64_t skew_ms, mono_ms, lease_now_ms, promised_ms, length_ms;
    char origin[25];
    uint64_t seq;
    unsigned verdict;
    uint64_t hlc, feed;
    unsigned char signature[64];
    enum bye_code code;
    char reason[128];
    bool by_peer;
};

struct link_effects {
    struct link_effect item[LINK_EFFECTS_MAX];
    int count;
};

struct link *link_create(const struct link_config *c);
void link_destroy(struct link *l); /* NULL is allowed */
void link_step(struct link *l, const struct link_input *in, struct arena *turn,
               struct link_effects *fx);
bool link_is_up(const struct link *l);
unsigned link_version(const struct link *l); /* that is spoken; 0: not agreed */
/* May another document be fetched over this link now (IN_WANTED)? protocol.md 5 says how many at
 * once. */
bool link_can_fetch(const struct link *l);
bool link_is_fetching(const struct link *l, const unsigned char digest[32]);

#endif
