/* What the files of the engine share. Private. link.c calls link_papers.c, both call turn.c.
 *
 *   link.c         opening, events both ways, clock, recall, liveness
 *   link_papers.c  documents both ways (protocol.md 5)
 *   turn.c         what is listed for the host, and how a link ends */
#ifndef SYNC_INSIDE_H
#define SYNC_INSIDE_H

#include "base/deflate.h"
#include "sync/link.h"

#define LINK_CHUNK_BYTES_START 8192

enum phase { PHASE_CLOSED, PHASE_HELLO, PHASE_UP };

/* A batch that the peer has not acknowledged yet. */
struct sent_batch {
    uint64_t pos; /* of its last event */
    size_t bytes; /* before deflating */
};

struct link {
    struct link_config c; /* as given; versions filled in */
    enum phase phase;     /* CLOSED: only IN_OPENED does anything */
    unsigned version;     /* that this connection speaks; 0: not agreed yet */
    struct deflater *out; /* made at the first batch: most links are idle, and a stream is 256 KB */
    struct inflater *in;  /* likewise */

    /* our outbox -> peer */
    unsigned char stream[16];                      /* its name */
    uint64_t head_pos, sent_pos, acked_pos;        /* acked_pos <= sent_pos <= head_pos */
    struct sent_batch window[LINK_WINDOW_BATCHES]; /* window[0 .. in_flight), oldest first */
    int in_flight;                                 /* batches */
    size_t in_flight_bytes;                        /* sum of their bytes */
    bool reading;                                  /* an FX_READ is not answered yet */

    /* peer's outbox -> us */
    unsigned char peer_stream[16];  /* its name, as the peer's HELLO says */
    unsigned char known_stream[16]; /* the one that known_pos counts in */
    uint64_t seen_pos;              /* last position that came in */
    uint64_t known_pos;             /* what we held when the connection opened */
    uint64_t next_token;            /* of the last FX_STORE */
    uint64_t stored_token;          /* of the last that was answered, in order */
    uint64_t pending_pos[64];       /* position of the batch with token % 64 */
    bool recalling;                 /* our past is being given back: another name is no surprise */

    struct fetch {
        bool on;                  /* false: the rest is not used */
        bool resumed;             /* its beginning lay on our own disk */
        unsigned char digest[32]; /* of the document */
        uint64_t offset;          /* of the chunk that was asked for */
        size_t max;               /* bytes asked for; 0: the chunk is here and being stored */
        int64_t asked_ms;         /* when, monotonic */
    } fetch[LINK_FETCHES_MAX];    /* from the peer */
    struct serve {
        bool on;                  /* false: the rest is not used */
        unsigned char digest[32]; /* of the document */
        uint64_t offset;          /* of the chunk that was asked for */
    } serve[LINK_FETCHES_MAX];    /* chunks being read for the peer */
    size_t chunk_bytes;           /* what the line carries in about 200 ms */

    /* monotonic: when we last heard the peer, said something, asked for the clock */
    int64_t heard_ms, said_ms, clock_ms;
};

/* One call of link_step(). */
struct turn {
    struct link *l;          /* that is advanced */
    struct arena *a;         /* what the effects point into */
    struct link_effects *fx; /* the list so far */
    int64_t now_ms, wall_ms; /* of the input */
};

/* Another effect at the end of the list, zero but for its kind. At most LINK_EFFECTS_MAX (assert). */
struct link_effect *turn_effect(struct turn *t, enum link_effect_kind kind);
/* An FX_SEND of the frame, in the version that is spoken. */
void turn_send(struct turn *t, const struct frame *f);
/* Say BYE and end: FX_SEND, FX_CLOSE. Nothing but IN_OPENED does anything afterwards. */
void turn_bye(struct turn *t, enum bye_code code, const char *reason);
/* End without a word: FX_CLOSE. */
void turn_closed(struct turn *t, enum bye_code code, const char *reason, bool by_peer);

/* Answers of the host, and frames, about documents; the phase is UP. */
void papers_wanted(struct turn *t, const struct link_input *in);       /* IN_WANTED */
void papers_chunk_stored(struct turn *t, const struct link_input *in); /* IN_CHUNK_STORED */
void papers_chunk_read(struct turn *t, const struct link_input *in);   /* IN_CHUNK */
void papers_on_want(struct turn *t, const struct frame *f);            /* FRAME_WANT */
void papers_on_chunk(struct turn *t, const struct frame *f);           /* FRAME_CHUNK */
void papers_on_none(struct turn *t, const struct frame *f);            /* FRAME_NONE */

#endif
