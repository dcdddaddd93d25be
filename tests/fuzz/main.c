/* Without libFuzzer: every file of the corpus, every seed, and a fixed number of mutations of them.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 256
#define ROUNDS 30000

static struct {
    uint8_t *p;
    size_t n;
} seeds[SEEDS_MAX];
static int count;
static uint64_t state = 88172645463325252ULL;

static uint64_t dice(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? state % below : 0;
}

static void give(const void *p, size_t n)
{
    if (count == SEEDS_MAX)
        return;
    seeds[count].p = malloc(n + 1);
    memcpy(seeds[count].p, p, n);
    seeds[count++].n = n;
    LLVMFuzzerTestOneInput(p, n);
}

static void read_corpus(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *x;

    while (d && (x = readdir(d))) {
        char name[600];
        static uint8_t bytes[1 << 20];
        if (x->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, x->d_name);
        FILE *f = fopen(name, "rb");
        if (f) {
            give(bytes, fread(bytes, 1, sizeof bytes, f));
            fclose(f);
        }
    }
    if (d)
        closedir(d);
}

static void mutate(void)
{
    int i = (int)dice((uint64_t)count);
    size_t n = seeds[i].n, cap = n + 64;
    uint8_t *p = malloc(cap);

    memcpy(p, seeds[i].p, n);
    for (uint64_t k = 1 + dice(6); k; k--)
        switch (dice(5)) {
        case 0:
            if (n)
                p[dice(n)] ^= (uint8_t)(1u << dice(8));
            break;
        case 1:
            if (n)
                p[dice(n)] = (uint8_t)dice(256);
            break;
        case 2:
            n = dice(n + 1);
            break;
        case 3:
            for (uint64_t m = dice(9); m && n < cap; m--)
                p[n++] = (uint8_t)dice(256);
            break;
        case 4:
            if (n > 2) {
                size_t at = dice(n - 1);
                memmove(p + at, p + at + 1, n - at - 1);
                n--;
            }
            break;
        }
    LLVMFuzzerTestOneInput(p, n);
    free(p);
}

int main(int argc, char **argv)
{
    fuzz_seeds(give);
    if (argc > 1)
        read_corpus(argv[1]);
    for (int i = 0; i < ROUNDS && count; i++)
        mutate();
    for (int i = 0; i < count; i++)
        free(seeds[i].p);
    printf("1 passed, 0 failed\n");
    return 0;
}
