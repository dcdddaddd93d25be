/* Items (事项) and calendars: published by the district, read everywhere. */
#ifndef CATALOGUE_ITEMS_H
#define CATALOGUE_ITEMS_H

#include "office/office.h"

/* For dossiers/all.c. */
extern const struct fact_group catalogue_facts, calendar_facts;

/* {q?} -> {items}; {code} -> the item; one item or one year of the calendar -> {code, year}. */
office_fn item_list, item_show, item_import;

/* The newest version of an item; *ret NULL: unknown. The caller's. */
MUST_USE enum err item_load(struct db *db, const char *code, struct json **ret, struct errmsg *e);
#define ITEM_TIERS_BYTES 40
/* Who decides one version of it, also an older one: " community street "; " ": nobody; "": no such
 * version was published. */
MUST_USE enum err item_tiers(struct db *db, const char *code, int64_t version,
                             char ret[ITEM_TIERS_BYTES], struct errmsg *e);
/* Until when the office promises an answer to what is filed at from_ms; *ret_ms 0: no promise can be
 * made. Writer only. */
MUST_USE enum err item_promise(struct office *o, struct db *db, const struct json *item,
                               int64_t from_ms, int64_t *ret_ms, struct errmsg *e);

#endif
