/* The frames of the replication protocol (schema/protocol.md): pack and unpack, nothing else.
 *
 * A link speaks one version, agreed at its beginning by HELLO. HELLO and BYE have the same layout
 * in all of them. Version 2 is the first that is kept; 3 adds the wall clock to CLOCK_ASK and
 * CLOCK, so that both sides know how their clocks differ while the link stands, not only when it
 * opens. */
#ifndef SYNC_WIRE_H
#define SYNC_WIRE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* The versions that this program speaks: a program speaks its own and the two before it. A build
 * for tests may speak others: -DWIRE_OLDEST=... -DWIRE_NEWEST=... */
#ifndef WIRE_OLDEST
#define WIRE_OLDEST 2
#endif
#ifndef WIRE_NEWEST
#define WIRE_NEWEST 3
#endif
#define WIRE_HELLO_REST_MAX 1024 /* bytes behind the known fields of a HELLO: of later versions */
#define WIRE_FRAME_BYTES_MAX (1 << 20)
#define WIRE_BATCH_BYTES_MAX (512 * 1024) /* events of one frame, inflated */
#define WIRE_BATCH_EVENTS_MAX 1000
#define WIRE_CHUNK_BYTES_MAX (256 * 1024)

enum frame_kind {
    FRAME_HELLO = 1,
    FRAME_EVENTS = 2,
    FRAME_ACK = 3,
    FRAME_WANT = 4,
    FRAME_CHUNK = 5,
    FRAME_NONE = 6,
    FRAME_CLOCK_ASK = 7,
    FRAME_CLOCK = 8,
    FRAME_HEAD = 9,
    FRAME_PING = 10,
    FRAME_PONG = 11,
    FRAME_BYE = 12,
    FRAME_HAVE = 13,
    FRAME_RECALL = 14,
    FRAME_RECALLED = 15,
};

enum bye_code {
    BYE_PROTOCOL = 1, /* the peer broke the protocol */
    BYE_VERSION = 2,  /* no common version */
    BYE_STORE = 3,    /* this side cannot store now: come back later */
    BYE_STOPPING = 4, /* this side ends */
    BYE_BEHIND = 5,   /* the peer holds more of our outbox than we have: restored from a backup */
    BYE_SILENT = 6,   /* nothing heard for too long */
    BYE_FORKED =
        7, /* the peer's chain is not the one that was witnessed: it has forgotten a part */
    BYE_REFUSED = 8,  /* the peer is not enrolled, or was revoked */
    BYE_WITHHELD = 9, /* the peer sent an event without its personal part, unexplained */
};

enum recall_verdict { RECALL_FORKED, RECALL_AGREES, RECALL_BEYOND };

/* One frame of any kind; the fields that its kind does not name are not used. Bytes are borrowed.
 */
struct frame {
    enum frame_kind kind;          /* says which of the others count */
    unsigned oldest, newest;       /* HELLO: versions that I speak */
    char site[13], peer[13];       /* HELLO: who I am, whom I mean */
    unsigned char stream[16];      /* HELLO: my outbox */
    unsigned char recv_stream[16]; /* HELLO: your outbox as I know it */
    uint64_t pos; /* HELLO, ACK: I hold yours up to here; EVENTS: position of the last; CLOCK: of my
                   * outbox when promised; RECALLED: my head of that origin */
    int64_t wall_ms;             /* HELLO; from version 3 on also CLOCK_ASK, CLOCK */
    uint64_t count, raw_bytes;   /* EVENTS */
    const unsigned char *bytes;  /* EVENTS: deflated; CHUNK: the piece */
    size_t bytes_len;            /* of bytes */
    unsigned char digest[32];    /* WANT, CHUNK, NONE, HAVE: SHA-256; HEAD: hash */
    uint64_t offset, total, max; /* WANT: offset, max; CHUNK: offset, total */
    int64_t mono_ms, now_ms, promised_ms, length_ms; /* CLOCK_ASK: mono; CLOCK: all four */
    char origin[25];                                 /* HEAD, RECALL, RECALLED */
    uint64_t seq;                                    /* HEAD, RECALL; RECALLED: as asked */
    unsigned verdict;                                /* RECALLED: enum recall_verdict */
    uint64_t feed; /* RECALLED: position in my outbox up to which the past reaches */
    uint64_t hlc;  /* RECALLED: number blocks leased up to here are not to be used any more */
    unsigned char signature[64]; /* HEAD */
    uint64_t nonce;              /* PING, PONG */
    enum bye_code code;          /* BYE */
    char reason[128];            /* BYE, in English, for a log */
};

/* Append the frame as `version` has it; of HELLO and BYE the version does not matter. */
void wire_pack(const struct frame *f, unsigned version, struct buf *out);
/* The whole frame and nothing behind it. ERR_PEER: e says which field. */
MUST_USE enum err wire_unpack(const void *p, size_t n, unsigned version, struct frame *ret,
                              struct errmsg *e);
/* The newest version that both speak; 0: none. */
unsigned wire_common(unsigned oldest, unsigned newest, unsigned peer_oldest, unsigned peer_newest);

#endif
