/* Time, chance, sites and their stores. */
#include "world.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "db/migrate.h"
#include "disk.h"
#include "files.h"
#include "ledger/outbox.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct site site[SITES];
struct conn conns[SITES];
int64_t now;
bool healing;
const char *broken;

static const char *const codes[SITES] = {
    "331002000000", "331002003000", "331002004000", "331002003901", "331002003902",
    "331002003903", "331002004901", "331002004902", "331002004903",
};

/* ---- chance and trace -------------------------------------------------------------------------*/

static uint64_t state;

static uint64_t next_random(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

uint64_t dice(uint64_t below)
{
    return below ? next_random() % below : 0;
}

#define RING 400
static char ring[RING][200];
static uint64_t ring_count;
static bool trace_all;

void trace(const char *fmt, ...)
{
    char *line = ring[ring_count++ % RING];
    va_list ap;
    int n = snprintf(line, sizeof ring[0], "%10.3f ", (double)now / 1000);

    va_start(ap, fmt);
    vsnprintf(line + n, sizeof ring[0] - (size_t)n, fmt, ap);
    va_end(ap);
    if (trace_all)
        puts(line);
}

void breach(const char *fmt, ...)
{
    static char text[300];
    va_list ap;

    if (broken)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    broken = text;
    trace("BROKEN: %s", text);
}

/* ---- what happens when ------------------------------------------------------------------------*/

struct moment {
    int64_t at;
    uint64_t order;
    void (*fn)(int a, int b);
    int a, b;
};

static struct moment *heap;
static int heap_count, heap_cap;
static uint64_t orders;

static bool before(const struct moment *x, const struct moment *y)
{
    return x->at != y->at ? x->at < y->at : x->order < y->order;
}

void later(int64_t ms, void (*fn)(int a, int b), int a, int b)
{
    if (heap_count == heap_cap) {
        heap_cap = heap_cap ? heap_cap * 2 : 256;
        heap = mem_realloc(heap, sizeof *heap * (size_t)heap_cap);
    }
    int i = heap_count++;
    heap[i] = (struct moment){now + ms, orders++, fn, a, b};
    for (; i && before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2) {
        struct moment m = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = m;
    }
}

static struct moment pop(void)
{
    struct moment top = heap[0];
    int i = 0;

    heap[0] = heap[--heap_count];
    for (;;) {
        int least = i;
        for (int k = 2 * i + 1; k <= 2 * i + 2 && k < heap_count; k++)
            if (before(&heap[k], &heap[least]))
                least = k;
        if (least == i)
            return top;
        struct moment m = heap[i];
        heap[i] = heap[least];
        heap[least] = m;
        i = least;
    }
}

/* ---- a site's clocks --------------------------------------------------------------------------*/

#define EPOCH_MS 1790000000000LL /* 2026-09-21 */

static int64_t wall(void *arg)
{
    return EPOCH_MS + now + ((struct site *)arg)->wall_offset_ms;
}

static int64_t mono(void *arg)
{
    struct site *s = arg;
    int64_t passed = now - s->mono_started_ms;

    return s->mono_base_ms + passed + passed * s->drift_ppm / 1000000;
}

static void random_bytes(void *arg, void *p, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)next_random();
}

int parent_of(int no)
{
    return no == 0 ? -1 : no <= 2 ? 0 : no <= 5 ? 1 : 2;
}

/* ---- jobs -------------------------------------------------------------------------------------*/

struct job *job_new(struct site *s, bool write)
{
    struct job *j = mem_alloc(sizeof *j);

    j->s = s;
    j->life = s->life;
    j->write = write;
    j->arena = arena_create();
    return j;
}

static void job_free(struct job *j)
{
    buf_free(&j->bytes);
    mem_free(j->events);
    json_free(j->arg);
    json_free(j->out);
    arena_destroy(j->arena);
    mem_free(j);
}

static struct job *finished[SITES]; /* one at a time per site */

static void run_next(int no, int life);

static void job_done(int no, int life)
{
    struct site *s = &site[no];
    struct job *j = finished[no];

    if (life != s->life || !j || !s->up)
        return;
    finished[no] = NULL;
    s->busy = false;
    if (!j->conn || (j->conn->open && j->conn->gen == j->gen))
        j->done(j);
    job_free(j);
    if (s->queue && s->up && !s->busy) {
        s->busy = true;
        later((int64_t)dice(4 + (uint64_t)s->slow_ms), run_next, no, s->life);
    }
}

