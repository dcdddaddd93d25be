/* The table of limits. A new limit is a new row, and is in doorstep.conf and the metrics at once.
 */
#include "net/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *key;
    int64_t node, hub;      /* what ships */
    int64_t least, highest; /* what an operator may say */
} rows[LIMIT_COUNT] = {
    [LIMIT_CONNECTIONS] = {"connections", 1024, 8192, 8, 100000},
    [LIMIT_CONNECTIONS_PER_CLIENT] = {"connections_per_client", 256, 512, 4, 100000},
    [LIMIT_SYNC_CONNECTIONS] = {"sync_connections", 64, 20000, 4, 100000},
    [LIMIT_HEADER_SECONDS] = {"header_seconds", 10, 10, 1, 300},
    [LIMIT_HEADER_BYTES] = {"header_bytes", 16384, 16384, 1024, 65536},
    [LIMIT_BODY_SECONDS] = {"body_seconds", 60, 60, 1, 3600},
    [LIMIT_BODY_MEMORY_BYTES] = {"body_memory_bytes", 16 << 20, 64 << 20, 1 << 20, 1LL << 34},
    [LIMIT_IDLE_SECONDS] = {"idle_seconds", 75, 75, 1, 3600},
    [LIMIT_LIVE_SOCKETS] = {"live_sockets", 256, 2048, 1, 100000},
    [LIMIT_LIVE_UNSIGNED] = {"live_unsigned", 32, 256, 1, 100000},
    [LIMIT_LIVE_SIGN_IN_SECONDS] = {"live_sign_in_seconds", 5, 5, 1, 300},
    /* proxies cut a silent line after 60 */
    [LIMIT_LIVE_PING_SECONDS] = {"live_ping_seconds", 25, 25, 1, 3600},
    [LIMIT_UPLOADS] = {"uploads", 4000, 50000, 1, 1000000},
    [LIMIT_UPLOADS_PER_CLIENT] = {"uploads_per_client", 2000, 2000, 1, 1000000},
    [LIMIT_UPLOAD_BYTES] = {"upload_bytes", 4LL << 30, 64LL << 30, 1 << 20, 1LL << 44},
    [LIMIT_UPLOAD_BYTES_PER_CLIENT] = {"upload_bytes_per_client", 2LL << 30, 4LL << 30, 1 << 20,
                                       1LL << 44},
    [LIMIT_UNNAMED_PAPER_HOURS] = {"unnamed_paper_hours", 24, 24, 1, 24 * 30},
    [LIMIT_FILINGS_PER_PERSON_DAY] = {"filings_per_person_day", 10, 10, 1, 1000000},
    [LIMIT_FILINGS_PER_PHONE_DAY] = {"filings_per_phone_day", 20, 20, 1, 1000000},
    [LIMIT_FILINGS_PER_NETWORK_HOUR] = {"filings_per_network_hour", 240, 240, 1, 100000000},
    [LIMIT_SIGN_INS_PER_NAME] = {"sign_ins_per_name", 60, 60, 3, 1000000},
    [LIMIT_SIGN_INS_PER_NETWORK] = {"sign_ins_per_network", 240, 240, 3, 1000000},
    [LIMIT_SIGN_INS_WAITING] = {"sign_ins_waiting", 32, 256, 1, 100000},
    [LIMIT_CODES_PER_CASE] = {"codes_per_case", 8, 8, 1, 1000000},
    [LIMIT_CODES_PER_NETWORK] = {"codes_per_network", 60, 60, 1, 1000000},
};

void limits_init(struct limits *l, bool many)
{
    memset(l, 0, sizeof *l);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        assert(rows[i].key && rows[i].least <= rows[i].node && rows[i].hub <= rows[i].highest);
        l->max[i] = many ? rows[i].hub : rows[i].node;
    }
}

const char *limits_key(enum limit x)
{
    assert((int)x >= 0 && x < LIMIT_COUNT);
    return rows[x].key;
}

/* ---- doorstep.conf ----------------------------------------------------------------------------*/

static char *trim(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n && strchr(" \t\r\n", s[n - 1]))
        s[--n] = 0;
    return s;
}

static const struct row *row_named(const char *key)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        if (!strcmp(rows[i].key, key))
            return &rows[i];
    return NULL;
}

