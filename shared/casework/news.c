#include "casework/inside.h"

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
    c->moves |= !strcmp(x->ev.kind, "case.transferred/1") || !strcmp(x->ev.kind, "case.taken_back/1");
}

struct case_news *case_news_of(const struct arrival *list, size_t n, struct arena *a, size_t *ret_count)
{
    struct case_news *news = arena_alloc(a, sizeof *news * (n + 1));
    struct text_set cases = {.arena = a};

    for (size_t i = 0; i < n; i++) {
        bool fresh;
        if (list[i].got == RECEIVED_DUPLICATE || !list[i].ev.case_no[0])
            continue;
        size_t at = text_set_put(&cases, list[i].ev.case_no, &fresh);
        if (fresh)
            news[at] = (struct case_news){.case_no = cases.list[at]};
        add(a, &news[at], &list[i]);
    }
    *ret_count = cases.count;
    return news;
}
