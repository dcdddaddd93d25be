/* Where a site stands, for an operator: positions, queues, blocks, disk. */
#ifndef SITE_STATUS_H
#define SITE_STATUS_H

#include "base/json.h"
#include "office/office.h"

/* status_read(o, db, dir, ret, e):
 * {site, name, tier, time, link?, children[], origins[], blocks[], lease?, repairs,
 * documents_wanted, shells, disk?}: link and lease where there is a parent, disk when that of
 * ${dir} can be asked. What only a running program knows (which links are up) stands as "unknown".
 *
 * Shapes  shells: events held without the text of their personal part.
 * Units   Moments are RFC 3339 text; positions count events of an outbox; disk.free_bytes.
 * Owns    The caller frees *ret.
 * Order   In a transaction of a reader or a writer it is one snapshot; without one, each figure is of
 *         its own moment.
 * Errors  Those of the database.
 */
MUST_USE enum err status_read(struct office *o, struct db *db, const char *dir, struct json **ret,
                              struct errmsg *e);

/* Its `link` alone; {} without a parent. Owns, Order and Errors as above. */
MUST_USE enum err status_link(struct office *o, struct db *db, struct json **ret, struct errmsg *e);

#endif
