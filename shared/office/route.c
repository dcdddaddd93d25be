/* Of a dossier this is found out once for all its events that arrive together. */
#include "office/route.h"

#include "base/text.h"
#include "ledger/outbox.h"
#include "office/equipped.h"
#include "office/welcome.h"

struct routing {
    struct office *o;
    struct db *db;
    struct arena *a;
    const char *from;
    struct text_set is_link, no_link;  /* codes looked up already */
    struct text_set children;          /* every child, once they are read */
    struct text_set equipped, too_old; /* "child type", looked up already */
    bool children_read;
};

static enum err link_there(struct routing *r, const char *code, bool *ret, struct errmsg *e)
{
    struct stmt *st;

    if (text_set_has(&r->is_link, code) || text_set_has(&r->no_link, code)) {
        *ret = text_set_has(&r->is_link, code);
        return OK;
    }
    st = db_stmt(r->db, "SELECT 1 FROM link WHERE peer = $1 AND role = 'child'");
    bind_text(st, 1, code);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    if (err == OK)
        text_set_put(*ret ? &r->is_link : &r->no_link, code, NULL);
    return err;
}

/* The child in whose part of the tree a site lies: itself, or its street. */
static enum err add_child_of(struct routing *r, const char *site, struct text_set *to,
                             struct errmsg *e)
{
    char street[13];
    bool there;
    enum err err;

    if (strlen(site) != 12 || !division_valid(site) || !division_within(site, r->o->site) ||
        !strcmp(site, r->o->site))
        return OK;
    if ((err = link_there(r, site, &there, e)) != OK)
        return err;
    if (there)
        text_set_put(to, site, NULL);
    division_street(site, street);
    if (!strcmp(street, site) || !strcmp(street, r->o->site))
        return OK;
    if ((err = link_there(r, street, &there, e)) == OK && there)
        text_set_put(to, street, NULL);
    return err;
}

static enum err read_children(struct routing *r, struct errmsg *e)
{
    struct stmt *st = db_stmt(r->db, "SELECT peer FROM link WHERE role = 'child'");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row)
        text_set_put(&r->children, col_text(st, 0), NULL);
    db_reset(st);
    r->children_read = err == OK;
    return err;
}

/* ---- facts ------------------------------------------------------------------------------------*/

static enum err enqueue_each(struct routing *r, const struct text_set *peers,
                             const struct event *ev, struct errmsg *e)
{
    enum err err = OK;

    for (size_t i = 0; err == OK && i < peers->count; i++)
        if (!r->from || strcmp(peers->list[i], r->from))
            err = ledger_enqueue(&r->o->ledger, r->db, peers->list[i], ev->origin, ev->seq, e);
    return err;
}

static enum err route_fact(struct routing *r, const struct event *ev, const struct json *record,
                           struct errmsg *e)
{
    const struct fact_kind *k = fact_kind_of(r->o->work, ev->kind);
    struct text_set some = {.arena = r->a};
    struct json *own = NULL;
    enum err err = OK;

    if (!k)
        return OK; /* it goes on when a program knows whom it concerns */
    if (!k->place) {
        err = r->children_read ? OK : read_children(r, e);
        return err == OK ? enqueue_each(r, &r->children, ev, e) : err;
    }
    if (!record && (err = json_parse(ev->record, ev->record_len, &own, e)) != OK)
        return err;
    /* An account or a block of this very site, or of one above, concerns no child. */
    err = add_child_of(r, text_or(json_get_text(record ? record : own, k->place), ""), &some, e);
    json_free(own);
    return err == OK ? enqueue_each(r, &some, ev, e) : err;
}

/* ---- dossiers ---------------------------------------------------------------------------------*/

/* The children in whose part of the tree somebody has part in it. */
static enum err interested(struct routing *r, const struct text_set *sites, struct text_set *ret,
                           struct errmsg *e)
{
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sites->count; i++)
        err = add_child_of(r, sites->list[i], ret, e);
    return err;
}

