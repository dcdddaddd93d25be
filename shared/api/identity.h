/* Who asks: the token of a request, the caller behind it, and whether a browser was made to ask. */
#ifndef API_IDENTITY_H
#define API_IDENTITY_H

#include "base/arena.h"
#include "base/problem.h"
#include "office/office.h"

struct request;

#define IDENTITY_TOKEN_MAX 200 /* characters */

/* The token of a request, "" without: bearer first, then the cookie. Lives in ${a}. */
const char *identity_token(struct request *req, struct arena *a, bool *ret_by_cookie);

/* A write that a page of another site made the browser send? Fills ${p} then. A program sends
 * neither Origin nor a cookie; a page of ours sends the Origin of this host. */
bool identity_foreign(struct request *req, bool by_cookie, struct problem *p);

/* The caller behind ${token}: the signed-in user, or a resident when there is none (also when the
 * token is none, or over). Texts live in ${a}. Store thread. ERR_IO: the look-up failed. */
MUST_USE enum err identity_caller(struct office *o, struct db *db, const char *token,
                                  struct arena *a, struct caller *ret, struct errmsg *e);

#endif
