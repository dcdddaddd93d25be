/* How a site joins the tree.
 *
 *   parent: invitation_make -> "331002003901.<32 hex secret>.<32 hex of the authority's
 * fingerprint>" child:  keys made here -> POST /sync/v1/enrol over TLS pinned by the fingerprint ->
 * certificate
 */
#ifndef SITE_ENROL_H
#define SITE_ENROL_H

#include "base/err.h"
#include "site/folder.h"

/* A new district: its own authority. */
MUST_USE enum err enrol_district(const char *dir, const char *site, const char *name,
                                 struct errmsg *e);
/* A new street or community below url. site and name may be NULL: those of the invitation. On an
 * error the folder is removed again. */
MUST_USE enum err enrol_child(const char *dir, const char *url, const char *invitation,
                              const char *site, const char *name, bool must_be_community,
                              struct errmsg *e);
/* The text of an invitation into out. */
MUST_USE enum err enrol_invite(const struct folder *f, const char *site, const char *name,
                               int64_t case_numbers, char *out, size_t cap, struct errmsg *e);

/* The parent's side of the request, in a writer's transaction: {site, secret, csr, public_key} ->
 * {site, name, certificate, ca, parent {site, name}}. */
MUST_USE enum err enrol_answer(const struct folder *f, struct office *o, struct db *db,
                               const struct json *in, struct json **out, struct problem *p,
                               struct errmsg *e);

/* Was this certificate (SHA-256, hex) replaced by one that was issued later, to the same site? */
MUST_USE enum err enrol_replaced(struct db *db, const char *fingerprint, bool *ret,
                                 struct errmsg *e);

#endif
