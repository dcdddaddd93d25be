/* How a site joins the tree.
 *
 *   parent  an invitation: "331002003901.<32 hex of a secret>.<32 hex of the authority's
 * fingerprint>" child   makes its keys, POST /sync/v1/enrol over TLS pinned by the fingerprint,
 * gets a certificate
 */
#ifndef SITE_ENROL_H
#define SITE_ENROL_H

#include "base/err.h"
#include "site/folder.h"

/* enrol_district(dir, site, name, e): make the folder ${dir} of a new district, its own authority.
 * Errors  ERR_INVALID: ${site} is no district, or ${name} no name; those of folder_make(). On any
 *         error the folder is removed again, unless it held something before. */
MUST_USE enum err enrol_district(const char *dir, const char *site, const char *name,
                                 struct errmsg *e);
/* enrol_child(...): make the folder ${dir} of a new street or community below the parent that
 * listens at ${url}. site and name may be NULL: those of the invitation.
 * Order   What can fail here fails before the invitation is used up.
 * Errors  ERR_INVALID: no invitation, no address, or for another site or program than asked for;
 *         ERR_DENIED: the parent refused; ERR_IO: it is not to be reached. On any error the folder
 *         is removed again, unless it held something before. */
MUST_USE enum err enrol_child(const char *dir, const char *url, const char *invitation,
                              const char *site, const char *name, bool must_be_community,
                              struct errmsg *e);
/* enrol_invite(...): invite ${site}, a child of this one, to be called ${name}, with so many case
 * numbers to begin with; the text of the invitation into out. Good once and for seven days.
 * Errors  ERR_INVALID with the problem in e; those of the database. */
MUST_USE enum err enrol_invite(const struct folder *f, const char *site, const char *name,
                               int64_t case_numbers, char *out, size_t cap, struct errmsg *e);

/* enrol_answer(f, o, db, in, out, p, e): the parent's side of the request.
 * Shapes  in {site, secret, csr, public_key} -> *out {site, name, certificate, ca, parent {site,
 *         name}}: PEM texts, the certificate with its chain.
 * Owns    The caller frees *out.
 * Order   In a writer's transaction: the invitation is used up, the child enrolled, and its former
 *         certificate replaced, together.
 * Errors  Not OK with p->status set: the request is refused, and why. Else the world failed. */
MUST_USE enum err enrol_answer(const struct folder *f, struct office *o, struct db *db,
                               const struct json *in, struct json **out, struct problem *p,
                               struct errmsg *e);

/* Was this certificate (SHA-256, hex) replaced by one that was issued later, to the same site? */
MUST_USE enum err enrol_replaced(struct db *db, const char *fingerprint, bool *ret,
                                 struct errmsg *e);

#endif
