/* The body of a request that is being read. Private. */
#ifndef NET_HTTP_BODY_H
#define NET_HTTP_BODY_H

#include <stddef.h>

struct http_link;

/* Bytes of a connection in PHASE_BODY; how many of them were the body's, the rest belongs to the next
 * request. When it is whole, or refused, the phase is another. */
size_t http_body_take(struct http_link *k, const unsigned char *p, size_t n);

#endif
