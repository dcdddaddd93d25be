/* A set of short texts, each once, in the order in which they were first put in. Memory is an
 * arena's. */
#ifndef BASE_TEXT_SET_H
#define BASE_TEXT_SET_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_set {
    struct arena *arena; /* the caller's */
    const char **list;   /* list[0 .. count); room for cap */
    size_t count, cap;
    uint32_t *slots;   /* number + 1 of what hashes here; 0: free */
    size_t slot_count; /* a power of two */
};

/* text_set_put(s, text, ret_new): the number of the text, list[number]; *ret_new (may be NULL): it
 * was not there before. Begin with {.arena = a}; the text is copied. */
size_t text_set_put(struct text_set *s, const char *text, bool *ret_new);
/* Is it in? */
bool text_set_has(const struct text_set *s, const char *text);

#endif
