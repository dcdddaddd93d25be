#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 8192
/* Ordinary blocks that are kept for the next arena, of all threads: 1 MiB. */
#define SPARE_MAX 128

struct block {
    struct block *next;
    void *kept; /* no room of its own: it was allocated elsewhere */
    size_t used, cap;
    _Alignas(16) unsigned char bytes[];
};

struct arena {
    struct block *head;
};

/* ---- blocks -----------------------------------------------------------------------------------*/

/* A batch of events takes a hundred blocks and gives them all back at its end, on another thread:
 * the C library would shrink and grow its heap each time. */
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *spare;
static int spare_count;

#ifdef __SANITIZE_ADDRESS__ /* what is used after its end is to be seen */
#define SPARE_LIMIT 0
#else
#define SPARE_LIMIT SPARE_MAX
#endif

static struct block *block_take(void)
{
    struct block *b;

    pthread_mutex_lock(&spare_lock);
    if ((b = spare)) {
        spare = b->next;
        spare_count--;
    }
    pthread_mutex_unlock(&spare_lock);
    if (!b)
        b = mem_realloc(NULL, sizeof *b + ARENA_BLOCK_BYTES);
    *b = (struct block){.cap = ARENA_BLOCK_BYTES};
    return b;
}

/* A whole list: into the spare ones as far as there is room, the rest back to the C library. */
static void free_blocks(struct block *b)
{
    struct block *rest = NULL;

    pthread_mutex_lock(&spare_lock);
    while (b) {
        struct block *next = b->next, **to = &rest;
        if (b->cap == ARENA_BLOCK_BYTES && spare_count < SPARE_LIMIT) {
            spare_count++;
            to = &spare;
        }
        b->next = *to;
        *to = b;
        b = next;
    }
    pthread_mutex_unlock(&spare_lock);
    while (rest) {
        struct block *next = rest->next;
        mem_free(rest->kept);
        mem_free(rest);
        rest = next;
    }
}

/* ---- arenas -----------------------------------------------------------------------------------*/

struct arena *arena_create(void)
{
    return mem_alloc(sizeof(struct arena));
}

/* One ordinary block stays for the next turn. */
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
    if (kept->next)
        free_blocks(kept->next);
    kept->next = NULL;
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

void *arena_room(struct arena *a, size_t n)
{
    struct block *b = a->head;
    size_t need = (n + 15) & ~(size_t)15;
    void *p;

    assert(need >= n); /* it did not wrap round */
    if (need > ARENA_BLOCK_BYTES)
        return arena_keep(a, mem_realloc(NULL, n));
    if (!b || b->cap - b->used < need) {
        b = block_take();
        b->next = a->head;
        a->head = b;
    }
    p = b->bytes + b->used;
    b->used += need;
    assert(b->used <= b->cap && !((uintptr_t)p & 15));
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return memset(arena_room(a, n), 0, n);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_room(a, n + 1);

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
