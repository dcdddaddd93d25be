/* Ordinary office work: random people at random sites give commands, often in vain; what one of
 * them was told is done must never be lost. */
#include "work.h"

#include <string.h>

const struct sim_type *const sim_types[] = {&sim_case, &sim_ticket};
const size_t sim_type_count = sizeof sim_types / sizeof sim_types[0];

static int paper_count;

void work_reset(void)
{
    paper_count = 0;
    for (size_t t = 0; t < sim_type_count; t++)
        if (sim_types[t]->reset)
            sim_types[t]->reset();
}

struct caller work_caller(int no)
{
    static char names[SITES][16];

    snprintf(names[no], sizeof names[no], "user%d", no);
    return (struct caller){.user = names[no],
                           .name = names[no],
                           .role = no == 0   ? "supervisor"
                                   : no <= 2 ? "clerk"
                                             : "agent",
                           .site = site[no].code,
                           .channel = "window",
                           .query_code = ""};
}

/* ---- what is known as soon as it is durable ---------------------------------------------------*/

static void note_head(struct job *j)
{
    unsigned char hash[32];
    struct errmsg e;

    if (ledger_head(j->s->db, j->s->office.ledger.origin, &j->in.seq, hash, &e) != OK)
        j->in.seq = 0;
    memcpy(j->in.origin, j->s->office.ledger.origin, 25);
}

static void committed(struct job *j)
{
    note_head(j);
    if (!j->s->untold && !rogue_ground_no(j->s->no) && j->type->committed)
        j->type->committed(j);
}

static enum err command_run(struct job *j, struct db *db, struct errmsg *e)
{
    unsigned char hash[32];
    enum err err = ledger_head(db, j->s->office.ledger.origin, &j->in.pos, hash, e);

    j->wall_ms = host_wall_ms(&j->s->host);
    if (err == OK)
        err = j->fn(&j->s->office, db, &j->caller, j->arg, &j->out, &j->problem);

    if (err != OK)
        errmsg_set(e, "%s %s", j->problem.code, j->problem.field);
    return err;
}

/* Somebody is told: from now on it must never be lost. */
static void command_done(struct job *j)
{
    const char *action = json_get_text(j->arg, "action");

    if (j->err != OK) {
        trace("site %d refuses %s of a %s: %s", j->s->no, action ? action : "opening",
              j->type->name, j->problem.status ? j->problem.code : err_name(j->err));
        return;
    }
    if (strcmp(j->s->acked_origin, j->in.origin)) {
        memcpy(j->s->acked_origin, j->in.origin, 25);
        j->s->acked_seq = 0;
    }
    if (j->in.seq > j->s->acked_seq)
        j->s->acked_seq = j->in.seq;
    if (j->type->told)
        j->type->told(j);
    net_local(j->s);
}

void work_command(const struct sim_type *t, struct site *s, const struct caller *c, office_fn *fn,
                  struct json *arg)
{
    struct job *j = job_new(s, true);

    j->type = t;
    j->fn = fn;
    j->caller = *c;
    j->arg = arg;
    j->run = command_run;
    j->done = command_done;
    j->committed = committed;
    job_queue(j);
}

/* ---- papers -----------------------------------------------------------------------------------*/

static enum err paper_row(struct job *j, struct db *db, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "INSERT INTO document (digest, street, dossier, size, media_type, state, hlc) "
                    "VALUES ($1, $2, '', $3, 'image/png', 'here', 0) "
                    "ON CONFLICT (digest) DO UPDATE SET state = 'here'");

    bind_text(st, 1, json_get_text(j->arg, "digest"));
    bind_text(st, 2, j->s->office.street);
    bind_int(st, 3, json_get_int(j->arg, "size", 0));
    return db_run(st, e);
}

static void paper_told(struct job *j)
{
    (void)j;
}

/* An upload, as api/uploads leaves it: the bytes, then the row. */
bool work_paper(struct site *s, struct paper *ret)
{
    struct blob_writer *w = NULL;
    struct errmsg e;
    char text[80];

    int n = snprintf(text, sizeof text, "paper %d of site %d", paper_count++, s->no);
    ret->size = 0;
    if (blob_begin(s->blobs, &w, &e) != OK)
        return false;
    /* Now and then one that takes several chunks. */
    for (int64_t want = 40 + (int64_t)dice(dice(8) ? 4000 : 40000); ret->size < want;
         ret->size += n)
        if (blob_write(w, text, (size_t)n, &e) != OK) {
            blob_abort(w);
            return false;
        }
    if (blob_commit(w, NULL, ret->digest, &e) != OK)
        return false;
    struct job *j = job_new(s, true);
    j->arg = json_object();
    json_set_text(j->arg, "digest", ret->digest);
    json_set_int(j->arg, "size", ret->size);
    j->run = paper_row;
    j->done = paper_told;
    job_queue(j);
    return true;
}

void work_some(int no, int unused)
{
    struct site *s = &site[no];
    uint64_t what;

    (void)unused;
    if (healing)
        return;
    later(1000 + (int64_t)dice(16000), work_some, no, 0);
    if (!s->up)
        return;
    what = dice(100);
    for (size_t t = 0; t < sim_type_count; t++) {
        if (what < sim_types[t]->share) {
            if (program_knows(s, sim_types[t]->name, NULL))
                sim_types[t]->work(s);
            return;
        }
        what -= sim_types[t]->share;
    }
}
