/* What the files of the engine share. Private.
 *
 *   link.c         opening, events both ways, clock, recall, liveness
 *   link_papers.c  documents both ways (protocol.md 5) */
#ifndef SYNC_INSIDE_H
#define SYNC_INSIDE_H

#include "base/deflate.h"
#include "sync/link.h"

#define LINK_CHUNK_BYTES_START 8192

enum phase { PHASE_CLOSED, PHASE_HELLO, PHASE_UP };

struct sent_batch {
    uint64_t pos;
    size_t bytes;
};

struct link {
    struct link_config c;
    enum phase phase;
    unsigned version;     /* that this connection speaks; 0: not agreed yet */
    struct deflater *out; /* made at the first batch: most links are idle, and a stream is 256 KB */
    struct inflater *in;

    /* our outbox -> peer */
    unsigned char stream[16];
    uint64_t head_pos, sent_pos, acked_pos;
    struct sent_batch window[LINK_WINDOW_BATCHES];
    int in_flight;
    size_t in_flight_bytes;
    bool reading;

    /* peer's outbox -> us */
    unsigned char peer_stream[16], known_stream[16];
    uint64_t seen_pos;  /* last position that came in */
    uint64_t known_pos; /* what we held when the connection opened */
    uint64_t next_token, stored_token;
    uint64_t pending_pos[64]; /* position of the batch with token % 64 */
    bool recalling;

    struct fetch {
        bool on, resumed; /* resumed: its beginning lay on our own disk */
        unsigned char digest[32];
        uint64_t offset; /* of the chunk that was asked for */
        size_t max;
        int64_t asked_ms;
    } fetch[LINK_FETCHES_MAX]; /* from the peer */
    struct serve {
        bool on;
        unsigned char digest[32];
        uint64_t offset;
    } serve[LINK_FETCHES_MAX]; /* chunks being read for the peer */
    size_t chunk_bytes;

    int64_t heard_ms, said_ms, clock_ms;
};

struct turn {
    struct link *l;
    struct arena *a;
    struct link_effects *fx;
    int64_t now_ms, wall_ms;
};

struct link_effect *link_effect(struct turn *t, enum link_effect_kind kind);
void link_send(struct turn *t, const struct frame *f);
void link_bye(struct turn *t, enum bye_code code, const char *reason);

/* Frames and answers about documents. */
void papers_wanted(struct turn *t, const struct link_input *in);       /* IN_WANTED */
void papers_chunk_stored(struct turn *t, const struct link_input *in); /* IN_CHUNK_STORED */
void papers_chunk_read(struct turn *t, const struct link_input *in);   /* IN_CHUNK */
void papers_on_want(struct turn *t, const struct frame *f);
void papers_on_chunk(struct turn *t, const struct frame *f);
void papers_on_none(struct turn *t, const struct frame *f);

#endif
