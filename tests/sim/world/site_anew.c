/* Sites that begin: founded, enrolled, installed anew, or restored from an old copy. */
#include "world.h"

#include "base/crypto.h"
#include "db/migrate.h"
#include "disk.h"
#include "files.h"
#include "ledger/link_rows.h"

/* ---- founded and enrolled ---------------------------------------------------------------------*/

void site_make(int no, bool child)
{
    struct site *s = &site[no];
    struct errmsg e = {""};
    char path[40];

    site_db_path(no, path);
    world_must(db_open(path, DB_WRITE, &s->db, &e), "open", &e, NULL);
    world_must(migrate(s->db, schema_migrations, schema_migration_count, &e), "migrate", &e, NULL);
    world_must(db_begin(s->db, &e), "begin", &e, NULL);
    world_must(site_open_office(s, &e), "office", &e, NULL);
    if (no)
        world_must(link_add(s->db, site[parent_of(no)].code, "parent", &s->host, &e), "link", &e,
                   NULL);
    if (child) /* as enrol_child() does: it may have been here before */
        world_must(ledger_recall_begin(s->db, &e), "recall", &e, NULL);
    else
        world_must(office_found(&s->office, s->db, &e), "found", &e, NULL);
    world_must(db_commit(s->db, &e), "commit", &e, NULL);
}

enum err site_enrol(int no, struct errmsg *e)
{
    struct site *s = &site[no], *p = &site[parent_of(no)];
    unsigned char pub[32];
    char key[65], name[20];
    enum err err = db_begin(p->db, e);

    crypto_public(s->seed, pub);
    hex_encode(pub, 32, key);
    snprintf(name, sizeof name, "site %d", no);
    if (err == OK && (err = office_enrol(&p->office, p->db, s->code, name, key, 1000, e)) == OK)
        return db_commit(p->db, e);
    db_rollback(p->db, NULL);
    return err;
}

/* ---- on another machine -----------------------------------------------------------------------*/

/* One lost disk at a time in each branch: what two neighbours have both forgotten is gone. */
static bool neighbour_forgot(int no)
{
    for (int i = 1; i < SITES; i++)
        if (site[i].restored && i != no && (parent_of(i) == no || parent_of(no) == i))
            return true;
    return false;
}

static void install(int no, int unused)
{
    struct site *s = &site[no], *p = &site[parent_of(no)];
    struct errmsg e = {""};

    (void)unused;
    for (int i = 0; i < 8; i++)
        s->seed[i] = (unsigned char)dice(256);
    if (!p->up || site_enrol(no, &e) != OK) {
        trace("site %d cannot enrol now %s", no, e.text);
        later(5000, install, no, 0);
        return;
    }
    trace("site %d enrols again", no);
    disk_heal(no); /* installing on a disk that is not well is not what is looked at here */
    site_make(no, true);
    office_close(&s->office);
    db_close(s->db);
    s->db = NULL;
    s->absent = s->lost = false;
    site_up(no);
    net_local(p);
}

/* Nothing is left of it; after `ms` somebody begins to install it. */
static void wipe(int no, int64_t ms)
{
    struct site *s = &site[no];

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
    site_other_machine(s);
    later(ms, install, no, 0);
}

void site_reinstall(int no)
{
    if (no >= 3 && !site[no].absent && !site[no].lost && !neighbour_forgot(no))
        wipe(no, 1000 + (int64_t)dice(30000));
}

static enum err lose_run(struct job *j, struct db *db, struct errmsg *e)
{
    return office_revoke(&j->s->office, db, site[j->day].code, true, e);
}

static void wipe_later(int no, int unused)
{
    (void)unused;
    if (site[no].lost && !site[no].absent)
        wipe(no, 1000);
}

static void lose_done(struct job *j)
{
    int no = j->day;
    int64_t away_ms = LEASE_MS + MARGIN_MS + 5000 + (int64_t)dice(90000);

    if (j->err != OK || neighbour_forgot(no) || site[no].absent) {
        trace("site %d cannot declare %d lost: %s", j->s->no, no, j->msg.text);
        return;
    }
    trace("site %d declares %d lost", j->s->no, no);
    site[no].lost = site[no].was_lost = true;
    net_close(&conns[no], "declared lost");
    if (dice(3)) /* else it lives, and nobody lets it in */
        wipe(no, away_ms);
    else
        later(away_ms, wipe_later, no, 0);
    for (int i = 0; i < 6; i++)
        later(LEASE_MS + MARGIN_MS + (int64_t)dice(30000), work_after_loss, no, 0);
}

void site_lose(int no)
{
    struct site *s = &site[no], *p = &site[parent_of(no)];
    struct job *j;

    if (no < 3 || s->absent || s->lost || !p->up || neighbour_forgot(no))
        return;
    j = job_new(p, true);
    j->day = no;
    j->run = lose_run;
    j->done = lose_done;
    job_queue(j);
}

/* ---- from an old copy -------------------------------------------------------------------------*/

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

    site_db_path(s->no, path);
    if (db_open(path, DB_WRITE, &s->db, &e) != OK || site_open_office(s, &e) != OK ||
        db_begin(s->db, &e) != OK || link_end_come_back(&s->office, s->db, &e) != OK ||
        db_commit(s->db, &e) != OK)
        breach("site %d cannot come back: %s", s->no, e.text);
    office_close(&s->office);
    db_close(s->db);
    s->db = NULL;
}

void site_restore(int no, bool told)
{
    struct site *s = &site[no];

    if (!s->backup || s->absent || s->lost || neighbour_forgot(no))
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
    site_other_machine(s);
    if (told)
        come_back(s);
}
