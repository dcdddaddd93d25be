#include "api/refusals.h"

#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

#define LINES_MAX 20
#define WINDOW_MS 1000
#define NAME_MAX_BYTES 40

struct refusals {
    int64_t began_ms;
    int lines;
    long long left_out;
};

struct refusals *refusals_create(void)
{
    return mem_alloc(sizeof(struct refusals));
}

void refusals_destroy(struct refusals *r)
{
    mem_free(r);
}

/* A password that was typed into the field of the name is not one of these, most often. */
static const char *name_to_write(const char *name)
{
    size_t n = strlen(name);

    return n <= NAME_MAX_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n
               ? name
               : "(no user name)";
}

void refusals_log(struct refusals *r, const char *what, const char *reason, const char *name,
                  const char *address)
{
    int64_t now = host_mono_ms(host_system());

    if (now - r->began_ms >= WINDOW_MS) {
        r->began_ms = now;
        r->lines = 0;
    }
    if (r->lines >= LINES_MAX) {
        r->left_out++;
        return;
    }
    r->lines++;
    log_line(LOG_LEVEL_WARN, "door", "refused=%s reason=%s name=\"%s\" address=%s left_out=%lld",
             what, reason, name_to_write(name), address, r->left_out);
    r->left_out = 0;
}
