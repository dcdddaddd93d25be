/* How often passwords and query codes may be tried, by name, case and network. Loop thread. */
#ifndef API_TRIES_H
#define API_TRIES_H

#include "base/problem.h"
#include "net/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct tries;

/* A try that was counted and whose end is not told yet. */
struct tried {
    uint64_t key[3]; /* the first is forgotten when it was right, the others are taken back */
    int count;       /* 0: nothing was counted */
};

enum tried_end { TRIED_WRONG, TRIED_RIGHT, TRIED_NOT };

/* One for the api's life, within limits (borrowed); destroy takes NULL. */
struct tries *tries_create(struct limits *limits);
void tries_destroy(struct tries *t);

/* May it be tried now? Then it is counted, before anybody looks whether it is right, and true is
 * returned; else ${p} is a 429, and *ret_seconds is when to come again. now_ms is monotonic. */
bool tries_sign_in(struct tries *t, const char *username, const char *network, int64_t now_ms,
                   struct tried *ret, struct problem *p, int64_t *ret_seconds);
bool tries_code(struct tries *t, const char *case_no, const char *network, int64_t now_ms,
                struct tried *ret, struct problem *p, int64_t *ret_seconds);
/* TRIED_NOT: it came to no look at all (the site was busy). */
void tries_end(struct tries *t, struct tried *x, enum tried_end end);

#endif
