/* Commands that change a site's office from the command line, beside a running program or without
 * one. */
#ifndef PROGRAM_ADMIN_H
#define PROGRAM_ADMIN_H

#include "base/err.h"
#include "site/folder.h"

/* All of them wait, up to 15 s, for a site that is still getting its past from its parent: then
 * ERR_BUSY. Nothing is changed on any error. */

/* Import items and calendar years, one JSON file each; all or none. */
MUST_USE enum err admin_import(const struct folder *f, char **files, int count, struct errmsg *e);
/* A new account, of ${site} or (NULL) of this one. ERR_INVALID, ERR_CONFLICT with the problem in e.
 */
MUST_USE enum err admin_add_user(const struct folder *f, const char *username, const char *name,
                                 const char *role, const char *site, const char *password,
                                 struct errmsg *e);
/* lost: what it has not sent will never come, and its street takes back what waits for it. A child is let in no more until it is enrolled again; a program that serves ends its link within
 * a second. */
MUST_USE enum err admin_revoke(const struct folder *f, const char *site, bool lost,
                               struct errmsg *e);
/* Print the status on stdout, for people or as JSON; see status_read(). */
MUST_USE enum err admin_status(const struct folder *f, bool json, struct errmsg *e);

#endif
