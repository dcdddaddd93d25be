/* Accounts: a person of an office, known by site and user name. They travel as facts; sign-ins stay
 * where they were made (sessions.h). */
#ifndef OFFICE_ACCOUNTS_H
#define OFFICE_ACCOUNTS_H

#include "office/office.h"

/* {username, name, role, site, password} -> {username}. The site is this one or below it, and below
 * the caller's. */
office_fn account_add;
/* {site?, role?} -> {accounts: [{username, name, role, site}]} of the caller's site and below. */
office_fn account_list;

/* account.created/1: {site, username, role, rev} and, personal, {name, salt, hash}. */
MUST_USE enum err account_created(struct office *o, struct db *db, const struct event *ev,
                                  const struct json *record, const struct json *personal,
                                  struct errmsg *e);

#endif
