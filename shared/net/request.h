/* A request as http.c and request.c share it. Private. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include "net/http.h"
#include "net/inside.h"

struct pair {
    char *name, *value;
};

struct http {
    struct http_config config;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[6];
    struct loop *loop;
    bool tls;
};

struct request {
    struct http *http;
    struct lws *wsi; /* NULL: the client has gone */
    const struct route *route;
    char method[8];
    char *path;
    char ip[48];
    struct pair headers[20], query[HTTP_QUERY_MAX], params[HTTP_PARAMS_MAX];
    int header_count, query_count, param_count;
    int64_t content_length, received;
    struct buf body; /* whole, or what waits while paused */
    bool held, in_handler, paused, body_ended, discard, too_large, end_told;
    void (*on_body)(struct request *, const void *, size_t, void *);
    void (*on_end)(struct request *, void *);
    void (*on_gone)(struct request *, void *);
    void *arg;
    /* the answer */
    bool replied, headers_sent, close_after;
    int status;
    struct pair out_headers[HTTP_HEADERS_MAX];
    int out_count;
    char *type;
    struct buf out; /* answer bytes */
    size_t out_at;
    int fd; /* -1: answer from out */
    int64_t file_at, file_left, length;
    char content_range[80];
};

void request_free(struct request *r);
/* Body bytes and their end, as they come from the socket. */
void request_take(struct request *r, const void *p, size_t n);
void request_take_end(struct request *r);
/* Write some of the answer. 0: go on, 1: all is written, -1: close. */
int request_write(struct request *r);
/* Start the answer when it is there and the body is out of the way. */
void request_kick(struct request *r);

#endif
