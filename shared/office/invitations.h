/* One-time invitations, by which a site becomes a child of this one. They never leave it. */
#ifndef OFFICE_INVITATIONS_H
#define OFFICE_INVITATIONS_H

#include "office/office.h"

/**
 * invitation_make(o, db, site, name, case_numbers, secret, p, e):
 * A secret for the child ${site}, good once and for seven days.
 *
 * Shapes  secret: 32 hex digits. case_numbers: 1 to 50000, how many it gets a day.
 * Errors  ERR_INVALID with a problem: not a child of this site, or no name. Others of the store.
 */
MUST_USE enum err invitation_make(struct office *o, struct db *db, const char *site,
                                  const char *name, int64_t case_numbers, char secret[33],
                                  struct problem *p, struct errmsg *e);
/* Use it up. ERR_DENIED: wrong, used or expired; p says so. */
MUST_USE enum err invitation_use(struct office *o, struct db *db, const char *site,
                                 const char *secret, char name[64], int64_t *ret_case_numbers,
                                 struct problem *p, struct errmsg *e);
/* {site, name, case_numbers?} -> {site, invitation} */
office_fn invitation_create;

#endif