/* Production stops writing when a commit fails; the program ends and is started again. */
static void stop_site(struct site *s, const char *why)
{
    trace("site %d stops: %s", s->no, why);
    site_crash(s->no, disk_stopped(s->no));
}

static void run_next(int no, int life)
{
    struct site *s = &site[no];
    struct job *j = s->queue;
    bool failed_commit = false;

    if (life != s->life || !s->up || !j)
        return;
    s->queue = j->next;
    if (!s->queue)
        s->queue_end = &s->queue;
    if ((j->err = db_begin(s->db, &j->msg)) == OK) {
        j->err = j->run(j, s->db, &j->msg);
        if (j->err == OK && j->write) {
            j->err = db_commit(s->db, &j->msg);
            failed_commit = j->err != OK;
        } else {
            db_rollback(s->db, NULL);
        }
    }
    if (j->err == OK && j->committed)
        j->committed(j);
    if (j->err != OK && !j->problem.status && j->err != ERR_PEER && j->err != ERR_INVALID &&
        j->err != ERR_CONFLICT)
        trace("site %d job failed: %s %s", no, err_name(j->err), j->msg.text);
    if (disk_stopped(no) || failed_commit) {
        job_free(j);
        stop_site(s, failed_commit ? "commit failed" : "the machine stopped");
        return;
    }
    finished[no] = j;
    later((int64_t)dice(6), job_done, no, life);
}

void job_queue(struct job *j)
{
    struct site *s = j->s;

    j->next = NULL;
    *s->queue_end = j;
    s->queue_end = &j->next;
    if (!s->busy) {
        s->busy = true;
        later((int64_t)dice(4 + (uint64_t)s->slow_ms), run_next, s->no, s->life);
    }
}

bool in_read(struct site *s, enum err (*fn)(struct site *s, void *arg, struct errmsg *e), void *arg)
{
    struct errmsg e = {""};

    if (!s->up || db_begin(s->db, &e) != OK)
        return false;
    enum err err = fn(s, arg, &e);
    db_rollback(s->db, NULL);
    return err == OK;
}

/* ---- sites ------------------------------------------------------------------------------------*/

static void db_path_of(int no, char out[40])
{
    snprintf(out, 40, "/disk%d/doorstep.db", no);
}

static void power_returns(int no)
{
    disk_power_cycle(no, dice);
    files_power_cycle(no, dice);
}

static enum err open_office(struct site *s, struct errmsg *e)
{
    struct office *o = &s->office;
    int p = parent_of(s->no);

    memset(o, 0, sizeof *o);
    o->host = &s->host;
    snprintf(o->site, sizeof o->site, "%s", s->code);
    if (p >= 0)
        snprintf(o->parent, sizeof o->parent, "%s", codes[p]);
    snprintf(o->name, sizeof o->name, "site %d", s->no);
    memcpy(o->seed, s->seed, 32);
    snprintf(o->boot, sizeof o->boot, "boot-%lld", (long long)s->mono_base_ms);
    o->lease_length_ms = LEASE_MS;
    o->lease_margin_ms = MARGIN_MS;
    return office_open(o, s->db, e);
}

static void tick(int no, int life)
{
    if (life != site[no].life || !site[no].up)
        return;
    if (disk_stopped(no)) {
        stop_site(&site[no], "the machine stopped");
        return;
    }
    later(TICK_MS, tick, no, life);
    net_tick(no);
}

static void try_up(int no, int unused)
{
    (void)unused;
    if (!site[no].up)
        site_up(no);
}

