/* Reading the events of one dossier. */
#include "office/load.h"

#include "base/text.h"
#include "ledger/row.h"

#include <assert.h>
#include <stdlib.h>

static const void *copy_bytes(struct arena *a, const void *p, size_t n)
{
    void *out = p ? arena_alloc(a, n ? n : 1) : NULL;

    if (out && n)
        memcpy(out, p, n);
    return out;
}

/* All that the row lends, in the dossier's own memory. */
static struct event own(struct arena *a, struct event ev)
{
    ev.origin = arena_strdup(a, ev.origin);
    ev.kind = arena_strdup(a, ev.kind);
    ev.dossier = arena_strdup(a, ev.dossier);
    ev.street = arena_strdup(a, ev.street);
    ev.actor = arena_strdup(a, ev.actor);
    ev.record = arena_strndup(a, ev.record, ev.record_len);
    if (ev.personal)
        ev.personal = arena_strndup(a, ev.personal, ev.personal_len);
    ev.more = copy_bytes(a, ev.more, ev.more_len);
    ev.salt = copy_bytes(a, ev.salt, EVENT_SALT_BYTES);
    ev.personal_digest = copy_bytes(a, ev.personal_digest, 32);
    ev.signature = copy_bytes(a, ev.signature, 64);
    return ev;
}

static enum err read_events(struct db *db, const char *id, struct dossier *d, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT " LEDGER_COLUMNS("") ", state, reason FROM event "
                                                 "WHERE dossier = $1 ORDER BY hlc, origin, seq");
    int cap = 0;
    enum err err;
    bool row;

    lend_text(st, 1, id, strlen(id));
    while ((err = db_step(st, &row, e)) == OK && row) {
        if (d->count == cap) {
            struct dossier_event *more =
                arena_alloc(d->arena, sizeof *more * (size_t)(cap * 2 + 8));
            if (d->count)
                memcpy(more, d->events, sizeof *more * (size_t)d->count);
            d->events = more;
            cap = cap * 2 + 8;
        }
        const char *why = col_text(st, LEDGER_COLUMN_COUNT + 1);
        d->events[d->count++] =
            (struct dossier_event){.ev = own(d->arena, ledger_row(st, 0)),
                                   .noted = verdict_of(col_text(st, LEDGER_COLUMN_COUNT)),
                                   .noted_why = why ? arena_strdup(d->arena, why) : NULL};
    }
    return err == OK && !d->count ? ERR_NOT_FOUND : err;
}

enum err dossier_load(const struct office_work *w, struct db *db, const char *id,
                      struct dossier *ret, struct errmsg *e)
{
    enum err err;

    *ret = (struct dossier){.type = dossier_type_of(w, id)};
    if (!ret->type) {
        errmsg_set(e, "a kind of dossier that this program does not know");
        return ERR_UNSUPPORTED;
    }
    ret->arena = arena_create();
    if ((err = read_events(db, id, ret, e)) == OK)
        dossier_fold(ret);
    else
        dossier_close(ret);
    return err;
}

void dossier_close(struct dossier *d)
{
    if (d->type)
        dossier_unfold(d);
    arena_destroy(d->arena);
    *d = (struct dossier){0};
}

static int in_order(const void *a, const void *b)
{
    return event_order(&((const struct dossier_event *)a)->ev,
                       &((const struct dossier_event *)b)->ev);
}

struct dossier *dossier_of_arrivals(const struct dossier_type *t, struct arrival *const *at,
                                    size_t count, struct arena *a, bool *ret_holds)
{
    struct dossier *d = arena_alloc(a, sizeof *d);

    assert(t && count > 0);
    *d = (struct dossier){.type = t, .arena = a, .count = (int)count};
    d->events = arena_alloc(a, sizeof *d->events * count);
    for (size_t i = 0; i < count; i++)
        d->events[i] = (struct dossier_event){
            .ev = at[i]->ev, .record = at[i]->record, .personal = at[i]->personal};
    qsort(d->events, count, sizeof *d->events, in_order);
    dossier_fold(d);
    *ret_holds = t->holds && t->holds(d->state);
    return d;
}
