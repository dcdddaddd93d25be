/* Cases: what people do with them, and what must hold. */
#include "told.h"
#include "work.h"

#include "base/time.h"

#include <string.h>

struct filed work_filed[FILED_MAX];
int work_filed_count;

static void reset(void)
{
    work_filed_count = 0;
}

static void work(struct site *s)
{
    uint64_t what = dice(10);

    if (what < 3 && s->no)
        work_file(s);
    else if (what < 9)
        work_act(s);
    else if (s->no <= 2)
        work_resident_acts(s);
}

/* The day in a number is that of the wall clock of the site that gives it, whatever clock it follows. */
static void check_day(const struct job *j, const char *no)
{
    char day[7];

    time_yymmdd(j->wall_ms, day);
    if (strncmp(day, no + 9, 6))
        breach("site %d filed %s on the day %s", j->s->no, no, day);
}

static void committed(struct job *j)
{
    const char *no = json_get_text(j->out, "case_no"), *action = json_get_text(j->arg, "action");
    const struct json *certificate = json_get(j->out, "certificate"),
                      *delivery = json_get(j->out, "delivery");
    char both[80];

    if (!no)
        return;
    if (j->fn == case_lodge)
        check_number("case", no);
    if (j->fn == case_lodge)
        check_day(j, no);
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

static void told(struct job *j)
{
    const char *action = json_get_text(j->arg, "action"), *no = json_get_text(j->out, "case_no");

    trace("site %d did %s %s (own %llu)", j->s->no, action ? action : "file", no ? no : "",
          (unsigned long long)j->in.seq);
    if (j->fn == case_lodge && work_filed_count < FILED_MAX) {
        snprintf(work_filed[work_filed_count].case_no, 22, "%s", no);
        work_filed[work_filed_count].filed_ms = j->wall_ms;
        snprintf(work_filed[work_filed_count].code, 7, "%s", json_get_text(j->out, "query_code"));
        work_filed_count++;
    }
}

/* ---- who decided ------------------------------------------------------------------------------*/

/* Read from the events alone, by the numbers of custodies and nobody's clock: the chain of hands, and
 * under it every decision that stands, which must be the latest custodian's of all that decided. */
struct step {
    char kind[24], by[13], to[13];
    int64_t no;
    bool applied;
};

static int steps_of(struct site *s, const char *case_no, struct step *list, int max)
{
    struct stmt *st = db_stmt(
        s->db, "SELECT kind, origin, record, state FROM event WHERE dossier = $1 AND state <> "
               "'refused' ORDER BY hlc, origin, seq");
    int n = 0;
    bool row;

    bind_text(st, 1, case_no);
    while (db_step(st, &row, NULL) == OK && row && n < max) {
        struct step *x = &list[n++];
        const char *record = col_text(st, 2);
        *x = (struct step){.no = int_of(record, "custody_no"),
                           .applied = !strcmp(col_text(st, 3), "applied")};
        snprintf(x->kind, sizeof x->kind, "%.20s", col_text(st, 0));
        snprintf(x->by, sizeof x->by, "%.12s", col_text(st, 1));
        text_of(record, "to", x->to, sizeof x->to);
        if (!strcmp(x->kind, "case.filed/1"))
            text_of(record, "custodian", x->to, sizeof x->to), x->no = 1;
    }
    db_reset(st);
    return n;
}

static bool decision(const struct step *x)
{
    return !strcmp(x->kind, "case.granted/1") || !strcmp(x->kind, "case.refused/1") ||
           !strcmp(x->kind, "case.withdrawn/1") || !strcmp(x->kind, "case.not_accepted/1");
}

static void check_case(struct site *s, const char *case_no)
{
    static struct step list[400];
    char hands[40][13] = {""};
    int n = steps_of(s, case_no, list, 400), stands = 0, top = 0;
    int64_t latest = 0, standing = 0;
    bool overruled = false; /* by a street that is a rogue: it may, of its communities */

    for (int i = 0; i < n; i++) { /* moves that stand make one chain */
        const struct step *x = &list[i];
        bool move = !strcmp(x->kind, "case.filed/1") || !strcmp(x->kind, "case.transferred/") ||
                    strstr(x->kind, "transferred") || strstr(x->kind, "taken_back");
        if (!x->applied || !move || x->no < 1 || x->no >= 40)
            continue;
        if (hands[x->no][0])
            breach("site %d: case %s has two custodies %lld", s->no, case_no, (long long)x->no);
        snprintf(hands[x->no], 13, "%s", x->to);
        top = x->no > top ? (int)x->no : top;
    }
    for (int k = 1; k <= top; k++)
        if (!hands[k][0])
            breach("site %d: case %s has custody %d, but not %d", s->no, case_no, top, k);
    for (int i = 0; i < n; i++) {
        const struct step *x = &list[i];
        bool his = x->no >= 1 && x->no < 40 && !strcmp(hands[x->no], x->by);
        overruled |= !strcmp(x->kind, "dossier.overruled/1") && x->applied && rogue_ground(x->by);
        if (!decision(x))
            continue;
        if (his && x->no > latest)
            latest = x->no;
        if (!x->applied)
            continue;
        stands++;
        standing = x->no;
        if (!his)
            breach("site %d: case %s: %s by %s under custody %lld stands, which was %s's", s->no,
                   case_no, x->kind, x->by, (long long)x->no, hands[x->no]);
    }
    if (stands > 1 || (!overruled && ((latest && !stands) || standing != latest)))
        breach("site %d: case %s: %d decisions stand, under custody %lld, and the latest is under "
               "%lld",
               s->no, case_no, stands, (long long)standing, (long long)latest);
}

static void state_of_number(struct site *s, const char *case_no, const char *number, char out[16])
{
    struct stmt *st =
        db_stmt(s->db, "SELECT state FROM certificate WHERE number = $1 AND case_no = $2");
    bool row;

    bind_text(st, 1, number);
    bind_text(st, 2, case_no);
    snprintf(out, 16, "%s", db_step(st, &row, NULL) == OK && row ? col_text(st, 0) : "");
    db_reset(st);
}

static bool desk_is_told(struct site *s, const struct told *x)
{
    struct stmt *st =
        db_stmt(s->db, "SELECT 1 FROM repair WHERE street = $1 AND origin = $2 AND seq = $3");
    bool row;

    bind_text(st, 1, x->street);
    bind_text(st, 2, x->origin);
    bind_int(st, 3, (int64_t)x->seq);
    bool there = db_step(st, &row, NULL) == OK && row;
    db_reset(st);
    return there;
}

/* A result that stands is valid, unless somebody has revoked it; one that does not is valid nowhere where
 * that is known, and the desks are told. */
static void check_results(struct site *s, const char *case_no)
{
    struct telling t = {.arena = arena_create()};
    char standing[40] = "", number[40], state[16];

    told_read(s, "dossier = $1 AND kind = 'certificate.issued/1'", case_no, &t);
    for (int i = 0; i < t.count; i++)
        if (!strcmp(t.list[i].state, "applied"))
            told_text(&t.list[i], "number", standing, sizeof standing);
    for (int i = 0; i < t.count; i++) {
        bool stands = !strcmp(t.list[i].state, "applied");
        told_text(&t.list[i], "number", number, sizeof number);
        state_of_number(s, case_no, number, state);
        if (stands && strcmp(state, "valid") && strcmp(state, "revoked"))
            breach("site %d: the result %s of %s stands, and is '%s'", s->no, number, case_no,
                   state);
        if (!stands && strcmp(number, standing) && !strcmp(state, "valid"))
            breach("site %d: the result %s of %s is valid, and does not stand", s->no, number,
                   case_no);
        if (!stands && !desk_is_told(s, &t.list[i]))
            breach("site %d: the result %s of %s does not stand, and no desk is told", s->no,
                   number, case_no);
    }
    arena_destroy(t.arena);
}

static void check_deciders(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT case_no FROM case_file /* full scan: a test */");
    bool row;

    while (!broken && db_step(st, &row, NULL) == OK && row) {
        char no[24];
        snprintf(no, sizeof no, "%s", col_text(st, 0));
        check_case(s, no);
        if (!broken)
            check_results(s, no);
    }
    db_reset(st);
}

/* Its number may be another filing's: the first went with a disk, unheard of. */
static bool forgot(const char *code)
{
    for (int i = 0; i < SITES; i++)
        if (site[i].restored && !strcmp(site[i].code, code))
            return true;
    return false;
}

/* When a case was filed is told at every site by the wall clock of the one that took it. */
static void check_days(struct site *s)
{
    for (int i = 0; i < work_filed_count && !broken; i++) {
        const struct filed *f = &work_filed[i];
        struct stmt *st =
            db_stmt(s->db, "SELECT filed_ms, filed_at FROM case_file WHERE case_no = $1");
        bool row;
        bind_text(st, 1, f->case_no);
        if (db_step(st, &row, NULL) == OK && row && !rogue_ground(col_text(st, 1)) &&
            !forgot(col_text(st, 1)) && col_int(st, 0) != f->filed_ms)
            breach("site %d: %s was filed at %lld, and not at %lld", s->no, f->case_no,
                   (long long)f->filed_ms, (long long)col_int(st, 0));
        db_reset(st);
    }
}

static void check_all(void)
{
    for (int i = 0; i < SITES && !broken; i++)
        check_days(&site[i]);
    for (int i = 0; i < SITES && !broken; i++)
        if (i < 3 || dice(3) == 0)
            check_deciders(&site[i]);
}

/* What the page of a case offers can be done: a case of which every step is refused is stuck. */
static bool possible(struct site *s, const char *no, const char *action)
{
    struct caller c = work_caller(s->no);
    struct json *in = json_object(), *out = NULL;
    struct problem p = {0};
    struct errmsg e = {""};
    enum err err = db_begin(s->db, &e);

    json_set_text(in, "case_no", no);
    json_set_text(in, "action", action);
    json_set_text(in, "reason", "试一下");
    if (err == OK)
        err = case_act(&s->office, s->db, &c, in, &out, &p);
    db_rollback(s->db, NULL);
    json_free(in);
    json_free(out);
    if (err != OK)
        trace("site %d offers %s of %s: %s %s", s->no, action, no, err_name(err), p.en);
    return err == OK;
}

static enum err any_open(struct site *s, void *arg, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(s->db, "SELECT case_no FROM case_file WHERE custodian = $1 AND state IN "
                       "('submitted', 'accepted', 'correction_required') ORDER BY "
                       "case_no LIMIT 1 OFFSET $2 /* full scan: a test */");
    bool row;

    bind_text(st, 1, s->code);
    bind_int(st, 2, (int64_t)dice(8));
    enum err err = db_step(st, &row, e);
    if (err == OK && row)
        snprintf(arg, 24, "%s", col_text(st, 0));
    db_reset(st);
    return err == OK && !row ? ERR_NOT_FOUND : err;
}

static void check_stuck(struct site *s)
{
    struct caller c = work_caller(s->no);
    struct json *in = json_object(), *shown = NULL;
    const struct json *actions;
    struct problem p = {0};
    char no[24] = "";

    if (in_read(s, any_open, no)) {
        json_set_text(in, "case_no", no);
        if (case_show(&s->office, s->db, &c, in, &shown, &p) != OK)
            breach("site %d cannot show %s, which it has in hand", s->no, no);
        actions = json_get(shown, "actions");
        for (size_t i = 0; i < json_count(actions) && !broken; i++) {
            const char *name = json_value_text(json_at(actions, i));
            bool papers = !strcmp(name, "supplement"), below = !strcmp(name, "transfer") && !s->no;
            if (!papers && !below && !possible(s, no, name))
                breach("site %d offers %s of %s, and refuses it", s->no, name, no);
        }
    }
    json_free(in);
    json_free(shown);
}

static void check_people(struct site *s)
{
    work_check(s);
    check_stuck(s);
}

const struct sim_type sim_case = {.name = "case",
                                  .share = 80,
                                  .reset = reset,
                                  .work = work,
                                  .committed = committed,
                                  .told = told,
                                  .check_end = check_all,
                                  .check_people = check_people};
