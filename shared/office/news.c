/* New events by their cases, found out once for all that come together. */
#include "office/inside.h"

#include "base/text_set.h"

#include <string.h>

static void add(struct arena *a, struct case_news *c, const struct arrival *x)
{
    if (c->count == c->cap) {
        struct arrival **at = arena_alloc(a, sizeof *at * (c->cap * 2 + 6));
        if (c->count)
            memcpy(at, c->at, sizeof *at * c->count);
        c->at = at;
        c->cap = c->cap * 2 + 6;
    }
    c->at[c->count++] = (struct arrival *)(uintptr_t)x;
    c->filed |= !strcmp(x->ev.kind, "case.filed/1");
    c->moves |=
        !strcmp(x->ev.kind, "case.transferred/1") || !strcmp(x->ev.kind, "case.taken_back/1");
}

static struct case_news *group(const struct arrival *list, size_t n, struct arena *a,
                               struct text_set *ret_cases)
{
    struct case_news *news = arena_alloc(a, sizeof *news * (n + 1));
    struct text_set cases = {.arena = a};

    for (size_t i = 0; i < n; i++) {
        bool fresh;
        if (list[i].got == RECEIVED_DUPLICATE || !list[i].ev.dossier[0])
            continue;
        size_t at = text_set_put(&cases, list[i].ev.dossier, &fresh);
        if (fresh)
            news[at] = (struct case_news){.case_no = cases.list[at]};
        add(a, &news[at], &list[i]);
    }
    *ret_cases = cases;
    return news;
}

struct case_news *case_news_of(const struct arrival *list, size_t n, struct arena *a,
                               size_t *ret_count)
{
    const struct office_ahead *ahead = n ? list[0].ahead : NULL;
    struct text_set cases;

    for (size_t i = 0; ahead && i < n; i++)
        if (list[i].got == RECEIVED_DUPLICATE)
            ahead = NULL;
    if (ahead) {
        *ret_count = ahead->case_count;
        return ahead->news;
    }
    struct case_news *news = group(list, n, a, &cases);
    *ret_count = cases.count;
    return news;
}

const struct office_ahead *office_ahead(struct arrival *list, size_t n, struct arena *a)
{
    struct office_ahead *x = arena_alloc(a, sizeof *x);
    struct text_set cases;

    x->news = group(list, n, a, &cases);
    x->cases = cases.list;
    x->case_count = cases.count;
    for (size_t i = 0; i < x->case_count; i++)
        x->news[i].folded = case_fold_ahead(&x->news[i], a);
    if (n)
        list[0].ahead = x;
    return x;
}
