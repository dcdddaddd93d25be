/* What the files of the engine share. Private.
 *
 *   link.c         opening, events both ways, clock, recall, liveness
 *   link_papers.c  documents both ways (protocol.md 5)
 *   turn.c         what a turn leaves behind; the two above call it */
#ifndef SYNC_INSIDE_H
#define SYNC_INSIDE_H

#include "base/deflate.h"
#include "sync/link.h"

#define LINK_CHUNK_BYTES_START 8192

enum phase { PHASE_CLOSED, PHASE_HELLO, PHASE_UP };

/* Events on their way that are not acknowledged. */
struct sent_batch {
    uint64_t pos; /* of its last event */
    size_t bytes; /* before deflating */
};

struct link {
    struct link_config c; /* as it was made */
    enum phase phase;     /* where it stands */
    unsigned version;     /* that this connection speaks; 0: not agreed yet */
    struct deflater *out; /* made at the first batch: most links are idle, and a stream is 256 KB */
    struct inflater *in;  /* of what the peer sends; made at its first batch */

    /* our outbox -> peer */
    unsigned char stream[16];                      /* its name */
    uint64_t head_pos;                             /* its end */
    uint64_t sent_pos;                             /* sent up to here on this connection */
    uint64_t acked_pos;                            /* the peer holds it up to here */
    struct sent_batch window[LINK_WINDOW_BATCHES]; /* window[0 .. in_flight), the oldest first */
    int in_flight;
    size_t in_flight_bytes; /* the sum of the window's */
    bool reading;           /* FX_READ was given and not answered */

    /* peer's outbox -> us */
    unsigned char peer_stream[16];  /* its name, as the peer says */
    unsigned char known_stream[16]; /* ... as we knew it when the connection opened */
    uint64_t seen_pos;              /* last position that came in */
    uint64_t known_pos;             /* what we held when the connection opened */
    uint64_t next_token;            /* of the next FX_STORE */
    uint64_t stored_token;          /* all before it are stored */
    uint64_t pending_pos[64];       /* position of the batch with token % 64 */
    bool recalling;                 /* our past is being given back */

    struct fetch {
        bool on;                  /* the slot is taken */
        bool resumed;             /* its beginning lay on our own disk */
        unsigned char digest[32]; /* of the document */
        uint64_t offset;          /* of the chunk that was asked for */
        size_t max;               /* bytes of it that were asked for */
        int64_t asked_ms;         /* when */
    } fetch[LINK_FETCHES_MAX];    /* from the peer */
    struct serve {
        bool on;                  /* the slot is taken */
        unsigned char digest[32]; /* of the document */
        uint64_t offset;          /* of the chunk */
    } serve[LINK_FETCHES_MAX];    /* chunks being read for the peer */
    size_t chunk_bytes; /* how much is asked for at once: what the line carries in about 200 ms */

    /* Monotonic ms: when anything was heard, was said, and the clock was asked for. */
    int64_t heard_ms, said_ms, clock_ms;
};

/* One call of link_step(). */
struct turn {
    struct link *l;          /* whose turn it is */
    struct arena *a;         /* what its effects point into */
    struct link_effects *fx; /* what it leaves */
    int64_t now_ms, wall_ms; /* of the input */
};

/* Another effect of this kind, zeroed but for that; never NULL. */
struct link_effect *link_effect(struct turn *t, enum link_effect_kind kind);
/* Say a frame, in the version that the link speaks. */
void link_send(struct turn *t, const struct frame *f);
/* End the link; by_peer: the peer has said so. After it every input but IN_OPENED gives nothing. */
void link_closed(struct turn *t, enum bye_code code, const char *reason, bool by_peer);
/* Say BYE and end the link. */
void link_bye(struct turn *t, enum bye_code code, const char *reason);

/* Frames and answers about documents. */
void papers_wanted(struct turn *t, const struct link_input *in);       /* IN_WANTED */
void papers_chunk_stored(struct turn *t, const struct link_input *in); /* IN_CHUNK_STORED */
void papers_chunk_read(struct turn *t, const struct link_input *in);   /* IN_CHUNK */
void papers_on_want(struct turn *t, const struct frame *f);
void papers_on_chunk(struct turn *t, const struct frame *f);
void papers_on_none(struct turn *t, const struct frame *f);

#endif
