/* What a reader of the database looks up for the links, beside the loop. */
#include "site/glance.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/meta.h"
#include "site/status.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define GLANCE_PAPERS 64
#define GLANCE_HEADS 1000

/* Has anything been written since this connection looked last? Programs beside this one write too.
 */
static enum err written(struct site *s, struct db *db, bool *ret, struct errmsg *e)
{
    int64_t version = 0;
    enum err err = db_data_version(db, &version, e);
    int i = 0;

    while (i < GLANCE_READERS - 1 && s->seen[i].db && s->seen[i].db != db)
        i++;
    *ret = s->seen[i].db != db || s->seen[i].version != version;
    s->seen[i].db = db;
    s->seen[i].version = version;
    return err;
}

static enum err look_at_links(struct glance *g, struct db *db, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT peer, head_pos FROM link WHERE head_pos > acked_pos "
                    "/* full scan: a link a child, and only when something was written */");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        if (g->link_count == g->link_cap) {
            g->link_cap = g->link_cap ? g->link_cap * 2 : 64;
            g->links = mem_realloc(g->links, sizeof *g->links * (size_t)g->link_cap);
        }
        struct glance_link *l = &g->links[g->link_count++];
        snprintf(l->peer, sizeof l->peer, "%s", col_text(st, 0));
        l->head_pos = (uint64_t)col_int(st, 1);
    }
    db_reset(st);
    return err;
}

static void note_revoked(void *arg, const char *peer)
{
    struct glance *g = arg;

    assert(g->revoked_count < GLANCE_HEADS);
    snprintf(g->revoked[g->revoked_count++], sizeof *g->revoked, "%s", peer);
}

/* A command beside this program may have revoked a child. */
static enum err look_at_revoked(struct glance *g, struct db *db, struct errmsg *e)
{
    g->revoked = arena_alloc(g->arena, sizeof *g->revoked * GLANCE_HEADS);
    return meta_each(db, "revoked.", GLANCE_HEADS, note_revoked, g, e);
}

static enum err run(struct job *job, struct db *db, struct errmsg *e)
{
    struct glance *g = (struct glance *)job;
    struct site *s = g->site;
    bool news = false;
    enum err err = written(s, db, &news, e);

    if (err == OK && news)
        err = look_at_links(g, db, e);
    if (err == OK && news)
        err = look_at_revoked(g, db, e);
    g->wanted = arena_alloc(g->arena, sizeof *g->wanted * GLANCE_PAPERS);
    if (err == OK)
        err = link_end_wanted(db, GLANCE_PAPERS, g->wanted, &g->wanted_count, e);
    if (err == OK && g->whole && s->office.tier == TIER_COMMUNITY) {
        g->unsent = arena_alloc(g->arena, sizeof *g->unsent * GLANCE_PAPERS);
        err = link_end_unsent(db, GLANCE_PAPERS, g->unsent, &g->unsent_count, e);
    }
    if (err == OK && g->whole && s->folder.parent[0] && (news || g->heads_wanted)) {
        g->heads = arena_alloc(g->arena, sizeof *g->heads * GLANCE_HEADS);
        err = link_end_heads(&s->office, db, GLANCE_HEADS, g->heads, &g->head_count, e);
    }
    if (err == OK && g->whole && s->folder.parent[0])
        err = status_link(&s->office, db, &g->link, e);
    assert(g->wanted_count <= GLANCE_PAPERS && g->unsent_count <= GLANCE_PAPERS &&
           g->head_count <= GLANCE_HEADS);
    if (err != OK)
        memset(s->seen, 0, sizeof s->seen); /* look again */
    return err;
}

static void done(struct job *job)
{
    struct glance *g = (struct glance *)job;

    assert(g->site->glancing && !g->site->glanced);
    g->site->glanced = g;
}

void glance_start(struct site *s)
{
    if (!s->look || s->glancing || s->stopping)
        return;
    struct glance *g = mem_alloc(sizeof *g);
    g->site = s;
    g->whole = s->look & LOOK_WHOLE;
    g->heads_wanted = g->whole && s->show_heads;
    if (g->whole)
        s->show_heads = false;
    s->look = 0;
    g->arena = arena_create();
    g->job.run = run;
    g->job.done = done;
    s->glancing = true;
    store_read(s->store, &g->job);
}

struct glance *glance_take(struct site *s)
{
    struct glance *g = s->glanced;

    if (!g)
        return NULL;
    assert(g->site == s && s->glancing);
    s->glanced = NULL;
    s->glancing = false;
    if (g->job.err == OK && !s->stopping)
        return g;
    if (!s->stopping)
        log_line(LOG_LEVEL_WARN, "site", "glance=failed error=%s text=\"%s\"", err_name(g->job.err),
                 g->job.msg.text);
    glance_free(g);
    return NULL;
}

void glance_free(struct glance *g)
{
    if (!g)
        return;
    json_free(g->link);
    mem_free(g->links);
    arena_destroy(g->arena);
    mem_free(g);
}
