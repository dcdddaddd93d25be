/* Moments as Unix milliseconds, dates as days since 1970-01-01, all read in Beijing time (+08:00).
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

void time_rfc3339(int64_t ms, char out[32]);    /* 2026-01-05T09:30:00.000+08:00 */
void time_date(int64_t ms, char out[11]);       /* 2026-01-05 */
void time_yymmdd(int64_t ms, char out[7]);      /* 260105 */
int time_days(int64_t ms);                      /* the day that ms is in */
void time_date_of_days(int days, char out[11]); /* 2026-01-05; a year beyond 9999 is cut */
int64_t time_start_of_day(int days);            /* its first millisecond */
int time_weekday(int days);                     /* 0 Sunday .. 6 Saturday */

/* Years 0001..9999; a date that is not in the calendar is false. */
bool time_parse_date(const char *text, int *ret_days);
bool time_date_valid(int year, int month, int day);
int time_days_of(int year, int month, int day); /* of a valid date */
/* 2026-01-05T09:30:00.000+08:00 with any offset or Z, T and Z in either case; fractions beyond
 * milliseconds are cut. Else false, and *ret_ms is as it was. */
bool time_parse_rfc3339(const char *text, int64_t *ret_ms);

#endif