/* Who has heard of a dossier hears all of it, also when custody turns out never to have come his
 * way. */
static enum err heard(struct routing *r, const struct dossier_type *t, const char *id,
                      struct text_set *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        r->db,
        "SELECT b.peer, v.kind FROM event v JOIN outbox b ON b.origin = v.origin AND b.seq = "
        "v.seq WHERE v.dossier = $1");
    enum err err;
    bool row;

    bind_text(st, 1, id);
    while ((err = db_step(st, &row, e)) == OK && row)
        if (dossier_opens(t, col_text(st, 1)))
            text_set_put(ret, col_text(st, 0), NULL);
    db_reset(st);
    return err;
}

/* The dossier came by this link only now: what others have said of it before goes back there. */
static enum err enqueue_others(struct routing *r, const char *id, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        r->db, "SELECT origin, seq FROM event WHERE dossier = $1 AND coalesce(from_peer, "
               "'') <> $2 AND state NOT IN ('refused', 'denied') ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, id);
    bind_text(st, 2, r->from);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(&r->o->ledger, r->db, r->from, col_text(st, 0),
                                  (uint64_t)col_int(st, 1), e)) != OK)
            break;
    db_reset(st);
    return err;
}

/* Does the child's program know the type? Found out once a batch. */
static enum err knows(struct routing *r, const char *peer, const struct dossier_type *t, bool *ret,
                      struct errmsg *e)
{
    struct equipment x;
    char pair[64];
    enum err err = OK;

    snprintf(pair, sizeof pair, "%s %s", peer, t->name);
    *ret = text_set_has(&r->equipped, pair);
    if (*ret || text_set_has(&r->too_old, pair))
        return OK;
    if ((err = equipment_of(r->db, peer, &x, e)) != OK)
        return err;
    *ret = equipment_has_type(&x, t);
    text_set_put(*ret ? &r->equipped : &r->too_old, pair, NULL);
    return OK;
}

/* The children by whose links an opening came. */
static enum err openers(struct routing *r, const struct news *n, struct text_set *ret,
                        struct errmsg *e)
{
    struct stmt *st = db_stmt(r->db, "SELECT kind, from_peer FROM event WHERE dossier = $1 AND "
                                     "from_peer IS NOT NULL");
    enum err err;
    bool row;

    bind_text(st, 1, n->id);
    while ((err = db_step(st, &row, e)) == OK && row)
        if (dossier_opens(n->type, col_text(st, 0)) && strcmp(col_text(st, 1), r->o->parent))
            text_set_put(ret, col_text(st, 1), NULL);
    db_reset(st);
    return err;
}

static enum err enqueue_news(struct routing *r, const struct news *n, const char *peer,
                             const char *kind, struct errmsg *e)
{
    enum err err = OK;

    for (size_t k = 0; err == OK && k < n->count; k++)
        if (n->sent_down[k] && (!kind || !strcmp(kind, n->at[k]->ev.kind)))
            err = ledger_enqueue(&r->o->ledger, r->db, peer, n->at[k]->ev.origin, n->at[k]->ev.seq,
                                 e);
    return err;
}

static enum err tell_unopened(struct routing *r, const struct news *n, const char *peer,
                              const char *kind, struct errmsg *e)
{
    bool equipped;
    enum err err;

    if (r->from && !strcmp(r->from, peer))
        return OK;
    err = knows(r, peer, n->type, &equipped, e);
    return err == OK && equipped ? enqueue_news(r, n, peer, kind, e) : err;
}

/* No opening stands, or none does any more: who was told of one goes on hearing, and who said one
 * hears why it does not stand. */
static enum err route_unopened(struct routing *r, const struct news *n, struct errmsg *e)
{
    struct text_set told = {.arena = r->a}, said = {.arena = r->a};
    enum err err = heard(r, n->type, n->id, &told, e);

