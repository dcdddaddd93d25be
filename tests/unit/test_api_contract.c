/* schema/openapi.yaml names every call that is served, and no other. */
#include "api/inside.h"
#include "base/mem.h"
#include "api/call.h"
#include "net/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#define CALLS_MAX 200

struct named {
    char method[8], path[120];
};

static struct named served[CALLS_MAX], described[CALLS_MAX];
static int served_count, described_count;

static void add(struct named *list, int *count, const char *method, const char *path)
{
    assert_true(*count < CALLS_MAX);
    snprintf(list[*count].method, sizeof list[*count].method, "%s", method);
    snprintf(list[*count].path, sizeof list[*count].path, "%s", path);
    (*count)++;
}

static void read_served(void)
{
    static const struct call *const tables[] = {
        sessions_calls,     cases_calls,      items_calls,   deliveries_calls,
        certificates_calls, statistics_calls, offices_calls, tickets_calls};
    size_t n;
    const struct route *others = api_streamed_routes(&n);

    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct call *c = tables[t]; c->method; c++)
            add(served, &served_count, c->method, c->path);
    for (size_t i = 0; i < n; i++)
        add(served, &served_count, others[i].method, others[i].path);
}

static void read_described(void)
{
    FILE *f = fopen("schema/openapi.yaml", "r");
    char line[4000], path[120] = "", word[32];
    bool in_paths = false;

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (line[0] != ' ' && line[0] != '\n')
            in_paths = !strncmp(line, "paths:", 6);
        if (!in_paths)
            continue;
        if (!strncmp(line, "  /", 3))
            snprintf(path, sizeof path, "%.*s", (int)strcspn(line + 2, ":"), line + 2);
        else if (!strncmp(line, "    ", 4) && line[4] != ' ' &&
                 sscanf(line + 4, "%31[a-z]", word) == 1)
            add(described, &described_count, word, path);
    }
    fclose(f);
}

static bool has(const struct named *list, int count, const struct named *x)
{
    for (int i = 0; i < count; i++)
        if (!strcasecmp(list[i].method, x->method) && !strcmp(list[i].path, x->path))
            return true;
    return false;
}

static void the_contract_and_the_calls_are_the_same(void **state)
{
    (void)state;
    read_served();
    read_described();
    assert_true(served_count > 30);
    for (int i = 0; i < served_count; i++)
        if (!has(described, described_count, &served[i]))
            fail_msg("%s %s is served and not described", served[i].method, served[i].path);
    for (int i = 0; i < described_count; i++)
        if (!has(served, served_count, &described[i]))
            fail_msg("%s %s is described and not served", described[i].method, described[i].path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_contract_and_the_calls_are_the_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
