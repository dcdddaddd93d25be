/* What a site must remember that is neither fact nor projection: short texts by key, in the table
 * `meta`. Inside a transaction of the writer; reading also in a reader's. Keys in use:
 *
 *   site                whose folder this is
 *   origin              the own chain that is appended to, when it is not the first epoch
 *   hlc                 the newest hybrid clock given out or followed
 *   recall              the own past is being asked for: "asking", then "agreed"
 *   numbers_after       number blocks leased up to this clock are not used any more
 *   lease_clock ...     what was promised by the parent and to children, and when (office/lease.c)
 *   maybe_sent          what the parent may have seen of this site (office/lease.c)
 *   numbers.SITE        new blocks were leased to this life of a child
 *   revoked.SITE        a child that is not let in any more
 *   certificate.SITE    the print of a child's newest certificate
 *   replaced.PRINT      a certificate that is not the newest any more
 */
#ifndef LEDGER_META_H
#define LEDGER_META_H

#include "db/db.h"

/* The text of key, cut to cap - 1 bytes; "" when *ret_there is false. ret_there may be NULL. */
MUST_USE enum err meta_read(struct db *db, const char *key, char *out, size_t cap, bool *ret_there,
                            struct errmsg *e);
/* 0 when it is not there or no number. */
MUST_USE enum err meta_read_u64(struct db *db, const char *key, uint64_t *ret, struct errmsg *e);
MUST_USE enum err meta_write(struct db *db, const char *key, const char *value, struct errmsg *e);
MUST_USE enum err meta_write_u64(struct db *db, const char *key, uint64_t value, struct errmsg *e);
/* OK also when it is not there. */
MUST_USE enum err meta_delete(struct db *db, const char *key, struct errmsg *e);
/* The rests of the keys that begin with `prefix`, which ends with '.', in their order; at most max.
 * fn must not come back here. */
MUST_USE enum err meta_each(struct db *db, const char *prefix, int max,
                            void (*fn)(void *arg, const char *rest), void *arg, struct errmsg *e);

#endif
