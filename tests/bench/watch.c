/* Look into data folders from outside, read only, while the programs run. All times are
 * CLOCK_MONOTONIC.
 *
 *   bench_watch wait  NODE_DB PARENT HUB_DB ORIGIN SEQ SECONDS
 *       until the hub holds that event and the node has noted that its whole outbox is acknowledged
 *   bench_watch pair  NODE_DB HUB_DB ORIGIN COUNT SECONDS
 *       for each of COUNT events, how long after the node's commit the hub's commit became visible
 *   bench_watch papers NODE_DB COUNT SECONDS   until that many papers are known to be durable at
 * the parent bench_watch count DB ORIGIN                what is held of an origin bench_watch sizes
 * DB ORIGIN SEQ            its events behind SEQ: how many, and their mean size as encoded
 *   bench_watch dump  DB ORIGIN                its events, one a line: seq hlc kind case hash body,
 * tab between
 *
 * `pair` looks at one file after the other without a pause between, every 20 us or so: a figure is
 * too long by at most the time of two looks (some 20 us each) and the pause, and too short by at
 * most the same. The looking costs a part of one core that the programs would have. */
#include "base/buf.h"
#include "base/crypto.h"
#include "ledger/chain.h"
#include "ledger/row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define PAUSE_US 20

static struct errmsg e;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void rest(int us)
{
    struct timespec t = {.tv_nsec = us * 1000L};

    nanosleep(&t, NULL);
}

static struct db *look_at(const char *path)
{
    struct db *db;

    if (db_open(path, DB_READ, &db, &e) != OK) {
        fprintf(stderr, "bench_watch: %s: %s\n", path, e.text);
        exit(1);
    }
    return db;
}

static int64_t number(struct db *db, const char *sql, const char *arg)
{
    struct stmt *st = db_stmt(db, sql);
    int64_t n = -1;
    bool row;

    if (arg)
        bind_text(st, 1, arg);
    if (db_step(st, &row, &e) == OK) {
        n = row ? col_int(st, 0) : -1;
        db_reset(st);
    }
    return n;
}

static int64_t head(struct db *db, const char *origin)
{
    return number(db, "SELECT max(seq) FROM event WHERE origin = $1", origin);
}

static int late(int64_t end)
{
    if (now_ns() < end)
        return 0;
    fprintf(stderr, "bench_watch: waited too long\n");
    return 1;
}

static int wait_for(char **a)
{
    struct db *node = look_at(a[0]), *hub = look_at(a[2]);
    int64_t seq = atoll(a[4]), end = now_ns() + atoll(a[5]) * 1000000000, at_hub = 0, first = 0;
    const char *unsent = "SELECT head_pos - acked_pos FROM link WHERE peer = $1";
    int64_t before = head(hub, a[3]);

    for (;; rest(2000)) { /* seldom: each look takes from what it looks at */
        int64_t has = at_hub ? seq : head(hub, a[3]);
        if (!first && has > before)
            first = now_ns();
        if (!at_hub && has >= seq)
            at_hub = now_ns();
        if (at_hub && number(node, unsent, a[1]) == 0)
            break;
        if (now_ns() > end) { /* as far as it came */
            at_hub = at_hub ? at_hub : now_ns();
            seq = has;
            break;
        }
    }
    printf("{\"seq\":%" PRId64 ",\"before\":%" PRId64 ",\"first_ns\":%" PRId64
           ",\"hub_ns\":%" PRId64 ",\"acked_ns\":%" PRId64 "}\n",
           seq, before, first, at_hub, now_ns());
    return 0;
}

