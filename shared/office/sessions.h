/* Sign-ins. They are known only where they were made. */
#ifndef OFFICE_SESSIONS_H
#define OFFICE_SESSIONS_H

#include "base/arena.h"
#include "office/office.h"

/* {username, site?} -> {salts}: what session_hash() needs. 503: no account has come to this site
 * yet. site: where several sites have an account of that name; else it is the one whose password fits. */
office_fn session_look;
/* Put the hashes of in's password into in as "tried", in place of it: one for each salt that
 * session_look() has found; "" where nothing can match. Any thread; it takes as long for a name that
 * nobody has as for one that one site has. */
void session_hash(struct json *in, const struct json *found);
/* {username, site?, tried} -> {token, user: {username, name, role, site}}. 401: wrong. */
office_fn session_open;
/* {token} -> nothing. */
office_fn session_close;

/* The account behind a token. Texts go into a. ERR_NOT_FOUND: none, or over. */
MUST_USE enum err session_find(struct office *o, struct db *db, const char *token,
                               struct caller *ret, struct arena *a);

#endif