void site_up(int no)
{
    struct site *s = &site[no];
    struct errmsg e = {""};
    char path[40], papers[40];
    enum err err;

    db_path_of(no, path);
    snprintf(papers, sizeof papers, "/disk%d/blobs", no);
    if (s->up || s->absent)
        return;
    s->life++;
    err = db_open(path, DB_WRITE, &s->db, &e);
    if (err == OK && (err = blob_dir_open(papers, &s->blobs, &e)) == OK &&
        (err = open_office(s, &e)) == OK && s->office.parent[0] &&
        (err = db_begin(s->db, &e)) == OK && (err = lease_link_closed(&s->office, s->db, &e)) == OK)
        err = db_commit(s->db, &e);
    if (err != OK) {
        trace("site %d does not start: %s", no, e.text);
        db_close(s->db);
        s->db = NULL;
        blob_dir_close(s->blobs);
        s->blobs = NULL;
        if (err == ERR_CORRUPT)
            breach("site %d cannot be opened after a crash: %s", no, e.text);
        if (disk_stopped(no))
            power_returns(no);
        disk_set_full(no, false);
        later(5000, try_up, no, 0);
        return;
    }
    s->up = true;
    s->busy = false;
    s->queue = NULL;
    s->queue_end = &s->queue;
    s->backoff_ms = 500;
    trace("site %d up", no);
    check_reopened(s);
    later((int64_t)dice(TICK_MS), tick, no, s->life);
    if (no)
        later((int64_t)dice(1000), net_dial, no, 0);
}

void site_backup(int no)
{
    struct site *s = &site[no];

    /* Nodes only: what a hub told only its children is lost with its disk. */
    if (!s->up || disk_stopped(no) || no < 3)
        return;
    disk_backup_free(s->backup);
    files_copy_free(s->backup_files);
    s->backup = disk_backup(no);
    s->backup_files = files_copy(no);
    trace("site %d backed up", no);
}

static void come_back(struct site *s)
{
    struct errmsg e = {""};
    char path[40];

    db_path_of(s->no, path);
    if (db_open(path, DB_WRITE, &s->db, &e) != OK || open_office(s, &e) != OK ||
        db_begin(s->db, &e) != OK || exchange_come_back(&s->office, s->db, &e) != OK ||
        db_commit(s->db, &e) != OK)
        breach("site %d cannot come back: %s", s->no, e.text);
    office_close(&s->office);
    db_close(s->db);
    s->db = NULL;
}

/* One lost disk at a time in each branch: what two neighbours have both forgotten is gone. */
static bool neighbour_forgot(int no)
{
    for (int i = 1; i < SITES; i++)
        if (site[i].restored && i != no && (parent_of(i) == no || parent_of(no) == i))
            return true;
    return false;
}

static void another_machine(struct site *s)
{
    s->mono_base_ms += 1000 + (int64_t)dice(100000);
    s->mono_started_ms = now;
}

void site_restore(int no, bool told)
{
    struct site *s = &site[no];

    if (!s->backup || s->absent || neighbour_forgot(no))
        return;
    site_crash(no, false);
    trace("site %d restored from its old copy%s", no, told ? "" : ", and nobody told it");
    check_disk_goes(no);
    disk_restore(no, s->backup);
    if (dice(2)) /* else the papers were on another disk, and are new */
        files_put(no, s->backup_files);
    check_disk_gone(no);
    s->restored = true;
    s->untold |= !told;
    s->acked_seq = 0; /* what the parent has seen comes back; what it has not, went with the disk */
    another_machine(s);
    if (told)
        come_back(s);
}

void site_speak(int no, int version)
{
    if (site[no].speaks == version)
        return;
    trace("site %d gets a program of version %d", no, version);
    site_crash(no, false);
    site[no].speaks = version;
}

static void drop_jobs(struct site *s)
{
    while (s->queue) {
        struct job *j = s->queue;
        s->queue = j->next;
        job_free(j);
    }
    s->queue_end = &s->queue;
    if (finished[s->no])
        job_free(finished[s->no]);
    finished[s->no] = NULL;
}

