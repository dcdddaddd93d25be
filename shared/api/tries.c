#include "api/tries.h"

#include "api/guard.h"
#include "base/mem.h"

#include <assert.h>

#define S 1000LL
/* One network cannot lock a case or a name for everybody else: what all networks together may try
 * is so much more. */
#define ALL_NETWORKS 8

struct tries {
    struct limits *limits;
    struct guard *guard;
};

/* What is counted of one try. */
struct counted {
    const char *kind, *what, *where;
    struct guard_rule rule;
    enum limit limit;
};

struct tries *tries_create(struct limits *limits)
{
    struct tries *t = mem_alloc(sizeof *t);

    t->limits = limits;
    t->guard = guard_create();
    return t;
}

void tries_destroy(struct tries *t)
{
    if (!t)
        return;
    guard_destroy(t->guard);
    mem_free(t);
}

/* 0: it may be tried now, and is counted; else the milliseconds to wait. */
static int64_t count(struct tries *t, const struct counted *c, int n, int64_t now_ms,
                     struct tried *ret)
{
    int64_t wait = 0;

    assert(n <= 3);
    ret->count = 0;
    for (int i = 0; i < n; i++) {
        ret->key[i] = guard_key(t->guard, c[i].kind, c[i].what, c[i].where);
        int64_t w = guard_wait(t->guard, &c[i].rule, ret->key[i], now_ms);
        if (w)
            limits_note_refusal(t->limits, c[i].limit);
        wait = w > wait ? w : wait;
    }
    if (wait)
        return wait;
    for (int i = 0; i < n; i++)
        guard_count(t->guard, &c[i].rule, ret->key[i], now_ms);
    ret->count = n;
    return 0;
}

static int most(const struct tries *t, enum limit x, int times)
{
    return (int)t->limits->max[x] * times;
}

bool tries_sign_in(struct tries *t, const char *username, const char *network, int64_t now_ms,
                   struct tried *ret, struct problem *p, int64_t *ret_seconds)
{
    const struct counted c[] = {
        {"sign-in",
         username,
         network,
         {GUARD_FREE_TRIES, GUARD_PAUSE_MS, GUARD_PAUSE_MS_MAX, GUARD_FORGET_MS},
         LIMIT_SIGN_INS_PER_NAME},
        {"name",
         username,
         "",
         {most(t, LIMIT_SIGN_INS_PER_NAME, 1), 30 * S, 300 * S, 3600 * S},
         LIMIT_SIGN_INS_PER_NAME},
        {"network",
         "",
         network,
         {most(t, LIMIT_SIGN_INS_PER_NETWORK, 1), 5 * S, 300 * S, 3600 * S},
         LIMIT_SIGN_INS_PER_NETWORK},
    };
    int64_t wait = count(t, c, 3, now_ms, ret);

    if (!wait)
        return true;
    *ret_seconds = (wait + S - 1) / S;
    problem_set(p, 429, "too-many-tries", "username", "a pause before the next try", NULL,
                "密码输错次数过多，请稍后再试。忘记密码请联系管理员。",
                "Too many wrong passwords. Wait a little; ask the administrator for a new one.");
    return false;
}

bool tries_code(struct tries *t, const char *case_no, const char *network, int64_t now_ms,
                struct tried *ret, struct problem *p, int64_t *ret_seconds)
{
    const struct counted c[] = {
        {"code",
         case_no,
         network,
         {most(t, LIMIT_CODES_PER_CASE, 1), 10 * S, 900 * S, 3600 * S},
         LIMIT_CODES_PER_CASE},
        {"case",
         case_no,
         "",
         {most(t, LIMIT_CODES_PER_CASE, ALL_NETWORKS), 10 * S, 60 * S, 3600 * S},
         LIMIT_CODES_PER_CASE},
        {"codes",
         "",
         network,
         {most(t, LIMIT_CODES_PER_NETWORK, 1), 10 * S, 900 * S, 3600 * S},
         LIMIT_CODES_PER_NETWORK},
    };
    int64_t wait = count(t, c, 3, now_ms, ret);

    if (!wait)
        return true;
    *ret_seconds = (wait + S - 1) / S;
    problem_set(p, 429, "too-many-codes", "code", "a pause before the next try", NULL,
                "查询码输错次数过多，请稍后再试，或到窗口查询。",
                "Too many wrong codes. Wait a little, or ask at the desk.");
    return false;
}

void tries_end(struct tries *t, struct tried *x, enum tried_end end)
{
    for (int i = 0; i < x->count && end != TRIED_WRONG; i++)
        if (!i && end == TRIED_RIGHT)
            guard_clear(t->guard, x->key[i]);
        else
            guard_uncount(t->guard, x->key[i]);
    x->count = 0;
}
