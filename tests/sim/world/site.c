/* Sites: their clocks, how they start, and how they stop. */
#include "world.h"

#include "disk.h"
#include "files.h"

#include <string.h>

struct site site[SITES];

static const char *const codes[SITES] = {
    "331002000000", "331002003000", "331002004000", "331002003901", "331002003902",
    "331002003903", "331002004901", "331002004902", "331002004903",
};

/* ---- a site's clocks --------------------------------------------------------------------------*/

#define EPOCH_MS 1790000000000LL /* 2026-09-21 */

static int64_t wall(void *arg)
{
    struct site *s = arg;
    int64_t ms = EPOCH_MS + now + s->wall_offset_ms;

    s->wall_max_ms = ms > s->wall_max_ms ? ms : s->wall_max_ms;
    return ms;
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
        ((unsigned char *)p)[i] = (unsigned char)dice(256);
}

int parent_of(int no)
{
    return no == 0 ? -1 : no <= 2 ? 0 : no <= 5 ? 1 : 2;
}

void site_other_machine(struct site *s)
{
    s->mono_base_ms += 1000 + (int64_t)dice(100000);
    s->mono_started_ms = now;
}

/* ---- up and down ------------------------------------------------------------------------------*/

void site_db_path(int no, char out[40])
{
    snprintf(out, 40, "/disk%d/doorstep.db", no);
}

static void power_returns(int no)
{
    disk_power_cycle(no, dice);
    files_power_cycle(no, dice);
}

enum err site_open_office(struct site *s, struct errmsg *e)
{
    struct office *o = &s->office;
    int p = parent_of(s->no);

    memset(o, 0, sizeof *o);
    o->host = &s->host;
    o->work = s->program;
    snprintf(o->site, sizeof o->site, "%s", s->code);
    if (p >= 0)
        snprintf(o->parent, sizeof o->parent, "%s", site[p].code);
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
        site_fails(&site[no], "the machine stopped");
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

    site_db_path(no, path);
    snprintf(papers, sizeof papers, "/disk%d/blobs", no);
    if (s->up || s->absent)
        return;
    s->life++;
    err = db_open(path, DB_WRITE, &s->db, &e);
    if (err == OK && (err = blob_dir_open(papers, &s->blobs, &e)) == OK &&
        (err = site_open_office(s, &e)) == OK && s->office.parent[0] &&
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
    program_starts(no, s->life);
    if (no)
        later((int64_t)dice(1000), net_dial, no, 0);
}

/* Production stops writing when a commit fails; the program ends and is started again. */
void site_fails(struct site *s, const char *why)
{
    trace("site %d stops: %s", s->no, why);
    site_crash(s->no, disk_stopped(s->no));
}

void site_crash(int no, bool power)
{
    struct site *s = &site[no];

    if (!s->up)
        return;
    trace("site %d down (%s)", no, power ? "power" : "process");
    s->up = false;
    net_site_down(no);
    job_drop_all(s);
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
            site_other_machine(s);
    } else {
        disk_stop_after(no, -1);
    }
    later(healing ? 500 : (int64_t)dice(60000), try_up, no, 0);
}

void site_speak(int no, unsigned oldest, unsigned newest)
{
    struct speaks *s = &site[no].speaks;

    if (s->oldest == oldest && s->newest == newest)
        return;
    trace("site %d gets a program of versions %u to %u", no, oldest, newest);
    site_crash(no, false);
    *s = (struct speaks){oldest, newest};
}

void site_reset(int no)
{
    struct site *s = &site[no];

    s->no = no;
    snprintf(s->code, sizeof s->code, "%s", codes[no]);
    s->host = (struct host){wall, mono, random_bytes, s};
    s->wall_offset_ms = s->wall_max_ms = 0;
    s->mono_base_ms = 1000;
    s->mono_started_ms = 0;
    s->drift_ppm = 0;
    s->acked_seq = 0;
    s->restored = s->untold = s->absent = s->lost = s->was_lost = false;
    s->speaks = (struct speaks){WIRE_OLDEST, WIRE_NEWEST};
    s->slow_ms = 0;
    disk_backup_free(s->backup);
    files_copy_free(s->backup_files);
    s->backup = s->backup_files = NULL;
    s->queue_end = &s->queue;
    for (int k = 0; k < 32; k++)
        s->seed[k] = (unsigned char)(no * 32 + k + 1);
}

void site_end(int no, bool kept)
{
    struct site *s = &site[no];

    if (s->up)
        net_site_down(no);
    job_drop_all(s);
    /* What closing writes is of no use to a world that is over. */
    disk_stop_after(no, kept ? -1 : 0);
    db_close(s->db);
    s->db = NULL;
    office_close(&s->office);
    s->up = false;
    blob_dir_close(s->blobs);
    s->blobs = NULL;
    files_wipe(no);
}