void site_crash(int no, bool power)
{
    struct site *s = &site[no];

    if (!s->up)
        return;
    trace("site %d down (%s)", no, power ? "power" : "process");
    s->up = false;
    net_site_down(no);
    drop_jobs(s);
    if (power)
        disk_stop_after(no, 0); /* nothing that closing does reaches the disk */
    db_close(s->db);
    s->db = NULL;
    office_close(&s->office);
    blob_dir_close(s->blobs);
    s->blobs = NULL;
    if (power) {
        power_returns(no);
        if (dice(2)) /* the machine itself was off: another boot, another monotonic clock */
            another_machine(s);
    } else {
        disk_stop_after(no, -1);
    }
    later(healing ? 500 : (int64_t)dice(60000), try_up, no, 0);
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

static void must(enum err err, const char *what, const struct errmsg *e, const struct problem *p)
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

    must(item_import(&s->office, s->db, &boss, in, &out, &p), path, &e, &p);
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
    json_set_text(b, "site", codes[no]);
    json_set_text(b, "hash", hex);
    hex[32] = 0;
    json_set_text(b, "salt", hex);
    division_street(codes[no], street);
    struct errmsg e;
    must(ledger_append(&s->office.ledger, s->db, "account.created/1", "", street, "", b, NULL, &e),
         "account", &e, NULL);
    json_free(b);
}

static void make_site(int no, bool child)
{
    struct site *s = &site[no];
    struct errmsg e = {""};
    char path[40];

    db_path_of(no, path);
    must(db_open(path, DB_WRITE, &s->db, &e), "open", &e, NULL);
    must(migrate(s->db, schema_migrations, schema_migration_count, &e), "migrate", &e, NULL);
    must(db_begin(s->db, &e), "begin", &e, NULL);
    must(open_office(s, &e), "office", &e, NULL);
    if (no)
        must(link_add(s->db, codes[parent_of(no)], "parent", &s->host, &e), "link", &e, NULL);
    if (child) /* as enrol_child() does: it may have been here before */
        must(ledger_recall_begin(s->db, &e), "recall", &e, NULL);
    else
        must(office_found(&s->office, s->db, &e), "found", &e, NULL);
    must(db_commit(s->db, &e), "commit", &e, NULL);
}

static enum err enrol(int no, struct errmsg *e)
{
    struct site *p = &site[parent_of(no)];
    unsigned char pub[32];
    char key[65], name[20];
    enum err err = db_begin(p->db, e);

    crypto_public(site[no].seed, pub);
    hex_encode(pub, 32, key);
    snprintf(name, sizeof name, "site %d", no);
    if (err == OK && (err = office_enrol(&p->office, p->db, codes[no], name, key, 1000, e)) == OK)
        return db_commit(p->db, e);
    db_rollback(p->db, NULL);
    return err;
}

static void install(int no, int unused)
{
    struct site *s = &site[no], *p = &site[parent_of(no)];
    struct errmsg e = {""};

    (void)unused;
    for (int i = 0; i < 8; i++)
        s->seed[i] = (unsigned char)dice(256);
    if (!p->up || enrol(no, &e) != OK) {
        trace("site %d cannot enrol now %s", no, e.text);
        later(5000, install, no, 0);
        return;
    }
    trace("site %d enrols again", no);
    disk_heal(no); /* installing on a disk that is not well is not what is looked at here */
    make_site(no, true);
    office_close(&s->office);
    db_close(s->db);
    s->db = NULL;
    s->absent = false;
    site_up(no);
    net_local(p);
}

void site_reinstall(int no)
{
    struct site *s = &site[no];

    if (no < 3 || s->absent || neighbour_forgot(no))
        return;
    site_crash(no, false);
    trace("site %d is installed anew", no);
    check_disk_goes(no);
    disk_wipe(no);
    files_wipe(no);
    check_disk_gone(no);
    disk_backup_free(s->backup); /* of another life: its keys are no good any more */
    files_copy_free(s->backup_files);
    s->backup = s->backup_files = NULL;
    s->restored = s->absent = true;
    s->acked_seq = 0;
    another_machine(s);
    later(1000 + (int64_t)dice(30000), install, no, 0);
}

static int64_t run_until(int64_t end)
{
    int64_t steps = 0;

    while (heap_count && !broken && heap[0].at <= end) {
        struct moment m = pop();
        now = m.at;
        m.fn(m.a, m.b);
        steps++;
    }
    if (now < end)
        now = end;
    return steps;
}

