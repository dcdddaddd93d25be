/* One event and its binary form: what goes over a link and what the hash chain is made of. */
#ifndef LEDGER_EVENT_H
#define LEDGER_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct event {
    const char *origin;  /* "331002003901", later epochs "331002003901.2" */
    uint64_t seq;        /* from 1, without gaps per origin */
    uint64_t hlc;        /* Unix ms << 16 | counter */
    const char *kind;    /* "case.filed/1" */
    const char *case_no; /* "" = none */
    const char *street;  /* 12 digits */
    const char *actor;   /* "" = a resident or the program */
    const char *body;    /* canonical JSON, NUL-terminated */
    size_t body_len;
};

#define EVENT_BODY_MAX (256 * 1024)

/* Append the encoding to out: version byte 1, then origin, seq, hlc, kind, case_no, street, actor,
 * body; texts with a varint length, numbers as varints. */
void event_encode(const struct event *ev, struct buf *out);
/* Read exactly one encoding. Texts are copied into a. ERR_PEER: not an event, the message says why.
 */
MUST_USE enum err event_decode(struct reader *r, struct arena *a, struct event *ret,
                               struct errmsg *e);
/* SHA-256(prev || encoding). */
void event_hash(const unsigned char prev[32], const struct event *ev, unsigned char out[32]);
/* The same in two steps, of which the first needs no prev: the encoding, with room for a hash
 * before it. */
struct event_encoding {
    unsigned char *p; /* in the arena */
    size_t n;         /* of all; 0: there is none */
};
void event_encoding(const struct event *ev, struct arena *a, struct event_encoding *ret);
void event_encoding_hash(const unsigned char prev[32], struct event_encoding *x,
                         unsigned char out[32]);
/* The site of an origin: its first 12 digits. */
void event_site(const char *origin, char out[13]);

#endif
