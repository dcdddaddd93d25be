/* Beginnings and ends in the tree of sites. */
#ifndef OFFICE_ENROL_H
#define OFFICE_ENROL_H

#include "office/office.h"

/* A hub tells of itself, and takes its numbers. Once, in an empty ledger. */
MUST_USE enum err office_found(struct office *o, struct db *db, struct errmsg *e);

/**
 * office_enrol(o, db, site, name, public_key_hex, case_numbers, e):
 * Take the child ${site} in: its link, its key, its numbers, and all that it must know. One that is
 * here already gets everything again, under its new key.
 *
 * Errors  ERR_INVALID: the key is not 64 hex digits. Others of the store.
 */
MUST_USE enum err office_enrol(struct office *o, struct db *db, const char *site, const char *name,
                               const char *public_key_hex, int64_t case_numbers, struct errmsg *e);

/* The child is let in no more, until it is enrolled again; lost: what it has not sent will never
 * come. ERR_NOT_FOUND: no such child. */
MUST_USE enum err office_revoke(struct office *o, struct db *db, const char *site, bool lost,
                                struct errmsg *e);

/* Say what this program knows, if that is not what was said last; and begin the numbers of which the one
 * before knew nothing (blocks_grow). Nothing while the site is getting its past back. */
MUST_USE enum err office_announce(struct office *o, struct db *db, struct errmsg *e);

#endif
