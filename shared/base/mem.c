#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *there(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t n)
{
    return there(calloc(1, n ? n : 1));
}

void *mem_realloc(void *p, size_t n)
{
    return there(realloc(p, n ? n : 1));
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
    char *p = mem_alloc(n + 1);

    assert(s);
    memcpy(p, s, n);
    return p;
}

void mem_free(void *p)
{
    free(p);
}
