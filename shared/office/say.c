/* body -> record + personal part, by the kind's table -> ledger_append. A hub signs its facts and its
 * moves: they are checked far from it, by who holds no chain of it. */
#include "office/say.h"

#include "base/text.h"
#include "office/equipped.h"
#include "office/load.h"

#include <assert.h>

static bool kept(const char *list, const char *member)
{
    return list && (list[0] == '*' || word_in(list, member));
}

/* The members that stay go into *ret_record, all others into *ret_personal (NULL: there are none). */
static void split(const struct json *body, const char *list, struct json **ret_record,
                  struct json **ret_personal)
{
    struct json *record = json_object(), *personal = NULL;

    for (void *i = json_iter(body); i; i = json_iter_next(body, i)) {
        const char *key = json_iter_key(i);
        struct json *value = json_ref(json_iter_value(i));
        if (kept(list, key)) {
            json_set(record, key, value);
            continue;
        }
        personal = personal ? personal : json_object();
        json_set(personal, key, value);
    }
    *ret_record = record;
    *ret_personal = personal;
}

/* People read the time by this site's wall clock; it stands in the record where the clock that orders
 * events is another. */
static void note_time(struct office *o, struct json *record)
{
    int64_t wall = host_wall_ms(o->host);

    if (o->ledger.hlc_last + 1 >= (uint64_t)(wall + 1) << 16)
        json_set_int(record, "at", wall);
}

static enum err append(struct office *o, struct db *db, struct said *s, const char *list,
                       const struct caller *c, struct json *body, struct errmsg *e)
{
    struct json *record, *personal;

    if (c && c->name[0])
        json_set_text(body, "by", c->name);
    split(body, list, &record, &personal);
    note_time(o, record);
    s->record = record;
    s->personal = personal;
    s->actor = c ? c->user : "";
    enum err err = ledger_append(&o->ledger, db, s, NULL, e);
    json_free(record);
    json_free(personal);
    json_free(body);
    return err;
}

/* ---- what this or another program does not know -----------------------------------------------*/

/* Has the dossier an event with the critical flag? Nearly none has: only then is it looked at whole. */
static enum err flagged(struct db *db, const char *id, bool *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT 1 FROM event WHERE dossier = $1 AND flags % 2 = 1 AND state NOT IN "
                    "('refused', 'denied') LIMIT 1");

    bind_text(st, 1, id);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

/* The first critical step that the program of `to` does not know, or NULL. Whoever has no part in the
 * dossier stops nobody, nor does the flag on a step that our table says is not critical. */
static enum err new_to(struct office *o, struct db *db, const struct dossier *d, const char *to,
                       const char **ret, struct errmsg *e)
{
    enum err err = OK;

    *ret = NULL;
    for (int i = 0; err == OK && !*ret && i < d->count; i++) {
        const struct dossier_event *x = &d->events[i];
        bool knows = true;
        bool goes = dossier_event_counts(x) || x->verdict == VERDICT_ASIDE;
        if (goes && (x->ev.flags & EVENT_CRITICAL) &&
            (!x->kind || (x->kind->flags & KIND_CRITICAL)))
            err = equipped_for_kind(o, db, to, x->ev.kind, &knows, e);
        if (!knows)
            *ret = x->ev.kind;
    }
    return err;
}

static enum err may_say_in(struct office *o, struct db *db, const struct event_kind *k,
                           const struct dossier *d, const char *to, struct errmsg *e)
{
    const char *unread = NULL;
    enum err err = OK;

    if (d->read_only && !((k->flags & KIND_MOVES) && text_is(to, o->parent))) {
        errmsg_set(e,
                   "this dossier has a step that a newer program has taken; it may only be handed "
                   "to the office above");
        return ERR_CONFLICT;
    }
    /* The office above is upgraded first: what it does not know it passes on unread. */
    if ((k->flags & KIND_MOVES) && to && !text_is(to, o->parent))
        err = new_to(o, db, d, to, &unread, e);
    if (err != OK || !unread)
        return err;
    errmsg_set(e, "the program of %s is too old for a step of this dossier", to);
    return ERR_CONFLICT;
}

static enum err may_say(struct office *o, struct db *db, const struct event_kind *k, const char *id,
                        const struct json *body, struct errmsg *e)
{
    struct dossier d;
    bool look;
    enum err err = flagged(db, id, &look, e);

    if (err != OK || !look || k->may == MAY_OVERRULE)
        return err; /* what nobody here can read may always be overruled */
    if ((err = dossier_load(o->work, db, id, &d, e)) != OK)
        return err;
    err = may_say_in(o, db, k, &d, json_get_text(body, "to"), e);
    dossier_close(&d);
    return err;
}

/* ---- saying -----------------------------------------------------------------------------------*/

enum err office_say(struct office *o, struct db *db, const char *kind, const char *id,
                    const char *street, const struct caller *c, struct json *body, struct errmsg *e)
{
    const struct dossier_type *t = dossier_type_of(o->work, id);
    const struct event_kind *k = t ? event_kind_of(t, kind) : NULL;
    struct said s = {.kind = kind, .dossier = id, .street = street};

    assert(k);
    if (k->flags & KIND_CRITICAL)
        s.flags |= EVENT_CRITICAL;
    if ((k->flags & KIND_MOVES) && o->tier != TIER_COMMUNITY)
        s.seed = o->seed;
    if (!(k->flags & KIND_OPENS)) {
        enum err err = may_say(o, db, k, id, body, e);
        if (err != OK) {
            json_free(body);
            return err;
        }
    }
    return append(o, db, &s, k->kept, c, body, e);
}

enum err office_say_fact(struct office *o, struct db *db, const char *kind, const char *street,
                         const struct caller *c, struct json *body, struct errmsg *e)
{
    const struct fact_kind *k = fact_kind_of(o->work, kind);
    struct said s = {.kind = kind, .dossier = "", .street = street};

    assert(k);
    if (k->flags & KIND_CRITICAL)
        s.flags |= EVENT_CRITICAL;
    if (o->tier != TIER_COMMUNITY)
        s.seed = o->seed;
    return append(o, db, &s, k->kept, c, body, e);
}
