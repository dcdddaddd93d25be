/* An arena holds what one job makes and gives it all back at once. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>

struct arena;

struct arena *arena_create(void);    /* empty; arena_destroy() frees it and all it gave */
void arena_destroy(struct arena *a); /* NULL is allowed */
/* Everything it gave is gone; the memory of a small job stays for the next one. */
void arena_reset(struct arena *a);

/* Memory that lives until arena_reset() or arena_destroy(); never NULL. n bytes, zeroed, aligned for
 * any type; n may be 0. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_room(struct arena *a, size_t n); /* the same, not zeroed */
void *arena_keep(struct arena *a, void *p);  /* takes over what mem_alloc() gave; returns it */
char *arena_strdup(struct arena *a, const char *s);            /* a copy of the text */
char *arena_strndup(struct arena *a, const char *s, size_t n); /* of n bytes, and a NUL behind */
/* As printf() makes it. */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

#endif
