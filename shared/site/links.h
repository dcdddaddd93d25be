/* Sockets: who connects, who is dialled. Private to this floor; loop thread. */
#ifndef SITE_LINKS_H
#define SITE_LINKS_H

#include "site/inside.h"

/* The parent's end, for the sync port. Good as long as the site. */
const struct ws_endpoint *links_endpoint(struct site *s);

/* Dial the parent, now and again whenever the link ends; nothing without a parent.
 * Errors  ERR_CORRUPT: the keys or certificates in the folder cannot be used. */
MUST_USE enum err links_start(struct site *s, struct errmsg *e);

/* Say goodbye on every connection and dial no more. Before the store is closed. */
void links_stop(struct site *s);

/* Free what connections have left in the site; after loop_destroy(), when all sockets are gone. */
void links_finish(struct site *s);

#endif
