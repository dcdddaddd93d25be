/* The sites of the tree, as those above them have said. */
#ifndef OFFICE_SITES_H
#define OFFICE_SITES_H

#include "office/office.h"

enum site_standing {
    SITE_UNKNOWN,
    SITE_STANDS,
    SITE_REVOKED, /* let in no more */
    SITE_LOST,    /* and what it has not sent will never come */
};
/* As the newest fact about it says. */
MUST_USE enum err site_standing_of(struct db *db, const char *code, enum site_standing *ret,
                                   struct errmsg *e);
/* The number that the next fact about it carries: the highest wins. */
MUST_USE enum err site_next_rev(struct db *db, const char *code, int64_t *ret, struct errmsg *e);
/* Its name, or the code where the name is not known or cannot be read. */
void site_name_of(struct db *db, const char *code, char out[64]);

/* {sites: [{site, name, tier, here}]} */
office_fn site_list;

/* site.enrolled/1: {site, name, public_key, rev}; site.revoked/1: the same, and {how: lost, revoked}. The
 * newest fact alone says what stands in the row, so the order in which they come does not matter. */
MUST_USE enum err site_enrolled(struct office *o, struct db *db, const struct event *ev,
                                const struct json *record, const struct json *personal,
                                struct errmsg *e);
MUST_USE enum err site_revoked(struct office *o, struct db *db, const struct event *ev,
                               const struct json *record, const struct json *personal,
                               struct errmsg *e);

#endif
