#include "base/problem.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Copy, cut so that no UTF-8 character is halved. */
static void put(char *out, size_t size, const char *s)
{
    size_t n = s ? strlen(s) : 0;

    if (n >= size) {
        n = size - 1;
        while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
            n--;
    }
    if (n)
        memcpy(out, s, n);
    out[n] = 0;
}

void problem_set(struct problem *p, int status, const char *code, const char *field,
                 const char *expected, const char *found, const char *zh, const char *en)
{
    struct problem fresh = {.status = status};

    if (!p)
        return;
    assert(status >= 400 && status < 600);
    put(fresh.code, sizeof fresh.code, code);
    put(fresh.field, sizeof fresh.field, field);
    put(fresh.expected, sizeof fresh.expected, expected);
    put(fresh.found, sizeof fresh.found, found);
    put(fresh.zh, sizeof fresh.zh, zh);
    put(fresh.en, sizeof fresh.en, en);
    *p = fresh;
}

void problem_allow(struct problem *p, const char *what)
{
    if (!p || p->allowed_count >= (int)(sizeof p->allowed / sizeof *p->allowed))
        return;
    put(p->allowed[p->allowed_count++], sizeof *p->allowed, what);
}
