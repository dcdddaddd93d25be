/* Accounts: a person of an office, known by site and user name. They travel as facts; sign-ins stay
 * where they were made (sessions.h). */
#ifndef OFFICE_ACCOUNTS_H
#define OFFICE_ACCOUNTS_H

#include "office/office.h"

/* Put salt and hash of in's password into in, in place of it. Any thread; about 50 ms and 16 MiB.
 * ERR_INVALID with p: there is no password, or it is too short or too long. */
MUST_USE enum err account_seal(const struct host *h, struct json *in, struct problem *p);
/* {username, name, role, site, salt, hash}, as account_seal() has left it -> {username}. The site is
 * this one or below it, and below the caller's. */
office_fn account_add;
/* {site?, role?} -> {accounts: [{username, name, role, site}]} of the caller's site and below. */
office_fn account_list;

/* account.created/1: {site, username, role, rev} and, personal, {name, salt, hash}. */
MUST_USE enum err account_created(struct office *o, struct db *db, const struct event *ev,
                                  const struct json *record, const struct json *personal,
                                  struct errmsg *e);

#endif
