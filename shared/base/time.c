#include "base/time.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ZONE_MS (8 * 3600 * 1000LL)
#define DAY_MS 86400000LL

static int64_t floor_div(int64_t a, int64_t b)
{
    assert(b > 0);
    return a / b - (a % b < 0);
}

/* Days to calendar and back: years of 1 March, 400-year cycles of 146097 days. */
int time_days_of(int year, int month, int day)
{
    int y = year - (month <= 2);
    int cycle = (int)floor_div(y, 400);
    int of_cycle = y - cycle * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return cycle * 146097 + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year - 719468;
}

static void split_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t cycle = floor_div(z, 146097);
    int of_cycle = (int)(z - cycle * 146097);
    int y = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int of_year = of_cycle - (365 * y + y / 4 - y / 100);
    int m = (5 * of_year + 2) / 153;

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = (int)(y + cycle * 400) + (*month <= 2);
    assert(*month >= 1 && *month <= 12 && *day >= 1 && *day <= 31);
}

static int clamp_year(int year)
{
    return year < 0 ? 0 : year > 9999 ? 9999 : year;
}

bool time_date_valid(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap);
}

int time_days(int64_t ms)
{
    return (int)floor_div(ms + ZONE_MS, DAY_MS);
}

int64_t time_start_of_day(int days)
{
    return days * DAY_MS - ZONE_MS;
}

int time_weekday(int days)
{
    int w = (days + 4) % 7; /* 1970-01-01 was a Thursday */

    return w < 0 ? w + 7 : w;
}

void time_date_of_days(int days, char out[11])
{
    int y, m, d;

    split_days(days, &y, &m, &d);
    snprintf(out, 11, "%04u-%02u-%02u", (unsigned)clamp_year(y) % 10000, (unsigned)m % 100,
             (unsigned)d % 100);
}

void time_date(int64_t ms, char out[11])
{
    time_date_of_days(time_days(ms), out);
}

void time_yymmdd(int64_t ms, char out[7])
{
    char date[11];

    time_date(ms, date);
    memcpy(out, date + 2, 2);
    memcpy(out + 2, date + 5, 2);
    memcpy(out + 4, date + 8, 2);
    out[6] = 0;
}

void time_rfc3339(int64_t ms, char out[32])
{
    unsigned of_day = (unsigned)(ms + ZONE_MS - time_days(ms) * DAY_MS);
    char date[11];

    time_date(ms, date);
    snprintf(out, 32, "%sT%02u:%02u:%02u.%03u+08:00", date, of_day / 3600000 % 24,
             of_day / 60000 % 60, of_day / 1000 % 60, of_day % 1000);
}

/* Exactly n digits at *p; moves on. -1: not digits. */
static int digits(const char **p, int n)
{
    int v = 0;

    while (n--) {
        if (**p < '0' || **p > '9')
            return -1;
        v = v * 10 + (*(*p)++ - '0');
    }
    return v;
}

static bool mark(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static bool parse_date_at(const char **p, int *ret_days)
{
    int y, m, d;

    if ((y = digits(p, 4)) < 0 || !mark(p, '-') || (m = digits(p, 2)) < 0 || !mark(p, '-') ||
        (d = digits(p, 2)) < 0 || !time_date_valid(y, m, d))
        return false;
    *ret_days = time_days_of(y, m, d);
    return true;
}

bool time_parse_date(const char *text, int *ret_days)
{
    int days;

    if (!text || !parse_date_at(&text, &days) || *text)
        return false;
    *ret_days = days;
    return true;
}

bool time_parse_rfc3339(const char *text, int64_t *ret_ms)
{
    int days, h, m, s, ms = 0, offset_min = 0;

    if (!text || !parse_date_at(&text, &days) || (!mark(&text, 'T') && !mark(&text, 't')))
        return false;
    if ((h = digits(&text, 2)) < 0 || !mark(&text, ':') || (m = digits(&text, 2)) < 0 ||
        !mark(&text, ':') || (s = digits(&text, 2)) < 0 || h > 23 || m > 59 || s > 60)
        return false;
    if (mark(&text, '.')) {
        int unit = 100;
        if (*text < '0' || *text > '9')
            return false;
        for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
            ms += (*text - '0') * unit;
    }
    if (!mark(&text, 'Z') && !mark(&text, 'z')) {
        int sign = mark(&text, '+') ? 1 : mark(&text, '-') ? -1 : 0, oh, om;
        if (!sign || (oh = digits(&text, 2)) < 0 || !mark(&text, ':') ||
            (om = digits(&text, 2)) < 0 || oh > 23 || om > 59)
            return false;
        offset_min = sign * (oh * 60 + om);
    }
    if (*text)
        return false;
    *ret_ms = days * DAY_MS + ((h * 60LL + m - offset_min) * 60 + s) * 1000 + ms;
    return true;
}
