/* The work of a catch-up without network and threads, for perf: what a node reads of its queue,
 * what its street stores, applies and passes on. bench_store CASES [DIR], on the code of
 * site/link_end; prints microseconds per event. */
#include "base/crypto.h"
#include "base/log.h"
#include "base/time.h"
#include "catalogue/items.h"
#include "dossiers/all.h"
#include "dossiers/case/case.h"
#include "office/enrol.h"
#include "db/migrate.h"
#include "ledger/link_rows.h"
#include "site/link_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DISTRICT "331002000000"
#define STREET "331002003000"
#define NODE "331002003901"

static int64_t wall_ms;

static int64_t wall(void *arg)
{
    (void)arg;
    return wall_ms += 3;
}

static void must(enum err err, const char *what, const struct errmsg *e, const struct problem *p)
{
    if (err == OK)
        return;
    fprintf(stderr, "store: %s: %s %s %s\n", what, err_name(err), e->text, p ? p->en : "");
    exit(1);
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct place {
    struct office o;
    struct db *db;
};

static void open_place(struct place *p, const char *dir, const char *code, const char *parent,
                       const struct host *host)
{
    struct errmsg e = {""};
    char path[300];

    snprintf(path, sizeof path, "%s/%s.db", dir, code);
    must(db_open(path, DB_WRITE, &p->db, &e), "open", &e, NULL);
    must(migrate(p->db, schema_migrations, schema_migration_count, &e), "migrate", &e, NULL);
    p->o.host = host;
    p->o.work = &all_work;
    snprintf(p->o.site, sizeof p->o.site, "%s", code);
    snprintf(p->o.parent, sizeof p->o.parent, "%s", parent);
    snprintf(p->o.name, sizeof p->o.name, "%s", code);
    memcpy(p->o.seed, code, 12);
    must(office_open(&p->o, p->db, &e), "office", &e, NULL);
    must(db_begin(p->db, &e), "begin", &e, NULL);
    if (parent[0])
        must(link_add(p->db, parent, "parent", host, &e), "link", &e, NULL);
    must(office_found(&p->o, p->db, &e), "found", &e, NULL);
    must(db_commit(p->db, &e), "commit", &e, NULL);
}

static void enrol(struct place *p, struct place *child)
{
    struct errmsg e = {""};
    unsigned char pub[32];
    char key[65];

    crypto_public(child->o.seed, pub);
    hex_encode(pub, 32, key);
    must(db_begin(p->db, &e), "begin", &e, NULL);
    must(office_enrol(&p->o, p->db, child->o.site, child->o.name, key, 40000, &e), "enrol", &e,
         NULL);
    must(db_commit(p->db, &e), "commit", &e, NULL);
}

static double read_us, prepare_us, store_us;

/* Everything that `from` has for `to`; returns how many events. */
static size_t carry(struct place *from, struct place *to, bool up)
{
    struct link_end out = {.office = &from->o, .is_parent = up},
                    in = {.office = &to->o, .is_parent = !up};
    struct link_state link;
    struct errmsg e = {""};
    size_t total = 0;
    uint64_t at = 0;

    snprintf(out.peer, sizeof out.peer, "%s", to->o.site);
    snprintf(in.peer, sizeof in.peer, "%s", from->o.site);
    must(link_read(from->db, to->o.site, &link, &e), "link", &e, NULL);
    for (;;) {
        struct link_effect read = {
            .kind = FX_READ, .pos = at, .event_max = WIRE_BATCH_EVENTS_MAX, .byte_max = 192 * 1024};
        struct link_effect store = {.kind = FX_STORE, .prev_pos = at};
        struct link_end_batch batch = {0};
        struct arena *a = arena_create();
        struct sync_event *list = NULL;
        struct buf bytes = {0};
        struct link_input got;
        double t = now_us();
        must(link_end_read(&out, from->db, &read, &bytes, &list, &got, &e), "read", &e, NULL);
        read_us += now_us() - t;
        if (got.event_count) {
            memcpy(store.stream, link.stream, 16);
            store.pos = at = got.pos;
            store.events = got.events;
            store.event_count = got.event_count;
            t = now_us();
            link_end_prepare(&in, &store, a, &batch);
            prepare_us += now_us() - t;
            t = now_us();
            must(db_begin(to->db, &e), "begin", &e, NULL);
            must(link_end_store(&in, to->db, &store, a, &batch, &e), "store", &e, NULL);
            must(db_commit(to->db, &e), "commit", &e, NULL);
            store_us += now_us() - t;
        }
        total += got.event_count;
        bool end = !got.event_count;
        buf_free(&bytes);
        free(list);
        arena_destroy(a);
        if (end)
            return total;
    }
}

static void publish(struct place *p, const char *path)
{
    struct caller boss = {.user = "admin",
                          .name = "",
                          .role = "admin",
                          .site = p->o.site,
                          .channel = "",
                          .query_code = ""};
    struct json *in = NULL, *out = NULL;
    struct problem why = {0};
    struct errmsg e = {""};
    static char text[200000];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;

    must(json_parse(text, n, &in, &e), path, &e, NULL);
    fclose(f);
    must(item_import(&p->o, p->db, &boss, in, &out, &why), path, &e, &why);
    json_free(in);
    json_free(out);
}

static void one_case(struct place *p, int i)
{
    struct caller agent = {.user = "agent",
                           .name = "代办员甲",
                           .role = "agent",
                           .site = NODE,
                           .channel = "window",
                           .query_code = ""};
    struct json *in = json_object(), *a = json_object(), *form = json_object(),
                *materials = json_array(), *d = json_object();
    struct json *out = NULL, *act = json_object();
    struct problem why = {0};
    struct errmsg e = {""};
    char id[19], mobile[16];

    snprintf(id, sizeof id, "339900%04d%02d%02d%03d0", 1952 + i / 400 % 8, 1 + i % 12, 1 + i % 28,
             i % 1000);
    for (const char *c = "0123456789X"; *c && !citizen_number_check(id, NULL); c++)
        id[17] = *c;
    snprintf(mobile, sizeof mobile, "100%08d", i);
    json_set_text(a, "name", "周大海");
    json_set_text(a, "id_type", "111");
    json_set_text(a, "id_number", id);
    json_set_text(a, "mobile", mobile);
    json_set_text(d, "method", "pickup");
    json_set_text(in, "item", "elderly-card");
    json_set(in, "applicant", a);
    json_set(in, "form", form);
    json_set(in, "materials", materials);
    json_set(in, "delivery", d);
    json_set_bool(in, "submit", true);
    must(case_lodge(&p->o, p->db, &agent, in, &out, &why), "file", &e, &why);
    json_set_text(act, "case_no", json_get_text(out, "case_no"));
    json_set_text(act, "action", "complete");
    json_free(out);
    out = NULL;
    must(case_act(&p->o, p->db, &agent, act, &out, &why), "complete", &e, &why);
    json_free(in);
    json_free(act);
    json_free(out);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 0;
    char dir[64] = "/tmp/doorstep-store-XXXXXX", command[100];
    struct host host = *host_system();
    static struct place district, street, node;
    struct errmsg e = {""};

    json_use_arenas();
    if (n < 1 || !mkdtemp(dir))
        return fprintf(stderr, "usage: bench_store CASES\n"), 2;
    log_level_set(LOG_LEVEL_ERROR);
    wall_ms = time_start_of_day(time_days_of(2026, 3, 2));
    host.wall_ms = wall;
    open_place(&district, dir, DISTRICT, "", &host);
    open_place(&street, dir, STREET, DISTRICT, &host);
    open_place(&node, dir, NODE, STREET, &host);
    must(db_begin(district.db, &e), "begin", &e, NULL);
    publish(&district, "schema/catalogue/calendar/2026.json");
    publish(&district, "schema/catalogue/items/elderly-card.json");
    must(db_commit(district.db, &e), "commit", &e, NULL);
    enrol(&district, &street);
    carry(&district, &street, false);
    enrol(&street, &node);
    carry(&street, &node, false);
    double t = now_us();
    for (int i = 0; i < n; i++) {
        if (i % 200 == 0)
            must(db_begin(node.db, &e), "begin", &e, NULL);
        one_case(&node, i);
        if (i % 200 == 199 || i == n - 1)
            must(db_commit(node.db, &e), "commit", &e, NULL);
    }
    t = now_us() - t;
    read_us = prepare_us = store_us = 0;
    size_t events = carry(&node, &street, true);
    printf(
        "{\"events\": %zu, \"file_and_complete_us_per_case\": %.1f, \"read_us_per_event\": %.2f, "
        "\"prepare_us_per_event\": %.2f, \"store_us_per_event\": %.2f}\n",
        events, t / n, read_us / (double)events, prepare_us / (double)events,
        store_us / (double)events);
    snprintf(command, sizeof command, getenv("KEEP") ? "echo %s" : "rm -rf %s", dir);
    return system(command) != 0;
}