static int pair(char **a)
{
    struct db *node = look_at(a[0]), *hub = look_at(a[1]);
    int64_t count = atoll(a[3]), end = now_ns() + atoll(a[4]) * 1000000000, base = head(node, a[2]);
    int64_t *at_node = calloc((size_t)count + 1, sizeof *at_node),
            *at_hub = calloc((size_t)count + 1, sizeof *at_hub);
    int64_t n = 0, h = 0;

    printf("ready\n");
    fflush(stdout);
    while (h < count) {
        int64_t x = head(node, a[2]) - base, y = head(hub, a[2]) - base, t = now_ns();
        for (; n < x && n < count; n++)
            at_node[n] = t;
        for (; h < y && h < count; h++)
            at_hub[h] = t;
        rest(PAUSE_US);
        if (late(end))
            return 1;
    }
    printf("[");
    for (int64_t i = 0; i < count; i++)
        printf("%s%.3f", i ? "," : "", (double)(at_hub[i] - at_node[i]) / 1e6);
    printf("]\n");
    return 0;
}

static int papers(char **a)
{
    struct db *node = look_at(a[0]);
    int64_t count = atoll(a[1]), end = now_ns() + atoll(a[2]) * 1000000000;

    for (; number(node, "SELECT count(*) FROM document WHERE sent <> 0", NULL) < count; rest(3000))
        if (late(end))
            return 1;
    printf("{\"sent_ns\":%" PRId64 "}\n", now_ns());
    return 0;
}

static int sizes(char **a)
{
    struct stmt *st = db_stmt(
        look_at(a[0]), "SELECT " LEDGER_COLUMNS("") " FROM event "
                                                    "WHERE origin = $1 AND seq > $2 ORDER BY seq");
    struct buf b = {0};
    int64_t events = 0, total = 0;
    bool row;

    bind_text(st, 1, a[1]);
    bind_int(st, 2, atoll(a[2]));
    for (; db_step(st, &row, &e) == OK && row; events++) {
        struct event ev = ledger_row(st, 0);
        buf_reset(&b);
        event_encode(&ev, &b);
        total += (int64_t)b.len;
    }
    buf_free(&b);
    printf("{\"events\":%" PRId64 ",\"mean_bytes\":%.1f}\n", events,
           (double)total / (double)(events ? events : 1));
    return 0;
}

static int count(char **a)
{
    struct db *db = look_at(a[0]);

    printf(
        "{\"events\":%" PRId64 ",\"aside\":%" PRId64 ",\"of_origin\":%" PRId64 ",\"cases\":%" PRId64
        ",\"certificates\":%" PRId64 ",\"deliveries\":%" PRId64 ",\"papers\":%" PRId64 "}\n",
        number(db, "SELECT count(*) FROM event", NULL),
        number(db, "SELECT count(*) FROM event WHERE state <> 'applied'", NULL), head(db, a[1]),
        number(db, "SELECT count(*) FROM case_file", NULL),
        number(db, "SELECT count(*) FROM certificate", NULL),
        number(db, "SELECT count(*) FROM delivery", NULL),
        number(db, "SELECT count(*) FROM document WHERE state = 'here' AND dossier <> ''", NULL));
    return 0;
}

static int dump(char **a)
{
    struct stmt *st =
        db_stmt(look_at(a[0]), "SELECT seq, hlc, kind, dossier, hash, record FROM event "
                               "WHERE origin = $1 AND dossier <> '' ORDER BY seq");
    bool row;

    bind_text(st, 1, a[1]);
    while (db_step(st, &row, &e) == OK && row) {
        char hex[65] = "";
        size_t n;
        const void *hash = col_blob(st, 4, &n);
        if (n == 32)
            hex_encode(hash, n, hex);
        printf("%" PRId64 "\t%" PRId64 "\t%s\t%s\t%s\t%s\n", col_int(st, 0), col_int(st, 1),
               col_text(st, 2), col_text(st, 3), hex, col_text(st, 5));
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int args;
        int (*fn)(char **a);
    } all[] = {{"wait", 6, wait_for}, {"pair", 5, pair},   {"papers", 3, papers},
               {"count", 2, count},   {"sizes", 3, sizes}, {"dump", 2, dump}};

    prctl(PR_SET_TIMERSLACK, 1000UL);
    for (size_t i = 0; argc > 1 && i < sizeof all / sizeof all[0]; i++)
        if (!strcmp(argv[1], all[i].name) && argc - 2 == all[i].args)
            return all[i].fn(argv + 2);
    return 2;
}
