/* Does the data folder hold what it must; and projections folded anew. For commands, beside a
 * program that serves or without one. */
#ifndef SITE_VERIFY_H
#define SITE_VERIFY_H

#include "site/folder.h"

/* verify_site(f, say, e):
 * The file of the database, every chain and signature, every paper against its digest, and the
 * projections against a fresh fold in a copy (verify.db in the folder, removed again).
 *
 * Order   say() gets a sentence for each part that holds, in this order.
 * Errors  ERR_CORRUPT names the first fault; else the world failed.
 */
MUST_USE enum err verify_site(const struct folder *f, void (*say)(const char *line),
                              struct errmsg *e);

/* Fold everything anew, in one transaction: on any error the folder is as it was. The caller holds
 * the folder's lock. */
MUST_USE enum err verify_rebuild(const struct folder *f, struct errmsg *e);

#endif
