#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 8192

struct block {
    struct block *next;
    void *kept; /* no room of its own: it was allocated elsewhere */
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
        mem_free(b->kept);
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
    assert(kept->used <= kept->cap);
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

/* Behind the ordinary block, which goes on being filled. */
static void put_behind(struct arena *a, struct block *b)
{
    struct block **at = a->head ? &a->head->next : &a->head;

    b->next = *at;
    *at = b;
}

void *arena_keep(struct arena *a, void *p)
{
    struct block *b = mem_alloc(sizeof *b);

    assert(p);
    b->kept = p;
    put_behind(a, b);
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct block *b = a->head;
    size_t need = (n + 15) & ~(size_t)15;
    void *p;

    assert(need >= n); /* it did not wrap round */
    if (need > ARENA_BLOCK_BYTES)
        return arena_keep(a, mem_alloc(n));
    if (!b || b->cap - b->used < need) {
        b = mem_alloc(sizeof *b + ARENA_BLOCK_BYTES);
        b->cap = ARENA_BLOCK_BYTES;
        b->next = a->head;
        a->head = b;
    }
    p = b->bytes + b->used;
    b->used += need;
    assert(b->used <= b->cap && !((uintptr_t)p & 15));
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p =
        n < ARENA_BLOCK_BYTES ? arena_alloc(a, n + 1) : arena_keep(a, mem_realloc(NULL, n + 1));

    assert(s);
    memcpy(p, s, n);
    p[n] = 0;
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
    assert(n >= 0);
    p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
