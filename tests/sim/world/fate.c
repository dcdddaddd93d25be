/* Time and chance: the dice of a seed, what happens when, and the trace of what has happened. */
#include "world.h"

#include "base/mem.h"

#include <stdarg.h>

int64_t now;
const char *broken;

/* ---- chance and trace -------------------------------------------------------------------------*/

static uint64_t state;

static uint64_t next_random(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void fate_seed(uint64_t seed)
{
    state = seed;
}

uint64_t dice(uint64_t below)
{
    return below ? next_random() % below : 0;
}

#define RING 400
static char ring[RING][520];
static uint64_t ring_count;
static bool all; /* each line goes out at once */

void trace(const char *fmt, ...)
{
    char *line = ring[ring_count++ % RING];
    va_list ap;
    int n = snprintf(line, sizeof ring[0], "%10.3f ", (double)now / 1000);

    va_start(ap, fmt);
    vsnprintf(line + n, sizeof ring[0] - (size_t)n, fmt, ap);
    va_end(ap);
    if (all)
        puts(line);
}

void fate_trace_all(void)
{
    all = true;
}

void fate_tell(void)
{
    if (!all)
        for (uint64_t i = ring_count > 60 ? ring_count - 60 : 0; i < ring_count; i++)
            printf("  %s\n", ring[i % RING]);
}

void breach(const char *fmt, ...)
{
    static char text[500];
    va_list ap;

    if (broken)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    broken = text;
    trace("BROKEN: %s", text);
}

/* ---- what happens when ------------------------------------------------------------------------*/

struct moment {
    int64_t at;
    uint64_t order;
    void (*fn)(int a, int b);
    int a, b;
};

static struct moment *heap;
static int heap_count, heap_cap;
static uint64_t orders;

static bool before(const struct moment *x, const struct moment *y)
{
    return x->at != y->at ? x->at < y->at : x->order < y->order;
}

void later(int64_t ms, void (*fn)(int a, int b), int a, int b)
{
    if (heap_count == heap_cap) {
        heap_cap = heap_cap ? heap_cap * 2 : 256;
        heap = mem_realloc(heap, sizeof *heap * (size_t)heap_cap);
    }
    int i = heap_count++;
    heap[i] = (struct moment){now + ms, orders++, fn, a, b};
    for (; i && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2) {
        struct moment m = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = m;
    }
}

static struct moment pop(void)
{
    struct moment top = heap[0];
    int i = 0;

    heap[0] = heap[--heap_count];
    for (;;) {
        int least = i;
        for (int k = 2 * i + 1; k <= 2 * i + 2 && k < heap_count; k++)
            if (before(&heap[k], &heap[least]))
                least = k;
        if (least == i)
            return top;
        struct moment m = heap[i];
        heap[i] = heap[least];
        heap[least] = m;
        i = least;
    }
}

void fate_run(int64_t end)
{
    while (heap_count && !broken && heap[0].at <= end) {
        struct moment m = pop();
        now = m.at;
        m.fn(m.a, m.b);
    }
    if (now < end)
        now = end;
}

void fate_reset(void)
{
    heap_count = 0;
    orders = 0;
    now = 0;
    broken = NULL;
    ring_count = 0;
}
