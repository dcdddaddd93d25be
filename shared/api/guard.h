/* Counts tries that may be guesses, so that passwords and codes cannot be tried at speed. Pure. */
#ifndef API_GUARD_H
#define API_GUARD_H

#include <stdint.h>

struct guard;

/* What is counted together, and how it slows down. */
struct guard_rule {
    int free;             /* tries before a pause is asked for */
    int64_t pause_ms;     /* after the first of them; doubles with each */
    int64_t pause_ms_max; /* up to this */
    int64_t forget_ms;    /* without a try for so long, it begins anew */
};

#define GUARD_FREE_TRIES 8
#define GUARD_PAUSE_MS (30LL * 1000)
#define GUARD_PAUSE_MS_MAX (900LL * 1000)
#define GUARD_FORGET_MS (3600LL * 1000)

/* A fixed table: where it is full, the entry that was tried longest ago gives way, so an attacker
 * with very many names gains nothing against one name, whose entry is fresh. */
struct guard *guard_create(void);
void guard_destroy(struct guard *g);

/* What kind of try it is, of what, from where; any text may be "". Never 0. */
uint64_t guard_key(const struct guard *g, const char *kind, const char *what, const char *where);
/* Milliseconds until the next try is heard; 0: now. now_ms is monotonic. */
int64_t guard_wait(const struct guard *g, const struct guard_rule *rule, uint64_t key,
                   int64_t now_ms);
/* One more try. Count it before it is looked at: those that run at once are all counted then. */
void guard_count(struct guard *g, const struct guard_rule *rule, uint64_t key, int64_t now_ms);
/* The try was none: take its count back. */
void guard_uncount(struct guard *g, uint64_t key);
/* It was right: forget all that went before. */
void guard_clear(struct guard *g, uint64_t key);

/* The same of sign-ins by a name from an address, by the numbers above. */
int64_t guard_wait_ms(const struct guard *g, const char *username, const char *ip, int64_t now_ms);
void guard_failed(struct guard *g, const char *username, const char *ip, int64_t now_ms);
void guard_passed(struct guard *g, const char *username, const char *ip);

#endif