    if (err == OK)
        err = openers(r, n, &said, e);
    for (size_t i = 0; err == OK && i < told.count; i++)
        err = tell_unopened(r, n, told.list[i], NULL, e);
    for (size_t i = 0; err == OK && i < said.count; i++)
        if (!text_set_has(&told, said.list[i]))
            err = tell_unopened(r, n, said.list[i], KIND_OVERRULED, e);
    return err;
}

static enum err route_dossier(struct routing *r, const struct news *n, struct errmsg *e)
{
    struct text_set peers = {.arena = r->a};
    bool whole = n->opened || n->moved, from_child = r->from && strcmp(r->from, r->o->parent);
    enum err err = interested(r, &n->sites, &peers, e);

    if (err != OK || !n->known)
        return err == OK ? route_unopened(r, n, e) : err;
    /* They get its whole history, once: of what came before they had no need. */
    size_t newcomers = whole ? peers.count : 0;
    bool has_part = from_child && text_set_has(&peers, r->from);
    if (!(n->opened && n->alone) && (err = heard(r, n->type, n->id, &peers, e)) != OK)
        return err; /* of what is opened only now nobody has heard */
    for (size_t i = 0; err == OK && i < peers.count; i++) {
        const char *peer = peers.list[i];
        bool equipped;
        if (r->from && !strcmp(peer, r->from))
            continue;
        if ((err = knows(r, peer, n->type, &equipped, e)) != OK || !equipped)
            continue;
        if (i < newcomers)
            err = welcome_dossier(r->o, r->db, peer, n->id, e);
        else
            err = enqueue_news(r, n, peer, NULL, e);
    }
    bool equipped = false;
    if (err == OK && has_part && whole && !n->alone)
        err = knows(r, r->from, n->type, &equipped, e);
    return err == OK && equipped ? enqueue_others(r, n->id, e) : err;
}

/* ---- a batch ----------------------------------------------------------------------------------*/

static struct routing begin(struct office *o, struct db *db, struct arena *a, const char *from)
{
    return (struct routing){.o = o,
                            .db = db,
                            .a = a,
                            .from = from,
                            .is_link = {.arena = a},
                            .no_link = {.arena = a},
                            .children = {.arena = a},
                            .equipped = {.arena = a},
                            .too_old = {.arena = a}};
}

enum err office_route(void *arg, struct db *db, const struct arrival *list, size_t n,
                      const char *from, struct arena *a, struct errmsg *e)
{
    struct office *o = arg;
    struct routing r = begin(o, db, a, from);
    enum err err = OK;

    if (o->tier == TIER_COMMUNITY)
        return OK;
    const struct office_ahead *all = office_news(o->work, (struct arrival *)(uintptr_t)list, n, a);
    for (size_t i = 0; err == OK && i < n; i++)
        if (list[i].got != RECEIVED_DUPLICATE && !list[i].ev.dossier[0] && !list[i].state)
            err = route_fact(&r, &list[i].ev, list[i].record, e);
    for (size_t i = 0; err == OK && i < all->id_count; i++)
        if (all->news[i].type)
            err = route_dossier(&r, &all->news[i], e);
    return err;
}

enum err route_whole(struct office *o, struct db *db, const struct dossier_type *t, const char *id,
                     struct errmsg *e)
{
    struct arena *a = arena_create();
    struct routing r = begin(o, db, a, NULL);
    struct news n = {.id = id, .type = t, .sites = {.arena = a}, .moved = true};
    enum err err = OK;

    if (o->tier != TIER_COMMUNITY && t->concerns &&
        (err = t->concerns(db, id, &n.sites, &n.known, e)) == OK)
        err = route_dossier(&r, &n, e);
    arena_destroy(a);
    return err;
}

enum err route_fact_again(struct office *o, struct db *db, const struct event *ev,
                          const struct json *record, struct errmsg *e)
{
    struct arena *a = arena_create();
    struct routing r = begin(o, db, a, NULL);
    enum err err = o->tier == TIER_COMMUNITY ? OK : route_fact(&r, ev, record, e);

    arena_destroy(a);
    return err;
}
