#include "base/host.h"

#include "base/crypto.h"

#include <time.h>

static int64_t now_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t wall_ms(void *arg)
{
    (void)arg;
    return now_ms(CLOCK_REALTIME);
}

/* CLOCK_BOOTTIME counts while the machine sleeps: a lease must run out in a closed laptop too. */
static int64_t mono_ms(void *arg)
{
    (void)arg;
    return now_ms(CLOCK_BOOTTIME);
}

static void random_bytes(void *arg, void *p, size_t n)
{
    (void)arg;
    crypto_random(p, n);
}

const struct host *host_system(void)
{
    static const struct host system = {wall_ms, mono_ms, random_bytes, NULL};

    return &system;
}
