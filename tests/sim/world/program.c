/* Programs of several ages. An older one does not know the newer kinds: its tables are the product's with
 * these rows left out. Each site has its own, is upgraded at some time, in any order, and then folds what the
 * one before could not read (site/catch_up.c). */
#include "world.h"

#include <string.h>

/* What each program was the first to know. */
static const char *const newer[] = {"case.suspended/1", "case.resumed/1"};

static struct event_kind older_kinds[64];
static struct dossier_type older_case;
static const struct dossier_type *const older_types[] = {&older_case};
static const struct dossier_type *middle_types[8];
static struct office_work older_work, middle_work;

static bool is_newer(const char *kind)
{
    for (size_t i = 0; i < sizeof newer / sizeof newer[0]; i++)
        if (!strcmp(newer[i], kind))
            return true;
    return false;
}

static void make_programs(void)
{
    size_t count = 0;

    older_case = case_type;
    for (size_t i = 0; i < case_type.kind_count; i++)
        if (!is_newer(case_type.kinds[i].kind))
            older_kinds[count++] = case_type.kinds[i];
    older_case.kinds = older_kinds;
    older_case.kind_count = count;
    older_work = middle_work = all_work;
    older_work.types = older_types;
    older_work.type_count = 1;
    for (size_t t = 0; t < all_work.type_count; t++)
        middle_types[t] = all_work.types[t] == &case_type ? &older_case : all_work.types[t];
    middle_work.types = middle_types;
}

void program_reset(void)
{
    if (!older_case.name)
        make_programs();
    for (int i = 0; i < SITES; i++)
        site[i].program = &all_work;
}

bool program_knows(const struct site *s, const char *type, const char *kind)
{
    const struct dossier_type *t = dossier_type_named(s->program, type);

    return t && (!kind || event_kind_of(t, kind));
}

/* ---- catching up ------------------------------------------------------------------------------*/

static enum err catch_up_run(struct job *j, struct db *db, struct errmsg *e)
{
    struct office *o = &j->s->office;
    enum err err = office_catch_up(o, db, 1 + (int)dice(5), &j->here, e);

    return err == OK && !j->here ? office_announce(o, db, e) : err;
}

static void catch_up_done(struct job *j)
{
    if (j->err != OK)
        trace("site %d cannot catch up: %s", j->s->no, j->msg.text);
    if (j->err != OK || j->here)
        later(1 + (int64_t)dice(j->err == OK ? 200 : 5000), program_starts, j->s->no, j->s->life);
    else
        j->s->caught_up = true;
    if (j->err == OK)
        net_local(j->s);
}

void program_starts(int no, int life)
{
    struct site *s = &site[no];
    struct job *j;

    if (!s->up || s->life != life)
        return;
    s->caught_up = false;
    j = job_new(s, true);
    j->run = catch_up_run;
    j->done = catch_up_done;
    job_queue(j);
}

/* ---- which, and when --------------------------------------------------------------------------*/

static void upgrade(int no, int unused)
{
    (void)unused;
    if (site[no].program == &all_work)
        return;
    trace("site %d is upgraded", no);
    site_crash(no, false);
    site[no].program =
        site[no].program == &older_work && !healing && dice(2) ? &middle_work : &all_work;
    if (site[no].program != &all_work)
        later(5000 + (int64_t)dice(60000), upgrade, no, 0);
}

void program_all_older(void)
{
    for (int i = 0; i < SITES; i++)
        site[i].program = &older_work;
}

bool program_plan(int64_t until)
{
    if (dice(5))
        return false;
    for (int i = 0; i < SITES; i++) {
        uint64_t which = dice(6);
        site[i].program = which < 2 ? &all_work : which < 5 ? &older_work : &middle_work;
        trace("site %d begins with a program that knows %zu types", i, site[i].program->type_count);
        if (which >= 2)
            later((int64_t)dice((uint64_t)until), upgrade, i, 0);
    }
    return true;
}

void program_heal(void)
{
    for (int i = 0; i < SITES; i++)
        upgrade(i, 0);
}
