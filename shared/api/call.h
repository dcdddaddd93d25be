/* One call: a row in a table, and the one store job that answers a request. Private to this floor.
 *
 *   loop: call_handle: rights of the browser, token, input (input.c), tries
 *   [reader: look, workers: toil]
 *   store: session, role, replay (replay.c), If-Match, the office's function, settle
 *   loop: after, live notice, reply
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "api/tries.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/workers.h"
#include "office/office.h"
#include "db/store.h"

#include <stdint.h>

struct work;

/* A function of casework: the signature of all its commands and queries. */
typedef enum err call_fn(struct office *office, struct db *db, const struct caller *caller,
                         const struct json *in, struct json **out, struct problem *problem);

enum call_flag {
    CALL_WRITE = 1,   /* runs on the writer */
    CALL_PUBLIC = 2,  /* answers without a sign-in too */
    CALL_CREATES = 4, /* 201, and Idempotency-Key is heard */
    CALL_REPLAYS = 8, /* Idempotency-Key is heard */
    CALL_MATCHES =
        16,           /* If-Match is heard: what show() answers must still be what the caller saw */
    CALL_TAGGED = 32, /* the answer carries an ETag */
    CALL_SECRET = 128, /* never kept for replay */
    CALL_LARGE = 256,  /* a body of up to 8 MB */
    CALL_PAGED = 64,   /* "next" in the answer becomes a Link */
    CALL_CODED = 512,  /* a resident's query code may open it: tries are counted */
};

#define CALL_QUERY_MAX 12

struct call {
    /* what is served at method and path, and how (enum call_flag) */
    const char *method;
    const char *path;
    unsigned flags;
    const char *roles; /* " admin supervisor " or NULL: every role */
    call_fn *fn;
    call_fn *show;                     /* CALL_MATCHES: what the caller saw */
    const char *query[CALL_QUERY_MAX]; /* names taken from the query string */
    /* The member of the answer, else of the input, that is the id of the dossier which it is about: a
     * write tells the live socket, and tries of a code are counted by it. NULL: case_no. */
    const char *subject;
    const char *location; /* of what it made: "/api/v1/cases/{case_no}", filled from out */
    bool (*before)(struct work *w); /* loop: false when w->problem says why not */
    call_fn *look;                  /* reader, before toil: what it answers is w->found */
    void (*toil)(struct work *w);   /* a thread of the workers: may set w->problem */
    bool (*admit)(struct work *w);  /* store, once the caller is known: false with a problem */
    void (*settle)(struct work *w); /* store, when fn has said OK */
    void (*after)(struct work *w);  /* loop: may add headers or replace the answer */
};

#define WORK_HEADERS_MAX 8

struct work {
    /* its turn on the store and, before that, on the workers; the job is first */
    struct job job;
    struct worker_job toil;
    struct api *api;
    const struct call *call;
    struct request *req;     /* held: answered once, also when the client has gone */
    struct arena *arena;     /* lives as long as the work */
    struct json *in, *found; /* input_read(); what look() answered, or NULL */
    /* who asks: the token of a bearer or of a cookie */
    const char *token; /* or "" */
    bool by_cookie;
    const char *key;      /* Idempotency-Key or "" */
    const char *network;  /* of the client: request_network() */
    const char *if_match; /* or NULL */
    /* what the key was given for: method, path, body; when it came (wall) */
    unsigned char request_hash[32];
    int64_t started_ms;
    struct tried tried; /* a code or a password */
    bool gzip;          /* the reader takes it */
    /* what the job leaves */
    struct caller caller;
    struct json *out;
    struct problem problem; /* status 0: none */
    int status;
    struct buf body, packed; /* packed: body as gzip, when that is worth it */
    char etag[28];
    bool replayed;
    api_print_fn *print; /* set by before(): the answer is drawn as a PDF */
    /* headers to add to the answer */
    const char *header[WORK_HEADERS_MAX][2];
    int header_count;
};

void call_handle(struct request *req, void *bound); /* bound: struct call_bound */
/* A row of a table, and the api that serves it. */
struct call_bound {
    struct api *api;         /* lives longer */
    const struct call *call; /* of a table */
};

/* For after(): ${value} must live in w->arena or longer. */
void call_header(struct work *w, const char *name, const char *value);

/* The tables; each ends with a row without method. */
extern const struct call sessions_calls[];
extern const struct call cases_calls[];
extern const struct call items_calls[];
extern const struct call deliveries_calls[];
extern const struct call certificates_calls[];
extern const struct call statistics_calls[];
extern const struct call offices_calls[];
extern const struct call tickets_calls[];

#endif
