/* A connection that speaks HTTP, as the files about it share it. Private.
 *
 *   http.c       from bytes to requests and back
 *   http_body.c  the body of a request
 *   http_link.c  what both ask of a connection */
#ifndef NET_HTTP_LINK_H
#define NET_HTTP_LINK_H

#include "base/buf.h"
#include "net/chunked.h"
#include "net/http.h"

struct guest;
struct http_link;

struct http {
    struct http_config config; /* as given */
    struct door *door;         /* who comes in by it, and its port */
    int port;
    /* links whose request gathers its body in memory; the one that grew last at the end */
    struct http_link *gathering, **gathering_end;
};

enum http_phase { PHASE_HEAD, PHASE_BODY, PHASE_ANSWER, PHASE_LINGER };

struct http_link {
    struct http *http;            /* whose it is */
    struct guest *guest;          /* its connection */
    enum http_phase phase;        /* what its next byte is of */
    struct buf in;                /* of a head, or what came ahead */
    struct request *req;          /* NULL in PHASE_HEAD and PHASE_LINGER */
    struct chunked chunked;       /* of a body that comes so */
    int64_t lingered;             /* bytes that were dropped at the end */
    struct http_link *next, **at; /* in http->gathering; at NULL: it is not */
    int64_t grew_us;              /* when its body grew last */
};

int64_t http_link_now_us(void);                                   /* monotonic */
int64_t http_link_limit(const struct http_link *k, enum limit x); /* what holds here */
/* Give a request to its route's handler or to the fallback; one that does neither answer nor hold
 * it is answered 500. */
void http_link_handle(struct request *r);
/* Refuse the request of k, whose handler has not seen it; the rest of what this connection sends is
 * not read as requests. */
void http_link_refuse(struct http_link *k, const struct refusal *why);
/* Its body grew, or there is none of it in memory any more: for http->gathering. */
void http_link_grew(struct http_link *k);
void http_link_no_body(struct http_link *k);

#endif
