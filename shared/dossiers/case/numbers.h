/* Numbers that a case needs, from the blocks of this site. Private to this folder. ERR_CONFLICT with a
 * problem: the block is used up. */
#ifndef CASE_NUMBERS_H
#define CASE_NUMBERS_H

#include "office/office.h"

/* A case's own, of the day of now_ms: 21 digits. */
MUST_USE enum err number_case(struct office *o, struct db *db, int64_t now_ms, char out[22],
                              struct problem *p);
/* A result's: prefix, year, street, six digits. */
MUST_USE enum err number_certificate(struct office *o, struct db *db, const char *prefix,
                                     int64_t now_ms, char out[40], struct problem *p);
/* UPU S10, service EA. */
MUST_USE enum err number_waybill(struct office *o, struct db *db, char out[14], struct problem *p);

#endif
