/* HTTP: routes, whole or streamed bodies, answers now or later, files in constant memory. Loop
 * thread. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct request;
struct ws_endpoint;

#define HTTP_HEADERS_MAX 24
#define HTTP_PARAMS_MAX 4
#define HTTP_QUERY_MAX 16

struct http_header {
    const char *name, *value;
};

typedef void request_fn(struct request *req, void *arg);

struct route {
    const char *method;
    const char *path; /* "/api/v1/cases/{case_no}": a {part} is one whole segment */
    request_fn *handle;
    void *arg;
    int64_t body_max; /* bytes; more is answered 413 */
    bool stream;      /* handle is called before the body; see request_on_body() */
};

struct http_config {
    const char *address; /* "127.0.0.1" */
    int port;            /* 0: any free one */
    const struct route *routes;
    size_t route_count;
    request_fn *fallback; /* no route: 404, 405, pages; also told of bodies that are too large */
    void *fallback_arg;
    const struct ws_endpoint *endpoints[4];
    /* TLS when cert_path is set: PEM files. Clients may show a certificate; one that does not end
     * at ca_path ends the handshake. */
    const char *cert_path, *key_path, *ca_path;
};

struct http;

/* Routes and endpoints must outlive the server, which ends with the loop. */
MUST_USE enum err http_listen(struct loop *l, const struct http_config *c, struct http **ret,
                              struct errmsg *e);
int http_port(const struct http *h);

const char *request_method(struct request *req);
const char *request_path(struct request *req); /* decoded, without the query */
/* A value is there as long as the request; NULL: not there. Header names in lower case, of a fixed
 * list (header.c). */
const char *request_header(struct request *req, const char *name);
const char *request_query(struct request *req, const char *name);
const char *request_param(struct request *req, const char *name);
const char *request_peer_ip(struct request *req);
bool request_is_tls(struct request *req);
/* The whole body of a route without stream. */
const void *request_body(struct request *req, size_t *ret_len);
/* The declared body is larger than the route takes: the fallback should answer 413. */
bool request_too_large(struct request *req);

/* Keep the request beyond its handler; it must then be answered once, also when the client has
 * gone. */
void request_hold(struct request *req);
bool request_gone(struct request *req);

/* Streamed bodies. on_end or on_gone is called once. */
void request_on_body(struct request *req,
                     void (*on_body)(struct request *, const void *, size_t, void *),
                     void (*on_end)(struct request *, void *),
                     void (*on_gone)(struct request *, void *), void *arg);
void request_pause(struct request *req); /* take nothing more from the socket for now */
void request_resume(struct request *req);
void request_discard(struct request *req); /* what still comes of the body is dropped */

/* Answer. The request is gone for the caller. type and p may be NULL. */
void request_reply(struct request *req, int status, const struct http_header *headers,
                   int header_count, const char *type, const void *p, size_t n);
/* fd is taken; len bytes of it from `from`. */
void request_reply_file(struct request *req, int status, const struct http_header *headers,
                        int header_count, const char *type, int fd, int64_t from, int64_t len);
/* What a Range header asks for of size bytes: 200 (all), 206 (*from, *len set), 416 (*len 0). Adds
 * Content-Range to the answer. */
int request_range(struct request *req, int64_t size, int64_t *from, int64_t *len);

#endif
