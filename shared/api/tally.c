#include "api/tally.h"

#include "base/crypto.h"
#include "base/mem.h"

#include <string.h>

#define SETS 4096
#define WAYS 8

struct entry {
    uint64_t key; /* 0: empty */
    int64_t began_ms, sum;
};

struct tally {
    unsigned char seed[16];
    struct entry set[SETS][WAYS];
};

struct tally *tally_create(void)
{
    struct tally *t = mem_alloc(sizeof *t);

    crypto_random(t->seed, sizeof t->seed);
    return t;
}

void tally_destroy(struct tally *t)
{
    mem_free(t);
}

static uint64_t key_of(const struct tally *t, const char *kind, const char *whose)
{
    struct sha256 *h = sha256_create();
    unsigned char sum[32];
    uint64_t key;

    sha256_update(h, t->seed, sizeof t->seed);
    sha256_update(h, kind, strlen(kind) + 1);
    sha256_update(h, whose, strlen(whose));
    sha256_final(h, sum);
    sha256_destroy(h);
    memcpy(&key, sum, sizeof key);
    return key ? key : 1;
}

static const struct entry *find(const struct tally *t, uint64_t key)
{
    const struct entry *set = t->set[key % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

int64_t tally_of(const struct tally *t, const char *kind, const char *whose, int64_t window_ms,
                 int64_t now_ms)
{
    const struct entry *x = find(t, key_of(t, kind, whose));

    return x && now_ms - x->began_ms < window_ms ? x->sum : 0;
}

void tally_add(struct tally *t, const char *kind, const char *whose, int64_t window_ms,
               int64_t now_ms, int64_t n)
{
    uint64_t key = key_of(t, kind, whose);
    struct entry *set = t->set[key % SETS], *x = (struct entry *)find(t, key);

    if (!x) {
        x = &set[0];
        for (int i = 0; i < WAYS && x->key; i++)
            if (!set[i].key || set[i].began_ms < x->began_ms)
                x = &set[i];
        *x = (struct entry){.key = key, .began_ms = now_ms};
    } else if (now_ms - x->began_ms >= window_ms) {
        x->began_ms = now_ms;
        x->sum = 0;
    }
    x->sum += n;
}
