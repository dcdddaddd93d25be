/* A client's request becomes a WebSocket. Private to this floor. */
#ifndef NET_WS_SERVE_H
#define NET_WS_SERVE_H

#include "net/ws.h"

struct guest;
struct request;

/* Is this request for the endpoint's socket? NULL: yes; else why not, for an answer. */
const struct refusal *ws_serve_check(struct request *r, const struct ws_endpoint *ep);

/* Answer the handshake of a request that ws_serve_check() took, and make its guest a socket of ep,
 * whose calls follow; early[0 .. n) came behind the request, and may be changed. The request is
 * still the caller's. */
void ws_serve(struct request *r, const struct ws_endpoint *ep, unsigned char *early, size_t n);

#endif
