#include "catalogue/calendar.h"

#include "base/mem.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define YEARS_MAX 64
#define YEAR_DAYS 366

enum mark { MARK_NONE, MARK_OFF, MARK_WORK };

struct year {
    int year;
    unsigned char mark[YEAR_DAYS]; /* enum mark, by day of the year */
};

struct calendar {
    struct year year[YEARS_MAX];
    int count;
};

struct calendar *calendar_create(void)
{
    return mem_alloc(sizeof(struct calendar));
}

void calendar_destroy(struct calendar *c)
{
    mem_free(c);
}

static const struct year *find(const struct calendar *c, int year)
{
    for (int i = 0; i < c->count; i++)
        if (c->year[i].year == year)
            return &c->year[i];
    return NULL;
}

static int year_of(int day)
{
    char text[11];
    int year = 0;

    time_date_of_days(day, text);
    if (sscanf(text, "%4d", &year) != 1)
        return 0;
    return year;
}

static enum err wrong(struct problem *p, const char *field, const char *expected, const char *found)
{
    problem_set(p, 422, "calendar-invalid", field, expected, found, "日历数据不正确",
                "The calendar is not right");
    return ERR_INVALID;
}

enum err calendar_load(struct calendar *c, const struct json *in, struct problem *p)
{
    const struct json *days = json_get(in, "days");
    int64_t number = json_get_int(in, "year", 0);
    struct year y = {.year = (int)number};
    struct year *slot = NULL;

    if (number < 1950 || number > 2200)
        return wrong(p, "year", "a year", NULL);
    if (!json_is_array(days))
        return wrong(p, "days", "a list of days", NULL);
    for (size_t i = 0; i < json_count(days); i++) {
        const struct json *d = json_at(days, i);
        const char *date = json_get_text(d, "date");
        char field[40];
        int day;

        snprintf(field, sizeof field, "days[%zu].date", i);
        if (!time_parse_date(date, &day) || year_of(day) != y.year)
            return wrong(p, field, "a date of the year", date);
        if (!json_is_bool(json_get(d, "isOffDay")))
            return wrong(p, field, "isOffDay true or false", NULL);
        y.mark[day - time_days_of(y.year, 1, 1)] =
            json_get_bool(d, "isOffDay", false) ? MARK_OFF : MARK_WORK;
    }
    for (int i = 0; i < c->count; i++)
        if (c->year[i].year == y.year)
            slot = &c->year[i];
    if (!slot && c->count == YEARS_MAX)
        return wrong(p, "year", "at most 64 years", NULL);
    if (!slot)
        slot = &c->year[c->count++];
    *slot = y;
    return OK;
}

enum err calendar_is_working(const struct calendar *c, int day, bool *ret, struct problem *p)
{
    int number = year_of(day), weekday = time_weekday(day);
    const struct year *y = find(c, number);
    char found[16];

    if (!y) {
        snprintf(found, sizeof found, "%d", number);
        problem_set(p, 409, "calendar-missing", "", "a calendar of the year", found,
                    "还没有导入该年度的工作日历，不能推算期限",
                    "The working-day calendar of that year is not loaded");
        return ERR_NOT_FOUND;
    }
    switch ((enum mark)y->mark[day - time_days_of(number, 1, 1)]) {
    case MARK_OFF:
        *ret = false;
        break;
    case MARK_WORK:
        *ret = true;
        break;
    case MARK_NONE:
        *ret = weekday != 0 && weekday != 6;
        break;
    }
    return OK;
}

enum err calendar_add(const struct calendar *c, int start, int n, int *ret_due, struct problem *p)
{
    int day = start;

    while (n > 0) {
        bool working;
        enum err err = calendar_is_working(c, ++day, &working, p);
        if (err != OK)
            return err;
        n -= working;
    }
    *ret_due = day;
    return OK;
}
