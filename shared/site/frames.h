/* Frames that come in, and those that wait: until the link is opened, or until the writer has room.
 * Private to this floor; loop thread. */
#ifndef SITE_FRAMES_H
#define SITE_FRAMES_H

#include "site/peer.h"

#include <stddef.h>

/* frames_take(p, bytes, n): one whole frame has come; p->ws is open.
 * Owns    The caller keeps ${bytes}; what waits is copied.
 * Order   As they came, but that what only says the peer lives passes by what is held.
 * Errors  More than a link's window waiting: the connection is closed. */
void frames_take(struct peer *p, const void *bytes, size_t n);

/* The link has been opened: take in what came before. */
void frames_opened(struct peer *p);

/* The writer may have room again: those that were held go on, the first first, until it has not. */
void frames_let_in(struct site *s);

#endif
