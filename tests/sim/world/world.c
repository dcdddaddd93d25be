/* The world of every seed, made once; and one seed in it. */
#include "world.h"

#include "office/say.h"

#include "disk.h"

#include <stdlib.h>
#include <string.h>

bool healing;

static void reset(void)
{
    fate_reset();
    healing = false;
    program_reset();
    for (int i = 0; i < SITES; i++)
        site_reset(i);
    net_reset();
    work_reset();
    check_reset();
    rogue_reset();
    check_rogue_reset();
}

static void close_all(bool kept)
{
    for (int i = 0; i < SITES; i++)
        site_end(i, kept);
}

void world_close(void)
{
    close_all(false);
}

/* ---- the world of every seed: made once -------------------------------------------------------*/

static struct json *read_json(const char *path)
{
    struct buf b = {0};
    struct json *j = NULL;
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "r");

    while (f && (n = fread(piece, 1, sizeof piece, f)))
        buf_append(&b, piece, n);
    if (!f || json_parse((char *)b.data, b.len, &j, NULL) != OK)
        breach("cannot read %s", path);
    if (f)
        fclose(f);
    buf_free(&b);
    return j;
}

void world_must(enum err err, const char *what, const struct errmsg *e, const struct problem *p)
{
    if (err == OK)
        return;
    fprintf(stderr, "world: %s: %s %s %s %s\n", what, err_name(err), e->text, p ? p->field : "",
            p ? p->en : "");
    exit(1);
}

static void publish(struct site *s, const char *path)
{
    struct caller boss = {.user = "admin",
                          .name = "",
                          .role = "admin",
                          .site = s->code,
                          .channel = "",
                          .query_code = ""};
    struct json *in = read_json(path), *out = NULL;
    struct problem p = {0};
    struct errmsg e = {""};

    /* Of the two items one waits for its community, the other is decided without it. */
    if (strstr(path, "birth-registration-first"))
        json_set_text(in, "take_back", "overrule");
    world_must(item_import(&s->office, s->db, &boss, in, &out, &p), path, &e, &p);
    json_free(in);
    json_free(out);
}

static void add_account(struct site *s, int no)
{
    struct json *b = json_object();
    char name[32], street[13], hex[65];

    /* The event itself: scrypt of nine passwords would take half a second. */
    snprintf(name, sizeof name, no == SITES ? "courier" : "user%d", no);
    memset(hex, '0', 64);
    hex[64] = 0;
    json_set_text(b, "username", name);
    json_set_text(b, "name", name);
    json_set_text(b, "role",
                  no == 0      ? "supervisor"
                  : no <= 2    ? "clerk"
                  : no < SITES ? "agent"
                               : "courier");
    no = no == SITES ? 1 : no;
    json_set_text(b, "site", site[no].code);
    json_set_text(b, "hash", hex);
    hex[32] = 0;
    json_set_text(b, "salt", hex);
    division_street(site[no].code, street);
    struct errmsg e;
    world_must(office_say_fact(&s->office, s->db, "account.created/1", street, NULL, b, &e),
               "account", &e, NULL);
}

/* By the newest program, or by the oldest. */
static void make(bool older)
{
    fate_seed(42);
    reset();
    if (older)
        program_all_older();
    for (int i = 0; i < SITES; i++)
        site_make(i, i > 0);
    struct errmsg e;
    world_must(db_begin(site[0].db, &e), "begin", &e, NULL);
    publish(&site[0], "schema/catalogue/calendar/2026.json");
    publish(&site[0], "schema/catalogue/items/birth-registration-first.json");
    publish(&site[0], "schema/catalogue/items/birth-household-entry.json");
    for (int i = 0; i <= SITES; i++)
        add_account(&site[0], i);
    world_must(db_commit(site[0].db, &e), "commit", &e, NULL);
    for (int i = 1; i <= 2; i++)
        world_must(site_enrol(i, &e), "enrol", &e, NULL);
    close_all(true);
    for (int i = 0; i < SITES; i++)
        site_up(i);
    healing = true;
    fate_run(30000); /* the streets are what they are */
    for (int i = 3; i < SITES; i++)
        world_must(site_enrol(i, &e), "enrol", &e, NULL);
    for (int64_t end = 60000; end < 3600000 && (now < 60000 || !check_quiet()) && !broken;
         end += 10000)
        fate_run(end);
    if (broken || !check_quiet()) {
        fprintf(stderr, "world: the first replication did not end: %s\n",
                broken ? broken : "not quiet");
        exit(1);
    }
    work_prepare();
    close_all(true);
    disk_snapshot(older);
    for (int i = 0; i < SITES; i++)
        disk_wipe(i);
}

void world_make(void)
{
    make(false);
    make(true);
}

/* ---- one seed ---------------------------------------------------------------------------------*/

#define HEAL_MS (30 * 60 * 1000LL)

bool world_run(uint64_t seed)
{
    world_close();
    reset();
    fate_seed(seed * 0x2545f4914f6cdd1dULL + 1);
    /* Mostly a few busy minutes; sometimes longer than two leases. */
    int64_t work_ms = dice(8) ? 40000 + (int64_t)dice(80000) : 420000;
    for (int i = 0; i < SITES; i++) {
        site[i].drift_ppm = (int)dice(8001) - 4000;
        site[i].mono_base_ms = 1000 + (int64_t)dice(1000000);
    }
    disk_restore_snapshot(program_plan(work_ms));
    for (int i = 0; i < SITES; i++) {
        site_up(i);
        /* Not before what was said when the world was made. */
        site[i].wall_max_ms = (int64_t)(site[i].office.ledger.hlc_last >> 16);
        later((int64_t)dice(20000), work_some, i, 0);
    }
    faults_plan(5000, work_ms);
    rogue_plan(work_ms);
    fate_run(work_ms);
    if (!broken) {
        trace("healing");
        healing = true;
        faults_heal();
        int64_t end = now + HEAL_MS;
        while (!broken && now < end) {
            fate_run(now + 15000);
            if (check_quiet())
                break;
        }
        if (!broken && !check_quiet())
            breach("liveness: after %lld simulated minutes of good lines %s",
                   (long long)(HEAL_MS / 60000), check_waits());
        if (!broken)
            check_end();
    }
    return !broken;
}
