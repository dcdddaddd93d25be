/* Clocks and randomness as a value, so that a test can bring its own. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stddef.h>
#include <stdint.h>

struct host {
    int64_t (*wall_ms)(void *arg); /* Unix milliseconds; may jump */
    int64_t (*mono_ms)(void *arg); /* runs on through sleep, never jumps back; starts anywhere */
    void (*random)(void *arg, void *p, size_t n); /* fills n bytes, fit for keys */
    void *arg;                                    /* given to each of them */
};

/* The machine's own. It is static: never freed, for every thread. */
const struct host *host_system(void);

/* Each asks the function of the same name. */
static inline int64_t host_wall_ms(const struct host *h)
{
    return h->wall_ms(h->arg);
}
static inline int64_t host_mono_ms(const struct host *h)
{
    return h->mono_ms(h->arg);
}
static inline void host_random(const struct host *h, void *p, size_t n)
{
    h->random(h->arg, p, n);
}

#endif
