/* What may be done with a ticket now. Private to this folder. */
#ifndef TICKET_ACTIONS_H
#define TICKET_ACTIONS_H

#include "dossiers/ticket/state.h"

/* Names of the actions that the caller may take here, as a list; the caller's. */
struct json *ticket_actions(struct office *o, const struct caller *c, const struct dossier *d);
/* Take one; in: {window?, behind?, queue?, to_window?, keeps_place?, return_to_me?}. ERR_INVALID,
 * ERR_DENIED, ERR_CONFLICT with a problem. */
MUST_USE enum err ticket_do(struct office *o, struct db *db, const struct caller *c,
                            const struct dossier *d, const char *action, const struct json *in,
                            struct problem *p, struct errmsg *e);

/* One number at a time at each window: also when its page was loaded anew, or a button pressed twice.
 * OK: it has nothing in hand, or only the ticket `but`. ERR_INVALID, ERR_CONFLICT with a problem. */
MUST_USE enum err window_free(struct office *o, struct db *db, const char *window, const char *but,
                              struct problem *p, struct errmsg *e);

#endif
