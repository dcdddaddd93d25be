/* Working days by data, not by rule: weekends, and the days off and make-up days that each year's
 * notice names. Pure. Source: the yearly notice, as in schema/catalogue/calendar. */
#ifndef CASEWORK_CALENDAR_H
#define CASEWORK_CALENDAR_H

#include "base/json.h"
#include "base/problem.h"

#include <stdbool.h>

struct calendar;

/* Without any year; calendar_destroy(). */
struct calendar *calendar_create(void);
void calendar_destroy(struct calendar *c); /* NULL is allowed */

/* Add one year: {year, days:[{date, isOffDay, name}]}; the same year again replaces it. */
MUST_USE enum err calendar_load(struct calendar *c, const struct json *year, struct problem *p);

/* Days are days since 1970-01-01 in office time. ERR_NOT_FOUND: the year is not loaded. */
MUST_USE enum err calendar_is_working(const struct calendar *c, int day, bool *ret,
                                      struct problem *p);

/* calendar_add(c, start, n, &due, p):
 * The n-th working day behind start; start itself is not counted. n = 0: start. ERR_NOT_FOUND, with
 * a problem that names the year, when the count passes the last loaded year: no guess is made. */
MUST_USE enum err calendar_add(const struct calendar *c, int start, int n, int *ret_due,
                               struct problem *p);

#endif
