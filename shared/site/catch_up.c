/* One job of the writer after the other, each a transaction of at most 200 dossiers. */
#include "site/catch_up.h"

#include "base/log.h"
#include "base/mem.h"
#include "office/enrol.h"
#include "office/rebuild.h"
#include "site/inside.h"
#include "site/site.h"

#define DOSSIERS_A_TURN 200

struct catching_up {
    struct job job;
    struct site *site;
    bool more;
};

static void ask(struct catching_up *c);

static enum err run(struct job *job, struct db *db, struct errmsg *e)
{
    struct catching_up *c = (struct catching_up *)job;
    struct office *o = &c->site->office;
    enum err err = office_catch_up(o, db, DOSSIERS_A_TURN, &c->more, e);

    return err == OK && !c->more ? office_announce(o, db, e) : err;
}

static void done(struct job *job)
{
    struct catching_up *c = (struct catching_up *)job;

    if (job->err != OK)
        log_line(LOG_LEVEL_WARN, "site", "catch_up=failed error=%s text=\"%s\"", err_name(job->err),
                 job->msg.text);
    if (job->err == OK && c->more && !c->site->stopping) {
        ask(c);
        return;
    }
    if (job->err == OK && !c->more) {
        c->site->catching_up = false;
        c->site->look |= LOOK_OUTBOXES;
    }
    mem_free(c);
}

static void ask(struct catching_up *c)
{
    c->job = (struct job){.run = run, .done = done};
    store_write(c->site->store, &c->job);
}

bool site_catching_up(const struct site *s)
{
    return s->catching_up;
}

void catch_up_start(struct site *s)
{
    struct catching_up *c = mem_alloc(sizeof *c);

    c->site = s;
    s->catching_up = true;
    ask(c);
}
