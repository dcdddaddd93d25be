/* Ordinary office work: random people at random sites give commands, often in vain; what one of
 * them was told is done must never be lost. */
#include "work.h"

#include <string.h>

struct filed work_filed[FILED_MAX];
int work_filed_count;
static int paper_count;

void work_reset(void)
{
    work_filed_count = 0;
    paper_count = 0;
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
    const char *no = json_get_text(j->out, "case_no"), *action = json_get_text(j->arg, "action");
    const struct json *certificate = json_get(j->out, "certificate"),
                      *delivery = json_get(j->out, "delivery");
    char both[80];

    note_head(j);
    if (!no || j->s->untold || rogue_ground_no(j->s->no))
        return;
    if (j->fn == case_lodge)
        check_number("case", no);
    if (json_get_text(certificate, "number") && action && !strcmp(action, "complete")) {
        snprintf(both, sizeof both, "%s", json_get_text(certificate, "number"));
        check_number(no, both);
    }
    if (json_get_text(delivery, "waybill")) {
        snprintf(both, sizeof both, "%s", json_get_text(delivery, "waybill"));
        check_number(no, both);
    }
    if (j->fn == case_lodge || j->fn == case_act)
        check_custody(j->s, no, action ? action : "file", j->in.pos);
}

static enum err command_run(struct job *j, struct db *db, struct errmsg *e)
{
    unsigned char hash[32];
    enum err err = ledger_head(db, j->s->office.ledger.origin, &j->in.pos, hash, e);

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
        trace("site %d refuses %s: %s", j->s->no, action ? action : "a filing",
              j->problem.status ? j->problem.code : err_name(j->err));
        return;
    }
    if (strcmp(j->s->acked_origin, j->in.origin)) {
        memcpy(j->s->acked_origin, j->in.origin, 25);
        j->s->acked_seq = 0;
    }
    if (j->in.seq > j->s->acked_seq)
        j->s->acked_seq = j->in.seq;
    trace("site %d did %s %s (own %llu)", j->s->no, action ? action : "file",
          json_get_text(j->out, "case_no") ? json_get_text(j->out, "case_no") : "",
          (unsigned long long)j->in.seq);
    if (j->fn == case_lodge && work_filed_count < FILED_MAX) {
        snprintf(work_filed[work_filed_count].case_no, 22, "%s", json_get_text(j->out, "case_no"));
        snprintf(work_filed[work_filed_count].code, 7, "%s", json_get_text(j->out, "query_code"));
        work_filed_count++;
    }
    net_local(j->s);
}

void work_command(struct site *s, const struct caller *c, office_fn *fn, struct json *arg)
{
    struct job *j = job_new(s, true);

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

    (void)unused;
    if (healing)
        return;
    later(1000 + (int64_t)dice(16000), work_some, no, 0);
    if (!s->up)
        return;
    uint64_t what = dice(10);
    if (what < 3 && no)
        work_file(s);
    else if (what < 9)
        work_act(s);
    else if (no <= 2)
        work_resident_acts(s);
}
