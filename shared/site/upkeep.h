/* What an operator does with a site that stands still, or looks at while it runs. */
#ifndef SITE_UPKEEP_H
#define SITE_UPKEEP_H

#include "base/json.h"
#include "site/folder.h"

/* Positions, queues, blocks, disk: {site, name, tier, link, children[], origins[], blocks[], lease,
 * repairs, shells, disk}; shells: events held without the text of their personal part. A reader's
 * transaction. */
MUST_USE enum err upkeep_status(struct office *o, struct db *db, const char *dir, struct json **ret,
                                struct errmsg *e);

/* Its `link` alone; {} without a parent. */
MUST_USE enum err upkeep_link(struct office *o, struct db *db, struct json **ret, struct errmsg *e);

/* Chains, papers, and projections against a fresh fold. ERR_CORRUPT names the first fault. say()
 * gets a sentence for each part that holds. */
MUST_USE enum err upkeep_verify(const struct folder *f, void (*say)(const char *line),
                                struct errmsg *e);
/* Fold everything anew, in one transaction. */
MUST_USE enum err upkeep_rebuild(const struct folder *f, struct errmsg *e);
/* A consistent copy of the whole site into the new folder `to`, while it may be serving. */
MUST_USE enum err upkeep_backup(const struct folder *f, const char *to, struct errmsg *e);
/* Make the new folder `dir` from a backup. */
MUST_USE enum err upkeep_restore(const char *from, const char *dir, struct errmsg *e);

#endif
