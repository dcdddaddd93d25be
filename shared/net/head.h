/* The head of a request, RFC 9112: from bytes to a method, a path, a query and headers. Pure. What
 * two readers could take for two different requests is refused. */
#ifndef NET_HEAD_H
#define NET_HEAD_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_HEADERS_MAX 64
#define HEAD_QUERY_MAX 32
#define HEAD_METHOD_MAX 24

struct head_pair {
    /* both end with NUL; a value may be "" */
    const char *name, *value;
};

struct head {
    const char *method, *path; /* the path decoded, without the query; "*" of OPTIONS */
    int minor;                 /* HTTP/1.minor: 0 or 1 */
    struct head_pair header[HEAD_HEADERS_MAX]; /* names in lower case, values trimmed */
    int header_count;                          /* header[0 .. header_count) */
    struct head_pair query[HEAD_QUERY_MAX];    /* decoded; "+" is a blank */
    int query_count;                           /* query[0 .. query_count) */
    int64_t length;                            /* of the body in bytes; -1: it is chunked */
    bool keep;                                 /* the connection may carry another request */
    bool expects;                              /* the sender waits for "100 Continue" */
    bool upgrades;                             /* to a WebSocket; other upgrades are passed over */
};

/* Why a head is refused. FAULT_NONE: it is not. */
enum head_fault {
    FAULT_NONE,
    FAULT_LINE,     /* no request line, or bytes that may not be in a head */
    FAULT_VERSION,  /* not HTTP/1 */
    FAULT_TARGET,   /* a target that is no path, or a NUL or control character in it */
    FAULT_HEADER,   /* a header that is none */
    FAULT_MANY,     /* too many headers or query values */
    FAULT_HOST,     /* no Host, two, or one that is none */
    FAULT_LENGTH,   /* Content-Length: no number, two that differ, or beside Transfer-Encoding */
    FAULT_ENCODING, /* a Transfer-Encoding that is not chunked */
    FAULT_EXPECT,   /* an Expect that is not 100-continue */
};

/* The length of the head at p[0 .. n), with the empty line that ends it; 0: it is not whole yet. */
size_t head_length(const char *p, size_t n);

/**
 * head_parse(a, p, n, ret):
 * Read the whole head p[0 .. n) of head_length().
 *
 * Owns    Texts of *ret live in ${a}; ${p} may go.
 * Errors  Another fault than FAULT_NONE: ret->method and ret->path are set as far as they were
 *         read, else "", and the connection cannot carry another request.
 * Source  RFC 9112 3, 5, 6, 7.1; RFC 3986 2.1.
 */
enum head_fault head_parse(struct arena *a, const char *p, size_t n, struct head *ret);

/* NULL: not there. When a header came more than once (only lists may), its values are joined. */
const char *head_header(const struct head *h, const char *name);
const char *head_query(const struct head *h, const char *name);

/* Is ${token} among the comma-separated tokens of ${list}? Whatever their case; NULL: no. */
bool head_has_token(const char *list, const char *token);

#endif
