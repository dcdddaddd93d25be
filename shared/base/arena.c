#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 8192

struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(16) unsigned char bytes[];
};

struct arena {
    struct block *head;
};

struct arena *arena_create(void)
{
    return mem_alloc(sizeof(struct arena));
}

static void free_blocks(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        mem_free(b);
        b = next;
    }
}

/* One ordinary block stays for the next turn, zeroed as far as it was used. */
void arena_reset(struct arena *a)
{
    struct block *kept = a->head;

    if (!kept)
        return;
    if (kept->cap != ARENA_BLOCK_BYTES) {
        free_blocks(kept);
        a->head = NULL;
        return;
    }
    free_blocks(kept->next);
    kept->next = NULL;
    memset(kept->bytes, 0, kept->used);
    kept->used = 0;
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    free_blocks(a->head);
    mem_free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct block *b = a->head;
    size_t need = (n + 15) & ~(size_t)15;
    void *p;

    if (!b || b->cap - b->used < need) {
        size_t cap = need > ARENA_BLOCK_BYTES ? need : ARENA_BLOCK_BYTES;
        b = mem_alloc(sizeof *b + cap);
        b->cap = cap;
        b->next = a->head;
        a->head = b;
    }
    p = b->bytes + b->used;
    b->used += need;
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);

    memcpy(p, s, n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    char *p;
    int n;

    assert(fmt);
    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
