/* Is a filing right by the item it is filed under? Pure; the first fault is named, with what was
 * expected and what came. */
#ifndef CASEWORK_FORM_H
#define CASEWORK_FORM_H

#include "base/json.h"
#include "base/problem.h"

/* form_check(item, filing, p):
 * item and filing in the shapes of schema/catalogue and of POST /cases. Checks the applicant (name,
 * citizen number by GB 11643, mobile), the fields of the form (required, type, length, choices; no
 * unknown ones), the materials (no unknown ones, none twice; what must be there is there: brought,
 * or `later` where it may follow, or `commitment` where a promise stands for it, or fetched by us),
 * and the delivery. Errors: ERR_INVALID with a 422 problem. */
MUST_USE enum err form_check(const struct json *item, const struct json *filing, struct problem *p);

/* The material of an item by its code, or NULL; borrowed. */
const struct json *form_material(const struct json *item, const char *code);

/* One document that is handed in for a material: its type (by content) and size. 415 and 413. */
MUST_USE enum err form_check_document(const struct json *material, const char *media_type,
                                      int64_t bytes, struct problem *p);

#endif
