/* Whose a request is: of the connection, or what a trusted proxy says of it. Private. */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

struct request;

/* Set r->ip, r->network and r->https, by its guest and its head. Of X-Forwarded-For the last address
 * counts that is no trusted proxy: each proxy adds whom it saw, and what stands before that is what
 * a client has written himself. */
void origin_read(struct request *r);

#endif
