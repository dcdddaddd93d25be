#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void errmsg_set(struct errmsg *e, const char *fmt, ...)
{
    va_list ap;

    assert(fmt);
    if (!e)
        return;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
}

void errmsg_wrap(struct errmsg *e, const char *fmt, ...)
{
    char old[sizeof e->text];
    va_list ap;
    int n;

    assert(fmt);
    if (!e)
        return;
    memcpy(old, e->text, sizeof old);
    va_start(ap, fmt);
    n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->text - 3) {
        size_t room = sizeof e->text - (size_t)n - 3, len = strlen(old);
        if (len > room) /* the end is cut */
            len = room;
        memcpy(e->text + n, ": ", 2);
        memcpy(e->text + n + 2, old, len);
        e->text[(size_t)n + 2 + len] = 0;
    }
}

const char *err_name(enum err err)
{
    static const char *const names[] = {"ok",     "invalid",     "not-found", "conflict", "denied",
                                        "peer",   "io",          "full",      "busy",     "corrupt",
                                        "closed", "unsupported", "withheld"};
    _Static_assert(sizeof names / sizeof *names == ERR_WITHHELD + 1, "a name for each");

    return (unsigned)err < sizeof names / sizeof *names ? names[err] : "?";
}
