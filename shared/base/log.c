#include "base/log.h"

#include "base/host.h"
#include "base/time.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static _Atomic int level_least = LOG_LEVEL_INFO;

void log_level_set(enum log_level least)
{
    assert(least <= LOG_LEVEL_ERROR);
    level_least = (int)least;
}

void log_line(enum log_level level, const char *area, const char *fmt, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char line[1024], at[32];
    va_list ap;
    int n, more;

    assert(level <= LOG_LEVEL_ERROR && area && fmt);
    if ((int)level < level_least)
        return;
    time_rfc3339(host_wall_ms(host_system()), at);
    n = snprintf(line, sizeof line, "time=%s level=%s area=%s ", at, names[level], area);
    va_start(ap, fmt);
    more = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    va_end(ap);
    if (more < 0)
        more = 0;
    n += more;
    if ((size_t)n > sizeof line - 2)
        n = sizeof line - 2;
    for (int i = 0; i < n; i++) /* one line stays one line */
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[n++] = '\n';
    fwrite(line, 1, (size_t)n, stderr); /* one call: lines of threads do not mix */
}