static void reset_sites(void)
{
    heap_count = 0;
    orders = 0;
    now = 0;
    healing = false;
    broken = NULL;
    ring_count = 0;
    for (int i = 0; i < SITES; i++) {
        struct site *s = &site[i];
        s->no = i;
        snprintf(s->code, sizeof s->code, "%s", codes[i]);
        s->host = (struct host){wall, mono, random_bytes, s};
        s->wall_offset_ms = 0;
        s->mono_base_ms = 1000;
        s->mono_started_ms = 0;
        s->drift_ppm = 0;
        s->acked_seq = 0;
        s->restored = s->untold = s->absent = false;
        s->speaks = 1;
        s->slow_ms = 0;
        disk_backup_free(s->backup);
        files_copy_free(s->backup_files);
        s->backup = s->backup_files = NULL;
        s->queue_end = &s->queue;
        for (int k = 0; k < 32; k++)
            s->seed[k] = (unsigned char)(i * 32 + k + 1);
    }
    net_reset();
    work_reset();
    check_reset();
}

static void close_all(void)
{
    for (int i = 0; i < SITES; i++) {
        struct site *s = &site[i];
        if (s->up)
            net_site_down(i);
        drop_jobs(s);
        disk_stop_after(i, -1);
        db_close(s->db);
        s->db = NULL;
        office_close(&s->office);
        s->up = false;
        blob_dir_close(s->blobs);
        s->blobs = NULL;
        files_wipe(i);
    }
}

static void make_world(void)
{
    state = 42;
    reset_sites();
    for (int i = 0; i < SITES; i++)
        make_site(i, i > 0);
    struct errmsg e;
    must(db_begin(site[0].db, &e), "begin", &e, NULL);
    publish(&site[0], "schema/catalogue/calendar/2026.json");
    publish(&site[0], "schema/catalogue/items/birth-registration-first.json");
    publish(&site[0], "schema/catalogue/items/birth-household-entry.json");
    for (int i = 0; i <= SITES; i++)
        add_account(&site[0], i);
    must(db_commit(site[0].db, &e), "commit", &e, NULL);
    for (int i = 1; i <= 2; i++)
        must(enrol(i, &e), "enrol", &e, NULL);
    close_all();
    for (int i = 0; i < SITES; i++)
        site_up(i);
    healing = true;
    run_until(30000); /* the streets are what they are */
    for (int i = 3; i < SITES; i++)
        must(enrol(i, &e), "enrol", &e, NULL);
    for (int64_t end = 60000; end < 3600000 && (now < 60000 || !check_quiet()) && !broken;
         end += 10000)
        run_until(end);
    if (broken || !check_quiet()) {
        fprintf(stderr, "world: the first replication did not end: %s\n",
                broken ? broken : "not quiet");
        exit(1);
    }
    work_prepare();
    close_all();
    disk_snapshot();
}

/* ---- one seed ---------------------------------------------------------------------------------*/

#define WORK_MS work_ms
static int64_t work_ms;
#define HEAL_MS (30 * 60 * 1000LL)

