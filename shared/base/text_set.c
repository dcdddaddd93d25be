#include "base/text_set.h"

#include <assert.h>
#include <string.h>

static uint32_t hash_of(const char *text)
{
    uint32_t h = 2166136261u;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

static size_t slot_of(const struct text_set *s, const char *text)
{
    size_t i = hash_of(text) & (s->slot_count - 1);

    assert(s->slot_count > s->count && !(s->slot_count & (s->slot_count - 1)));
    while (s->slots[i] && strcmp(s->list[s->slots[i] - 1], text))
        i = (i + 1) & (s->slot_count - 1);
    return i;
}

static void grow(struct text_set *s)
{
    size_t cap = s->cap ? s->cap * 2 : 8;

    assert(s->arena && cap <= UINT32_MAX / 2);
    const char **list = arena_alloc(s->arena, sizeof *list * cap);

    if (s->count)
        memcpy(list, s->list, sizeof *list * s->count);
    s->list = list;
    s->cap = cap;
    s->slot_count = cap * 2;
    s->slots = arena_alloc(s->arena, sizeof *s->slots * s->slot_count);
    memset(s->slots, 0, sizeof *s->slots * s->slot_count);
    for (size_t i = 0; i < s->count; i++)
        s->slots[slot_of(s, s->list[i])] = (uint32_t)i + 1;
}

size_t text_set_put(struct text_set *s, const char *text, bool *ret_new)
{
    size_t at;

    assert(text);
    if (s->count == s->cap)
        grow(s);
    at = slot_of(s, text);
    if (ret_new)
        *ret_new = !s->slots[at];
    if (!s->slots[at]) {
        s->list[s->count] = arena_strdup(s->arena, text);
        s->slots[at] = (uint32_t)++s->count;
    }
    return s->slots[at] - 1;
}

bool text_set_has(const struct text_set *s, const char *text)
{
    return s->count && s->slots[slot_of(s, text)];
}
