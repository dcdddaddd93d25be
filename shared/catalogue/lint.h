/* May this item be published? The checks of a city's catalogue office. Source: domain facts, 3.3.
 */
#ifndef CASEWORK_LINT_H
#define CASEWORK_LINT_H

#include "base/json.h"
#include "base/problem.h"

/* ERR_INVALID with a 422 problem that names the field. */
MUST_USE enum err lint_item(const struct json *item, struct problem *p);

#endif