static bool run_seed(uint64_t seed)
{
    close_all();
    disk_restore_snapshot();
    reset_sites();
    state = seed * 0x2545f4914f6cdd1dULL + 1;
    /* Mostly a few busy minutes; sometimes longer than two leases. */
    work_ms = dice(8) ? 40000 + (int64_t)dice(80000) : 420000;
    for (int i = 0; i < SITES; i++) {
        site[i].drift_ppm = (int)dice(8001) - 4000;
        site[i].mono_base_ms = 1000 + (int64_t)dice(1000000);
    }
    for (int i = 0; i < SITES; i++) {
        site_up(i);
        later((int64_t)dice(20000), work_some, i, 0);
    }
    faults_plan(5000, WORK_MS);
    run_until(WORK_MS);
    if (!broken) {
        trace("healing");
        healing = true;
        faults_heal();
        int64_t end = now + HEAL_MS;
        while (!broken && now < end) {
            run_until(now + 15000);
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

#ifndef COMMIT
#define COMMIT "unknown"
#endif

static void tell(uint64_t seed)
{
    printf("BROKEN seed %llu, commit %s: %s\n", (unsigned long long)seed, COMMIT, broken);
    if (!trace_all)
        for (uint64_t i = ring_count > 60 ? ring_count - 60 : 0; i < ring_count; i++)
            printf("  %s\n", ring[i % RING]);
    printf("replay: make sim SEED=%llu\n", (unsigned long long)seed);
}

/* ---- many seeds -------------------------------------------------------------------------------*/

#define JOBS_MAX 64
#define FAILED_MAX 5

struct tally {
    unsigned long long passed, failed, seed; /* seed: in hand now */
};

struct range {
    unsigned long long from, to;
    bool stop_at_first;
};

static void run_some(const struct range *r, unsigned step, unsigned first, struct tally *t)
{
    for (t->seed = r->from + first; t->seed <= r->to; t->seed += step) {
        bool good = run_seed(t->seed);
        if (t->seed % 50 == 0 && plans_check()) {
            t->failed++;
            return;
        }
        if (good) {
            t->passed++;
            continue;
        }
        t->failed++;
        tell(t->seed);
        fflush(stdout);
        if (r->stop_at_first || t->failed >= FAILED_MAX)
            break;
    }
    close_all();
}

/* Each child takes every jobs-th seed of the finished world. Also one that dies is told of, with
 * its seed. */
static void run_jobs(const struct range *r, unsigned jobs, struct tally *sum)
{
    struct tally *t =
        mmap(NULL, sizeof *t * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child[JOBS_MAX];
    int status;

    if (t == MAP_FAILED)
        exit(2);
    fflush(stdout);
    for (unsigned i = 0; i < jobs; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            run_some(r, jobs, i, &t[i]);
            fflush(stdout);
            _exit(t[i].failed ? 1 : 0);
        }
        if (child[i] < 0)
            exit(2);
    }
    for (unsigned left = jobs; left; left--) {
        pid_t ended = wait(&status);
        for (unsigned i = 0; i < jobs; i++) {
            if (child[i] != ended)
                continue;
            child[i] = 0;
            if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM) {
                printf("BROKEN seed %llu, commit %s: the program died by signal %d\n"
                       "replay: make sim SEED=%llu\n",
                       t[i].seed, COMMIT, WTERMSIG(status), t[i].seed);
                t[i].failed++;
            }
        }
        for (unsigned i = 0; i < jobs && r->stop_at_first && status; i++)
            if (child[i] > 0)
                kill(child[i], SIGTERM);
    }
    for (unsigned i = 0; i < jobs; i++) {
        sum->passed += t[i].passed;
        sum->failed += t[i].failed;
    }
    munmap(t, sizeof *t * JOBS_MAX);
}

/* Each line: a seed, a name, what it found. */
static void run_stories(const char *path, struct tally *sum)
{
    FILE *f = fopen(path, "r");
    char line[400], name[80];
    unsigned long long seed;

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%llu %79s", &seed, name) != 2)
            continue;
        const struct range r = {seed, seed, false};
        unsigned long long before = sum->failed;
        run_jobs(&r, 1, sum);
        if (sum->failed != before)
            printf("that was the story %s", line);
    }
    if (!f)
        sum->failed++;
    else
        fclose(f);
}

static int usage(void)
{
    fprintf(stderr, "usage: sim --seeds A..B | --stories FILE [--jobs N] [--trace] [--first]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct range r = {.from = 1, .to = 100};
    struct tally sum = {0};
    unsigned jobs = 1;
    bool want = false;
    const char *stories = NULL;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seeds") && i + 1 < argc &&
            sscanf(argv[++i], "%llu..%llu", &r.from, &r.to) == 2)
            continue;
        if (!strcmp(argv[i], "--jobs") && i + 1 < argc && sscanf(argv[++i], "%u", &jobs) == 1 &&
            jobs >= 1 && jobs <= JOBS_MAX)
            continue;
        if (!strcmp(argv[i], "--stories") && i + 1 < argc)
            stories = argv[++i];
        else if (!strcmp(argv[i], "--trace"))
            want = true;
        else if (!strcmp(argv[i], "--first"))
            r.stop_at_first = true;
        else
            return usage();
    }
    setvbuf(stdout, NULL, _IOFBF, 1 << 16); /* a report goes out in one piece */
    log_level_set(LOG_LEVEL_ERROR);
    disk_register();
    make_world();
    trace_all = want;
    if (stories)
        run_stories(stories, &sum);
    else if (want)
        run_some(&r, 1, 0, &sum);
    else
        run_jobs(&r, jobs, &sum);
    printf("%llu passed, %llu failed\n", sum.passed, sum.failed);
    return sum.failed ? 1 : 0;
}
