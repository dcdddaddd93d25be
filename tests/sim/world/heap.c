/* malloc for one thread: lists of equal pieces, nothing ever given back or joined. A seed makes and
 * drops a million small things; the C library's care for threads and fragments was a sixth of its
 * time. Not with sanitizers. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SMALL 1024  /* in steps of 16 */
#define CLASSES 160 /* then four to each doubling */
#define SLAB (4u << 20)

struct piece {
    size_t class; /* CLASSES: a mapping of its own, `room` bytes with this head */
    size_t room;
};

static struct piece *spare[CLASSES];
static unsigned char *fresh;
static size_t fresh_left;

static struct piece **next_of(struct piece *p)
{
    return (struct piece **)(void *)(p + 1);
}

static size_t class_of(size_t n, size_t *room)
{
    if (n <= SMALL) {
        size_t c = n ? (n - 1) / 16 : 0;
        *room = (c + 1) * 16;
        return c;
    }
    size_t top = 63 - (size_t)__builtin_clzl(n - 1); /* 2^top <= n - 1 */
    size_t quarter = (n - 1) >> (top - 2);           /* 4..7 */
    *room = (quarter + 1) << (top - 2);
    return SMALL / 16 + (top - 10) * 4 + quarter - 4;
}

static void *map(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* *clean: the memory is zero. */
static void *take(size_t n, int *clean)
{
    size_t room, class = class_of(n, &room);
    struct piece *p;

    *clean = 1;
    if (room >= SLAB / 2) {
        room = (n + sizeof *p + 4095) & ~(size_t)4095;
        if (room < n || !(p = map(room)))
            return NULL;
        *p = (struct piece){CLASSES, room};
        return p + 1;
    }
    if ((p = spare[class])) {
        spare[class] = *next_of(p);
        *clean = 0;
        return p + 1;
    }
    if (fresh_left < room + sizeof *p) {
        if (!(fresh = map(SLAB)))
            return NULL;
        fresh_left = SLAB;
    }
    p = (struct piece *)(void *)fresh;
    fresh += room + sizeof *p;
    fresh_left -= room + sizeof *p;
    *p = (struct piece){class, room};
    return p + 1;
}

void *malloc(size_t n)
{
    int clean;

    return take(n, &clean);
}

void free(void *at)
{
    struct piece *p = (struct piece *)at - 1;

    if (!at)
        return;
    if (p->class == CLASSES) {
        munmap(p, p->room);
        return;
    }
    *next_of(p) = spare[p->class];
    spare[p->class] = p;
}

void *calloc(size_t n, size_t size)
{
    size_t all;
    int clean;

    if (__builtin_mul_overflow(n, size, &all))
        return NULL;
    void *p = take(all, &clean);
    return p && !clean ? memset(p, 0, all) : p;
}

size_t malloc_usable_size(void *at)
{
    struct piece *p = (struct piece *)at - 1;

    return !at ? 0 : p->class == CLASSES ? p->room - sizeof *p : p->room;
}

void *realloc(void *at, size_t n)
{
    size_t had = malloc_usable_size(at);
    void *to;

    if (at && n <= had && (n > had / 2 || had < 256))
        return at;
    if (!(to = malloc(n)))
        return NULL;
    if (at)
        memcpy(to, at, had < n ? had : n);
    free(at);
    return to;
}

/* Pieces are aligned to 16; who wants more is not given anything back for it. */
void *aligned_alloc(size_t align, size_t n)
{
    if (align <= 16)
        return malloc(n);
    unsigned char *p = map((n + align + sizeof(struct piece) + 4095) & ~(size_t)4095);
    if (!p)
        return NULL;
    uintptr_t at = ((uintptr_t)p + sizeof(struct piece) + align - 1) & ~(uintptr_t)(align - 1);
    size_t room, class = class_of(16, &room);
    *((struct piece *)at - 1) = (struct piece){class, room}; /* freed, it serves as a small piece */
    return (void *)at;
}

void *memalign(size_t align, size_t n)
{
    return aligned_alloc(align, n);
}

int posix_memalign(void **ret, size_t align, size_t n)
{
    return (*ret = aligned_alloc(align, n)) ? 0 : ENOMEM;
}

#endif
