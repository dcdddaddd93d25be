/* A request as the files of this floor share it. Private. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include "base/arena.h"
#include "net/head.h"
#include "net/http.h"
#include "net/route.h"

struct conn;
struct guest;

struct request {
    /* whose it is: the server's, and the connection it came by */
    const struct http_config *config;
    struct guest *guest; /* NULL: the client has gone */
    struct arena *arena; /* of the head and the answer's headers */
    struct head head;
    /* what takes it (NULL: the fallback), and the parts of its path */
    const struct route *route;
    struct route_params params;
    /* the client's address and network; it came by TLS, to us or to a proxy */
    char ip[ADDRESS_TEXT_MAX], network[ADDRESS_TEXT_MAX];
    bool https;
    const struct refusal *refusal; /* NULL: it is not refused */
    /* monotonic, when its head was whole; bytes of the body so far */
    int64_t began_us, received;
    struct buf body;      /* whole, or what waits while paused */
    int64_t body_counted; /* of it, by LIMIT_BODY_MEMORY_BYTES */
    /* where it stands: a handler keeps it, runs now, wants no bytes for now; the body is in, is dropped, its end was told */
    bool held, in_handler, paused, body_ended, discard, end_told;
    /* of a streamed body: request_on_body() */
    void (*on_body)(struct request *, const void *, size_t, void *);
    void (*on_end)(struct request *, void *);
    void (*on_gone)(struct request *, void *);
    void *arg;
    /* the answer */
    bool replied, headers_sent, close_after;
    int status;
    struct http_header out_headers[HTTP_HEADERS_MAX];
    int out_count;
    const char *type;
    struct buf out; /* answer bytes */
    size_t out_at;
    int fd; /* -1: answer from out */
    int64_t file_at, file_left, length;
    char content_range[80];
};

/* With nothing but its arena; c and g are borrowed. free: with all it holds, its file closed. */
struct request *request_create(const struct http_config *c, struct guest *g);
void request_free(struct request *r);
/* Body bytes and their end, as they come. false: there is no memory for them within the limit, and
 * they were not taken. */
bool request_take(struct request *r, const void *p, size_t n);
void request_take_end(struct request *r);
/* The body that was gathered counts for nothing more. */
void request_drop_body(struct request *r);
/* The client has gone. Whoever holds the request answers, to nobody, and that frees it; one that
 * nobody holds is freed at once. */
void request_client_gone(struct request *r);
/* An answer is there and may be written: the body is in, or so large that it is not waited for. */
bool request_may_answer(struct request *r);

#endif
