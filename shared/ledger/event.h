/**
 * One event: its binary form, which goes over every link, and what is hashed of it.
 *
 * An event is said once by one site and never changed. It has two texts: the *record*, which every
 * site keeps for ever and folds, and a *personal* part, which may be taken away later. Who holds
 * only the digest of the personal part (a *shell*) still checks, chains and folds the event: the
 * digest stands in the chain, not the text.
 *
 *   D       = SHA-256("doorstep.personal.2" salt personal), 32 zeros when there is none
 *   core    = SHA-256("doorstep.event.2" site version flags hlc ... more D)
 *   hash(n) = SHA-256(hash(n-1) origin u64(seq) core), hash(0) = 32 zeros
 *   id      = the first 16 bytes of core
 *   signed  = Ed25519 over "doorstep.said.2" core
 *
 * The core holds neither epoch nor seq: an event that is given another name (ledger_new_epoch())
 * keeps its id and its signature. So whoever refers to an event, refers to its id.
 *
 * Source  schema/protocol.md 2
 */
#ifndef LEDGER_EVENT_H
#define LEDGER_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_VERSION 2
#define EVENT_TEXT_BYTES_MAX (256 * 1024) /* record and personal part together */
#define EVENT_MORE_BYTES_MAX (16 * 1024)
#define EVENT_ORIGIN_MAX 24
#define EVENT_ID_BYTES 16
#define EVENT_SALT_BYTES 16

/* A bit that is not named here is an error in an encoding of version 2: only an encoding with
 * another version number may give it a meaning. What a later program wants to add without being
 * refused by older ones, it puts into `more`. */
enum event_flag {
    EVENT_CRITICAL = 1, /* who does not know the kind must not act on its dossier */
    EVENT_SIGNED = 2,   /* has a signature of its own */
    EVENT_PERSONAL = 4, /* has a personal part, whether its text is here or not */
};
#define EVENT_FLAGS_ALL (EVENT_CRITICAL | EVENT_SIGNED | EVENT_PERSONAL)

/* How much of the personal part is here. Not hashed: it may differ from site to site. */
enum event_form { EVENT_FORM_NONE = 0, EVENT_FORM_HERE = 1, EVENT_FORM_DIGEST = 2 };

/**
 * Shapes  Texts end with NUL and hold no other; the lengths do not count it. kind, dossier, street and
 *         actor are ASCII without blanks, control characters, " and \. flags has
 *         EVENT_PERSONAL exactly when form is not NONE, EVENT_SIGNED exactly when signature is
 *         not NULL. form HERE: personal and salt; form DIGEST: personal_digest; else NULL.
 * Units   hlc is Unix ms << 16 | counter.
 * Owns    Nothing: all pointers are borrowed.
 */
struct event {
    const char *origin;        /* "331002003901", later epochs "331002003901.2" */
    uint64_t seq;              /* from 1, without gaps per origin */
    uint64_t hlc;              /* orders; people read event_at_ms() of the office */
    unsigned flags;            /* EVENT_CRITICAL ... */
    enum event_form form;      /* of the personal part */
    const char *kind;          /* "case.filed/1" */
    const char *dossier;       /* id of the one thing whose history it belongs to; "": none */
    const char *street;        /* 12 digits */
    const char *actor;         /* "" = a resident or the program */
    const char *record;        /* canonical JSON */
    size_t record_len;         /* its bytes */
    const unsigned char *more; /* of later versions: kept, hashed and passed on as it is */
    size_t more_len;           /* its bytes; 0: none */
    const char *personal;      /* canonical JSON */
    size_t personal_len;       /* its bytes */
    const unsigned char *salt; /* 16 bytes */
    const unsigned char *personal_digest; /* D, 32 bytes */
    const unsigned char *signature;       /* 64 bytes */
};

/* What is hashed of an event by itself, before its place in the chain is known. */
struct event_sum {
    bool made;                  /* false: nothing else is set */
    unsigned char personal[32]; /* D */
    unsigned char core[32];     /* its first 16 bytes are the event's id */
};

/**
 * event_encode(ev, out):
 * Append the encoding of ${ev} to ${out}: u8 version, u8 flags, u8 form, then origin, seq, hlc,
 * kind, dossier, street, actor, record, more; salt and personal, or D; the signature. Texts with
 * a varint length, numbers as varints, salt, D and signature as they are.
 *
 * Shapes  ${ev} is as struct event says (assert).
 */
void event_encode(const struct event *ev, struct buf *out);

/**
 * event_decode(r, a, ret, ret_sum, e):
 * Read exactly one encoding from ${r}. With ${ret_sum} (else NULL), make its sum from the very
 * bytes that came.
 *
 * Shapes  What is accepted encodes to the same bytes again.
 * Owns    All of ${ret} is copied into ${a}.
 * Errors  ERR_PEER: not an event, ${e} says why; nothing is set.
 */
MUST_USE enum err event_decode(struct reader *r, struct arena *a, struct event *ret,
                               struct event_sum *ret_sum, struct errmsg *e);

/* D and core of an event, whatever its form. */
void event_sum(const struct event *ev, struct event_sum *ret);
/* The hash of the event at (origin, seq) behind the one with hash `prev`. */
void event_hash(const unsigned char prev[32], const char *origin, uint64_t seq,
                const unsigned char core[32], unsigned char out[32]);
/* The name by which other events may refer to it: the same in every epoch and at every site. */
void event_id(const struct event_sum *sum, unsigned char out[EVENT_ID_BYTES]);

/* D of a personal part by itself. */
void event_personal_digest(const unsigned char salt[EVENT_SALT_BYTES], const char *personal,
                           size_t len, unsigned char out[32]);

/* The signature of a site under its seed over an event's core; and whether it is right. */
void event_sign(const unsigned char seed[32], const struct event_sum *sum, unsigned char sig[64]);
bool event_signed_by(const unsigned char key[32], const struct event_sum *sum,
                     const unsigned char sig[64]);

/* A copy whose texts and bytes are all in a. */
struct event event_copy(const struct event *ev, struct arena *a);

/* The site of an origin: its first 12 digits. */
void event_site(const char *origin, char out[13]);

#endif
