/* What goes wrong, drawn from the seed. */
#include "world.h"

#include "disk.h"

#include <string.h>

static int64_t age_ms; /* months that have passed */

static void open_line(int child, int unused)
{
    (void)unused;
    conns[child].cut = false;
    conns[child].delay_ms = 20 + (int64_t)dice(300);
    conns[child].rate = dice(4) ? 200000 : 1500;
}

static void disk_well(int no, int unused)
{
    (void)unused;
    disk_set_full(no, false);
    site[no].slow_ms = 0;
}

static void fail_read(int no, int unused)
{
    (void)unused;
    if (!healing)
        disk_fail_read(no);
}

static void speak_again(int no, int unused)
{
    (void)unused;
    site_speak(no, WIRE_OLDEST, WIRE_NEWEST);
}

static void one_fault(int kind, int unused)
{
    int child = 1 + (int)dice(SITES - 1), no = (int)dice(SITES);
    struct conn *c = &conns[child];
    struct site *s = &site[no];

    (void)unused;
    if (healing)
        return;
    switch (kind) {
    case 0: /* the line breaks, and dials again */
        net_cut(c, "cut");
        break;
    case 1: /* it is gone for a while */
        trace("line %d cut", child);
        c->cut = true;
        net_cut(c, "cut");
        later(5000 + (int64_t)dice(3 * 60000), open_line, child, 0);
        break;
    case 2:
        trace("line %d half open", child);
        for (uint64_t which = 1 + dice(3), e = 0; e < 2; e++)
            c->half_open[e] |= which >> e & 1;
        break;
    case 3:
        trace("line %d slow", child);
        c->rate = 200 + (int64_t)dice(3000);
        c->delay_ms = 100 + (int64_t)dice(3000);
        break;
    case 4:
        site_crash(no, false);
        break;
    case 5:
        site_crash(no, true);
        break;
    case 6: /* inside the writes of some commit to come */
        if (s->up)
            disk_stop_after(no, (int64_t)dice(60));
        break;
    case 7:
        trace("disk %d full", no);
        disk_set_full(no, true);
        later(1000 + (int64_t)dice(20000), disk_well, no, 0);
        break;
    case 8: /* a disk that is dying: slow, and reads fail now and then; single jobs fail, the site
               goes on */
        trace("disk %d is slow and fails to read", no);
        s->slow_ms = dice(2) ? 1500 : 0;
        later(30000, disk_well, no, 0);
        for (int i = 0; i < 8; i++)
            later((int64_t)dice(30000), fail_read, no, 0);
        break;
    case 9:
        disk_fail_sync(no);
        break;
    case 10:
        if (dice(3)) /* by hours, or by days */
            s->wall_offset_ms += (int64_t)dice(6 * 3600000) - 3 * 3600000;
        else
            s->wall_offset_ms += ((int64_t)dice(80) - 40) * 86400000;
        trace("wall clock of %d jumps to %+lld s", no,
              (long long)(s->wall_offset_ms - age_ms) / 1000);
        break;
    case 11: /* all nodes return at once */
        for (int i = 1; i < SITES; i++)
            net_close(&conns[i], "power cut of the line");
        for (int i = 1; i < SITES; i++)
            later(10, net_dial, i, 0);
        break;
    case 15: { /* an older program, the next one, or one that nobody else understands yet */
        static const struct speaks programs[] = {{WIRE_OLDEST, WIRE_OLDEST},
                                                 {WIRE_NEWEST, WIRE_NEWEST + 1},
                                                 {WIRE_NEWEST + 1, WIRE_NEWEST + 2}};
        const struct speaks *p = &programs[dice(3)];
        site_speak(no, p->oldest, p->newest);
        later(20000 + (int64_t)dice(60000), speak_again, no, 0);
        break;
    }
    case 13:
        site_reinstall(no);
        break;
    case 16:
        site_lose(3 + no % 6);
        break;
    case 14: /* an old copy comes back */
        site_restore(no, dice(3) != 0);
        break;
    case 12: /* a street is away for longer than the leases, perhaps with clocks that have stood
                still or run ahead */
        trace("line of street cut for long");
        for (int i = 3; i < SITES; i++)
            if (dice(2)) {
                conns[i].cut = true;
                if (dice(3) == 0)
                    site[i].wall_offset_ms += (int64_t)dice(6 * 3600000) - 2 * 3600000;
                if (dice(3)) /* else nobody notices, until the silence is too long */
                    net_cut(&conns[i], "cut");
                else
                    conns[i].half_open[0] = conns[i].half_open[1] = true;
                later(LEASE_MS + (int64_t)dice(90000), open_line, i, 0);
                for (int k = 0; k < 3; k++)
                    later(LEASE_MS - 20000 + (int64_t)dice(40000), work_both, i, 0);
            }
        break;
    }
}

/* One site, or none, is away meanwhile and comes back to a world that has gone on. */
static void months_pass(int away, int unused)
{
    int64_t ms = (30 + (int64_t)dice(90)) * 86400000LL;

    (void)unused;
    if (healing)
        return;
    age_ms += ms;
    trace("months pass%s", away ? ", one is away" : "");
    for (int i = 1; i < SITES; i++)
        net_cut(&conns[i], "months");
    if (away) {
        conns[away].cut = true;
        later(5000 + (int64_t)dice(40000), open_line, away, 0);
    }
    for (int i = 0; i < SITES; i++) {
        site[i].wall_offset_ms += ms;
        site[i].mono_base_ms += ms;
    }
}

static void backup_one(int no, int unused)
{
    (void)unused;
    site_backup(no);
}

void faults_plan(int64_t from, int64_t until)
{
    age_ms = 0;
    int n = until > 200000 ? (int)dice(14) : (int)dice(6);

    if (dice(4) == 0)
        later(from, one_fault, 12, 0);
    if (dice(5) == 0) { /* every site but the district has an old copy; some come back */
        for (int i = 1; i < SITES; i++)
            later(from + (int64_t)dice((uint64_t)(until - from) / 2), backup_one, i, 0);
        for (int i = 0; i < 3; i++)
            later((until + from) / 2 + (int64_t)dice((uint64_t)(until - from) / 2), one_fault, 14,
                  0);
    }

    if (dice(5) == 0)
        later(from + (int64_t)dice((uint64_t)(until - from)), one_fault, 13, 0);
    if (dice(12) == 0)
        later(from + (int64_t)dice((uint64_t)(until - from)), one_fault, 15, 0);
    if (dice(8) == 0)
        later(from + (int64_t)dice((uint64_t)(until - from) / 2), one_fault, 16, 0);
    for (int i = 0; i < n; i++)
        later(from + (int64_t)dice((uint64_t)(until - from)), one_fault, (int)dice(13), 0);
    if (dice(10) == 0)
        later((int64_t)dice((uint64_t)until), months_pass, (int)dice(SITES), 0);
}

void faults_heal(void)
{
    for (int i = 0; i < SITES; i++) {
        disk_heal(i);
        site[i].slow_ms = 0;
        if (dice(2)) /* somebody looks at the clock, or nobody does */
            site[i].wall_offset_ms = age_ms;
    }
    for (int i = 1; i < SITES; i++) {
        conns[i].cut = false;
        conns[i].delay_ms = 20;
        conns[i].rate = 200000;
        net_close(&conns[i], "healed");
        later((int64_t)dice(500), net_dial, i, 0);
    }
    program_heal();
    for (int i = 0; i < SITES; i++) {
        site_speak(i, WIRE_OLDEST, WIRE_NEWEST);
        if (!site[i].up)
            site_up(i);
    }
}
