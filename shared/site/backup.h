/* A copy of a whole site while it may be serving, and a site made of one. */
#ifndef SITE_BACKUP_H
#define SITE_BACKUP_H

#include "site/folder.h"

/* backup_make(f, to, e): a consistent copy of the site into the new folder ${to}.
 * Order   The database first, then papers: none that it names is missing. site.json last: a copy
 *         that was broken off is no site.
 * Errors  ERR_CONFLICT: ${to} is not empty; ERR_FULL, ERR_IO. */
MUST_USE enum err backup_make(const struct folder *f, const char *to, struct errmsg *e);

/* backup_restore(from, dir, e): make the new folder ${dir} from the backup ${from}, and let it know
 * that it may have forgotten: it names its outboxes anew and asks for its past (protocol.md 7).
 * Errors  ERR_NOT_FOUND: ${from} is no site; those of backup_make(). */
MUST_USE enum err backup_restore(const char *from, const char *dir, struct errmsg *e);

#endif
