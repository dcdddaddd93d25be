/* Who may see a ticket: a community's people those that were issued there, a street's and a district's
 * those of their streets, a resident the one whose code he holds. Private to this folder. */
#ifndef TICKET_ACCESS_H
#define TICKET_ACCESS_H

#include "dossiers/ticket/state.h"

/* The rows that a caller may see, as SQL over the columns of `ticket` with the parameter $scope; NULL:
 * none. */
const char *ticket_scope(const struct caller *c);
void ticket_bind_scope(struct stmt *st, const struct caller *c);

/* For the type's table. */
MUST_USE enum err ticket_visible(struct office *o, struct db *db, const struct caller *c,
                                 const char *id, bool *ret, struct errmsg *e);

/* The 404 of a ticket that is not there, or not for the caller. ERR_NOT_FOUND. */
enum err no_ticket(struct problem *p, const char *id);

#endif
