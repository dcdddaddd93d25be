/* A statement that walks through a whole table which grows would make an office slower every year:
 * it is a fault, unless its text says why. The tables below stay small. */
#include "world.h"

#include "base/text_set.h"

#include <string.h>

static struct text_set seen;

static bool stays_small(const char *step)
{
    static const char *const small[] = {
        "link",          "site",   "meta",       "item",    "calendar_year",
        "account",       "lease",  "block",      "origin",  "schema_version",
        "sqlite_schema", "repair", "invitation", "counter", "week"};
    const char *name = step + 5; /* behind "SCAN " */
    size_t n = strcspn(name, " ");

    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        if (strlen(small[i]) == n && !strncmp(small[i], name, n))
            return true;
    return false;
}

/* What these tests themselves ask. */
static bool ours(const char *sql)
{
    static const char *const begins[] = {
        "SELECT count(*) FROM case_file", "SELECT count(*) FROM event",
        "SELECT count(*) FROM (SELECT", "SELECT case_no, state, custodian",
        "SELECT count(*) FROM ticket"};

    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (!strncmp(sql, begins[i], strlen(begins[i])))
            return true;
    return false;
}

static void note(void *arg, const char *sql, const char *step)
{
    bool fresh;

    (void)arg;
    if (stays_small(step) || ours(sql))
        return;
    text_set_put(&seen, sql, &fresh);
    if (fresh)
        fprintf(stderr, "a full scan: %s\n  in: %s\n", step, sql);
}

int plans_check(void)
{
    if (!seen.arena)
        seen.arena = arena_create();
    for (int i = 0; i < SITES; i++)
        if (site[i].db)
            db_each_scan(site[i].db, note, NULL);
    return (int)seen.count;
}
