/* HTTP/1.1 served: routes, whole or streamed bodies, answers now or later, files in constant
 * memory. Loop thread. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "net/address.h"
#include "net/http_stats.h"
#include "net/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct request;
struct ws_endpoint;

#define HTTP_HEADERS_MAX 32
#define HTTP_ENDPOINTS_MAX 4

struct http_header {
    /* both end with NUL */
    const char *name, *value;
};

/* Answers req now, or holds it (request_hold()) and answers later. */
typedef void request_fn(struct request *req, void *arg);

struct route {
    /* taken when both fit; HEAD is taken by a GET too */
    const char *method;
    const char *path; /* "/api/v1/cases/{case_no}": a {part} is one whole segment */
    request_fn *handle;
    void *arg;        /* handle's */
    int64_t body_max; /* bytes; more is refused with 413 */
    bool stream;      /* handle is called before the body; see request_on_body() */
};

struct http_config {
    const char *listen; /* "127.0.0.1:8400": address_resolve() */
    const char *option; /* what the operator calls it, for errors: "--listen" */
    /* routes[0 .. route_count) */
    const struct route *routes;
    size_t route_count;
    /* What no route takes: 404, 405, pages; and every request_refusal(). */
    request_fn *fallback;
    void *fallback_arg;
    const struct ws_endpoint *endpoints[HTTP_ENDPOINTS_MAX];
    /* TLS when cert_path is set: PEM files. Clients may show a certificate; one that does not end
     * at ca_path ends the handshake. */
    const char *cert_path, *key_path, *ca_path;
    struct limits *limits;
    enum limit total;              /* LIMIT_CONNECTIONS or LIMIT_SYNC_CONNECTIONS */
    const struct network *trusted; /* proxies whose X-Forwarded-For and -Proto are believed */
    size_t trusted_count;
    struct http_stats *stats; /* or NULL */
};

struct http;

/* Routes, endpoints, limits, networks and stats must outlive the server, which ends with the loop.
 * Errors: ERR_INVALID or ERR_IO, and e says in words what cannot be listened on, or which
 * certificate cannot be used. */
MUST_USE enum err http_listen(struct loop *l, const struct http_config *c, struct http **ret,
                              struct errmsg *e);
int http_port(const struct http *h); /* that the system has bound */

/* Upper case, as it came or as X-HTTP-Method-Override says. */
const char *request_method(struct request *req);
const char *request_path(struct request *req); /* decoded, without the query */
/* A value is there as long as the request; NULL: not there. Header names in lower case. */
const char *request_header(struct request *req, const char *name);
const char *request_query(struct request *req, const char *name);
const char *request_param(struct request *req, const char *name);
/* Whose request it is: of the connection, or what a trusted proxy says. */
const char *request_peer_ip(struct request *req);
/* The network of that client: network_of_client(). */
const char *request_network(struct request *req);
/* It came by TLS, to us or to a trusted proxy. */
bool request_is_https(struct request *req);
/* The whole body of a route without stream. */
const void *request_body(struct request *req, size_t *ret_len);

/* Why a request is refused before any handler has seen it; code and texts are those of a problem.
 */
struct refusal {
    /* as problem_set() takes them; field and expected may be NULL */
    int status;
    const char *code, *field, *expected, *zh, *en;
    const char *header, *value; /* to answer with, or NULL */
};
/* NULL: it is not; the fallback should answer what it says. */
const struct refusal *request_refusal(struct request *req);
/* The methods that routes have for this path, "GET, HEAD, POST"; "" when there is no such path. */
void request_allow(struct request *req, char *out, size_t cap);

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

/* Answer. The request is gone for the caller. type and p may be NULL. Date, Content-Length and
 * Connection are added. */
void request_reply(struct request *req, int status, const struct http_header *headers,
                   int header_count, const char *type, const void *p, size_t n);
/* fd is taken; len bytes of it from `from`. */
void request_reply_file(struct request *req, int status, const struct http_header *headers,
                        int header_count, const char *type, int fd, int64_t from, int64_t len);
/* What a Range header asks for of size bytes: 200 (all), 206 (*from, *len set), 416 (*len 0). Adds
 * Content-Range to the answer. */
int request_range(struct request *req, int64_t size, int64_t *from, int64_t *len);

#endif