static bool whole_number(const char *text, int64_t *ret)
{
    if (!text[0] || strspn(text, "0123456789") != strlen(text) || strlen(text) > 17)
        return false;
    *ret = strtoll(text, NULL, 10);
    return true;
}

/* One line. seen: which keys stood before it. NULL: it is good; else what is wrong, for ${e}. */
static enum err read_line(struct limits *l, bool seen[LIMIT_COUNT], char *line, struct errmsg *e)
{
    char *key = trim(line), *eq = strchr(key, '=');
    int64_t value;

    if (!key[0] || key[0] == '#')
        return OK;
    if (!eq) {
        errmsg_set(e, "\"%.60s\" is not \"key = value\"", key);
        return ERR_INVALID;
    }
    *eq = 0;
    key = trim(key);
    char *text = trim(eq + 1);
    const struct row *row = row_named(key);
    if (!row) {
        errmsg_set(e, "there is no limit named \"%.60s\"", key);
        return ERR_INVALID;
    }
    if (seen[row - rows]) {
        errmsg_set(e, "%s stands twice", key);
        return ERR_INVALID;
    }
    if (!whole_number(text, &value) || value < row->least || value > row->highest) {
        errmsg_set(e, "%s must be a whole number from %lld to %lld; found \"%.60s\"", key,
                   (long long)row->least, (long long)row->highest, text);
        return ERR_INVALID;
    }
    seen[row - rows] = true;
    l->max[row - rows] = value;
    return OK;
}

enum err limits_read(struct limits *l, const char *path, struct errmsg *e)
{
    bool seen[LIMIT_COUNT] = {false};
    char line[512];
    enum err err = OK;
    FILE *f = fopen(path, "re");

    if (!f && errno == ENOENT)
        return OK;
    if (!f) {
        errmsg_set(e, "read %s: %s", path, strerror(errno));
        return ERR_IO;
    }
    for (int n = 1; err == OK && fgets(line, sizeof line, f); n++) {
        if (strlen(line) == sizeof line - 1) {
            errmsg_set(e, "the line is too long");
            err = ERR_INVALID;
        } else {
            err = read_line(l, seen, line, e);
        }
        if (err != OK)
            errmsg_wrap(e, "%s, line %d", path, n);
    }
    if (err == OK && ferror(f)) {
        errmsg_set(e, "read %s: %s", path, strerror(errno));
        err = ERR_IO;
    }
    fclose(f);
    return err;
}

/* ---- what is in use ---------------------------------------------------------------------------*/

bool limits_take(struct limits *l, enum limit x, int64_t n)
{
    assert(n >= 0);
    if (l->used[x] + n > l->max[x]) {
        l->refused[x]++;
        return false;
    }
    l->used[x] += n;
    return true;
}

void limits_give(struct limits *l, enum limit x, int64_t n)
{
    assert(n >= 0 && l->used[x] >= n);
    l->used[x] -= n;
}

void limits_note_refusal(struct limits *l, enum limit x)
{
    l->refused[x]++;
}

void limits_metrics(const struct limits *l, struct buf *out)
{
    buf_puts(out, "# HELP doorstep_limit What is taken at most (doorstep.conf).\n"
                  "# TYPE doorstep_limit gauge\n");
    for (int i = 0; i < LIMIT_COUNT; i++)
        buf_printf(out, "doorstep_limit{name=\"%s\"} %lld\n", rows[i].key, (long long)l->max[i]);
    buf_puts(out, "# HELP doorstep_limit_used What of it is in use now.\n"
                  "# TYPE doorstep_limit_used gauge\n");
    for (int i = 0; i < LIMIT_COUNT; i++)
        buf_printf(out, "doorstep_limit_used{name=\"%s\"} %lld\n", rows[i].key,
                   (long long)l->used[i]);
    buf_puts(out, "# HELP doorstep_limit_refused_total Refusals by this limit.\n"
                  "# TYPE doorstep_limit_refused_total counter\n");
    for (int i = 0; i < LIMIT_COUNT; i++)
        buf_printf(out, "doorstep_limit_refused_total{name=\"%s\"} %llu\n", rows[i].key,
                   (unsigned long long)l->refused[i]);
}
