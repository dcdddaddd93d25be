/* A fixed table of the last failures. When it is full the oldest entry gives way: an attacker with
 * very many names gains nothing against one name, whose entry is fresh. */
#include "api/guard.h"

#include "base/mem.h"

#include <string.h>

#define ENTRIES 4096

struct entry {
    uint64_t key; /* 0: empty */
    int64_t last_ms;
    int failures;
};

struct guard {
    struct entry entry[ENTRIES];
};

static uint64_t key_of(const char *username, const char *ip)
{
    uint64_t h = 1469598103934665603ULL;
    for (const char *p = username; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    h = (h ^ 0xff) * 1099511628211ULL;
    for (const char *p = ip; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    return h ? h : 1;
}

struct guard *guard_create(void)
{
    return mem_alloc(sizeof(struct guard));
}

void guard_destroy(struct guard *g)
{
    mem_free(g);
}

static struct entry *find(const struct guard *g, uint64_t key)
{
    for (int i = 0; i < ENTRIES; i++)
        if (g->entry[i].key == key)
            return (struct entry *)&g->entry[i];
    return NULL;
}

int64_t guard_wait_ms(const struct guard *g, const char *username, const char *ip, int64_t now_ms)
{
    const struct entry *x = find(g, key_of(username, ip));
    if (!x || x->failures < GUARD_FREE_TRIES || now_ms - x->last_ms > GUARD_FORGET_MS)
        return 0;
    int64_t pause = GUARD_PAUSE_MS;
    for (int i = GUARD_FREE_TRIES; i < x->failures && pause < GUARD_PAUSE_MS_MAX; i++)
        pause *= 2;
    if (pause > GUARD_PAUSE_MS_MAX)
        pause = GUARD_PAUSE_MS_MAX;
    int64_t left = x->last_ms + pause - now_ms;
    return left > 0 ? left : 0;
}

void guard_failed(struct guard *g, const char *username, const char *ip, int64_t now_ms)
{
    uint64_t key = key_of(username, ip);
    struct entry *x = find(g, key);
    if (!x) {
        x = &g->entry[0];
        for (int i = 0; i < ENTRIES && x->key; i++)
            if (!g->entry[i].key || g->entry[i].last_ms < x->last_ms)
                x = &g->entry[i];
        *x = (struct entry){.key = key};
    } else if (now_ms - x->last_ms > GUARD_FORGET_MS) {
        x->failures = 0;
    }
    x->failures++;
    x->last_ms = now_ms;
}

void guard_passed(struct guard *g, const char *username, const char *ip)
{
    struct entry *x = find(g, key_of(username, ip));
    if (x)
        memset(x, 0, sizeof *x);
}
