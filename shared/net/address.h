/* Addresses as people write them, and networks of them. Pure, but for address_resolve(). */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 48

/* An address without its port: IPv4 as ::ffff:a.b.c.d, so that both kinds compare. */
struct address {
    uint8_t bytes[16]; /* as on the wire */
};

struct network {
    struct address base; /* bits beyond the mask are zero */
    int bits;            /* of the 16 bytes: an IPv4 network a.b.c.d/24 has 120 */
};

/* "203.0.113.9", "::1", "::ffff:203.0.113.9", "[::1]". false: it is none. */
bool address_parse(const char *text, struct address *ret);
void address_format(const struct address *a, char out[ADDRESS_TEXT_MAX]);
bool address_of(const struct sockaddr *sa, struct address *ret);
bool address_is_v4(const struct address *a);

/* "10.0.0.0/8", "fd00::/8", or one address. Bits beyond the mask must be zero. */
bool network_parse(const char *text, struct network *ret);
bool network_has(const struct network *n, const struct address *a);
/* The smallest network that one subscriber has: an IPv4 address, an IPv6 /64; as text. */
void network_of_client(const struct address *a, char out[ADDRESS_TEXT_MAX]);

/**
 * address_resolve(text, option, ret, ret_len, e):
 * What "HOST:PORT" of the command line's ${option} names, for bind(2).
 *
 * Shapes  HOST is an IPv4 address, an IPv6 address in brackets, or a name; PORT 0 to 65535, 0: any
 *         free one. A name must have addresses; the first IPv4 one, else the first, is taken.
 * Errors  ERR_INVALID, and e says in words what was expected and found. Asks the name service for
 *         a name: at the start of a program, not on the loop.
 */
MUST_USE enum err address_resolve(const char *text, const char *option,
                                  struct sockaddr_storage *ret, socklen_t *ret_len,
                                  struct errmsg *e);

#endif
