#include "api/guard.h"

#include "base/crypto.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

#define SETS 4096
#define WAYS 8

struct entry {
    uint64_t key; /* 0: empty */
    int64_t last_ms;
    int tries;
};

struct guard {
    unsigned char seed[16]; /* nobody outside can choose who shares a set */
    struct entry set[SETS][WAYS];
};

static const struct guard_rule sign_in = {GUARD_FREE_TRIES, GUARD_PAUSE_MS, GUARD_PAUSE_MS_MAX,
                                          GUARD_FORGET_MS};

struct guard *guard_create(void)
{
    struct guard *g = mem_alloc(sizeof *g);

    crypto_random(g->seed, sizeof g->seed);
    return g;
}

void guard_destroy(struct guard *g)
{
    mem_free(g);
}

uint64_t guard_key(const struct guard *g, const char *kind, const char *what, const char *where)
{
    const char *const part[] = {kind, what, where};
    struct sha256 *h = sha256_create();
    unsigned char sum[32];
    uint64_t key;

    sha256_update(h, g->seed, sizeof g->seed);
    for (int i = 0; i < 3; i++)
        sha256_update(h, part[i], strlen(part[i]) + 1);
    sha256_final(h, sum);
    sha256_destroy(h);
    memcpy(&key, sum, sizeof key);
    return key ? key : 1;
}

static struct entry *find(const struct guard *g, uint64_t key)
{
    const struct entry *set = g->set[key % SETS];

    assert(key);
    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return (struct entry *)&set[i];
    return NULL;
}

static struct entry *find_or_make(struct guard *g, uint64_t key)
{
    struct entry *x = find(g, key), *set = g->set[key % SETS];

    if (x)
        return x;
    x = &set[0];
    for (int i = 0; i < WAYS && x->key; i++)
        if (!set[i].key || set[i].last_ms < x->last_ms)
            x = &set[i];
    *x = (struct entry){.key = key};
    return x;
}

int64_t guard_wait(const struct guard *g, const struct guard_rule *rule, uint64_t key,
                   int64_t now_ms)
{
    const struct entry *x = find(g, key);

    if (!x || x->tries < rule->free || now_ms - x->last_ms > rule->forget_ms)
        return 0;
    int64_t pause = rule->pause_ms;
    for (int i = rule->free; i < x->tries && pause < rule->pause_ms_max; i++)
        pause *= 2;
    if (pause > rule->pause_ms_max)
        pause = rule->pause_ms_max;
    int64_t left = x->last_ms + pause - now_ms;
    return left > 0 ? left : 0;
}

void guard_count(struct guard *g, const struct guard_rule *rule, uint64_t key, int64_t now_ms)
{
    struct entry *x = find_or_make(g, key);

    if (now_ms - x->last_ms > rule->forget_ms)
        x->tries = 0;
    x->tries++;
    x->last_ms = now_ms;
}

void guard_uncount(struct guard *g, uint64_t key)
{
    struct entry *x = find(g, key);

    if (x && x->tries > 0)
        x->tries--;
}

void guard_clear(struct guard *g, uint64_t key)
{
    struct entry *x = find(g, key);

    if (x)
        memset(x, 0, sizeof *x);
}

int64_t guard_wait_ms(const struct guard *g, const char *username, const char *ip, int64_t now_ms)
{
    return guard_wait(g, &sign_in, guard_key(g, "sign-in", username, ip), now_ms);
}

void guard_failed(struct guard *g, const char *username, const char *ip, int64_t now_ms)
{
    guard_count(g, &sign_in, guard_key(g, "sign-in", username, ip), now_ms);
}

void guard_passed(struct guard *g, const char *username, const char *ip)
{
    guard_clear(g, guard_key(g, "sign-in", username, ip));
}
