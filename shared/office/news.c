/* Grouping a batch by its dossiers. */
#include "office/news.h"

#include "base/text_set.h"
#include "office/load.h"

#include <string.h>

static void add(struct arena *a, struct news *n, struct arrival *x)
{
    if (n->count == n->cap) {
        struct arrival **at = arena_alloc(a, sizeof *at * (n->cap * 2 + 6));
        if (n->count)
            memcpy(at, n->at, sizeof *at * n->count);
        n->at = at;
        n->cap = n->cap * 2 + 6;
    }
    n->at[n->count++] = x;
}

static struct office_ahead *group(const struct office_work *w, struct arrival *list, size_t n,
                                  struct arena *a)
{
    struct office_ahead *x = arena_alloc(a, sizeof *x);
    struct text_set ids = {.arena = a};

    *x = (struct office_ahead){.news = arena_alloc(a, sizeof *x->news * (n + 1))};
    for (size_t i = 0; i < n; i++) {
        bool fresh;
        if (list[i].got == RECEIVED_DUPLICATE || !list[i].ev.dossier[0])
            continue;
        size_t at = text_set_put(&ids, list[i].ev.dossier, &fresh);
        if (fresh)
            x->news[at] =
                (struct news){.id = ids.list[at], .type = dossier_type_of(w, ids.list[at])};
        add(a, &x->news[at], &list[i]);
    }
    x->ids = ids.list;
    x->id_count = ids.count;
    for (size_t i = 0; i < x->id_count; i++) {
        x->news[i].sent_down = arena_alloc(a, sizeof(bool) * x->news[i].count);
        memset(x->news[i].sent_down, 0, sizeof(bool) * x->news[i].count);
    }
    if (n)
        list[0].ahead = x;
    return x;
}

const struct office_ahead *office_ahead(const struct office_work *w, struct arrival *list, size_t n,
                                        struct arena *a)
{
    struct office_ahead *x = group(w, list, n, a);

    for (size_t i = 0; i < x->id_count; i++) {
        struct news *one = &x->news[i];
        bool holds = false;
        if (one->type)
            one->folded = dossier_of_arrivals(one->type, one->at, one->count, a, &holds);
        if (holds) { /* it must be freed, and nobody is there to do it: it is folded again later */
            dossier_unfold(one->folded);
            one->folded = NULL;
        }
    }
    return x;
}

struct office_ahead *office_news(const struct office_work *w, struct arrival *list, size_t n,
                                 struct arena *a)
{
    /* It was made by us, in the same arena. */
    struct office_ahead *x = n ? (struct office_ahead *)(uintptr_t)list[0].ahead : NULL;
    bool fresh = x != NULL;

    if (x && x->settled)
        return x;
    for (size_t i = 0; fresh && i < n; i++)
        fresh = list[i].got != RECEIVED_DUPLICATE;
    if (!fresh)
        x = group(w, list, n, a);
    x->settled = true;
    return x;
}
