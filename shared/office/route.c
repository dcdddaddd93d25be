/* Which children must hear of an event. Of a case this is found out once for all its events that
 * arrive together. */
#include "office/inside.h"

#include "base/text_set.h"
#include "ledger/outbox.h"

#include <stdio.h>
#include <string.h>

struct routing {
    struct office *o;
    struct db *db;
    struct arena *a;
    const char *from;
    struct text_set is_link, no_link; /* codes looked up already */
    struct text_set children;         /* every child, once they are read */
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

    if (strlen(site) != 12 || !division_within(site, r->o->site) || !strcmp(site, r->o->site))
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

/* ---- what belongs to no case ------------------------------------------------------------------*/

/* The place that it concerns: "" = everybody. */
static void concerns(const struct event *ev, char place[13])
{
    struct json *b = NULL;
    const char *key = !strcmp(ev->kind, "account.created/1") ? "site"
                      : !strcmp(ev->kind, "block.leased/1")  ? "holder"
                                                             : NULL;

    place[0] = 0;
    if (key && json_parse(ev->record, ev->record_len, &b, NULL) == OK)
        snprintf(place, 13, "%s", text_or(json_get_text(b, key), ""));
    json_free(b);
}

static enum err enqueue_each(struct routing *r, const struct text_set *peers,
                             const struct event *ev, struct errmsg *e)
{
    enum err err = OK;

    for (size_t i = 0; err == OK && i < peers->count; i++)
        if (!r->from || strcmp(peers->list[i], r->from))
            err = ledger_enqueue(&r->o->ledger, r->db, peers->list[i], ev->origin, ev->seq, e);
    return err;
}

static enum err route_fact(struct routing *r, const struct event *ev, struct errmsg *e)
{
    struct text_set some = {.arena = r->a};
    char place[13];
    enum err err;

    concerns(ev, place);
    /* An account or a block of this very site, or of one above, concerns no child. */
    if (place[0])
        err = add_child_of(r, place, &some, e);
    else
        err = r->children_read ? OK : read_children(r, e);
    return err == OK ? enqueue_each(r, place[0] ? &some : &r->children, ev, e) : err;
}

/* ---- cases ------------------------------------------------------------------------------------*/

/* The children whose case it is: the applicant lives there, it was filed there, or it was held
 * there. */
static enum err interested(struct routing *r, const char *case_no, struct text_set *ret,
                           bool *known, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(r->db, "SELECT community, filed_at, held FROM case_file WHERE case_no = $1");
    char community[13], filed_at[13], held[FOLD_CUSTODIANS_MAX * 13 + 2], *save = NULL;
    enum err err;

    bind_text(st, 1, case_no);
    if ((err = db_step(st, known, e)) != OK || !*known)
        return err;
    COPY_TEXT(community, col_text(st, 0));
    COPY_TEXT(filed_at, col_text(st, 1));
    COPY_TEXT(held, col_text(st, 2));
    db_reset(st);
    if ((err = add_child_of(r, community, ret, e)) != OK ||
        (err = add_child_of(r, filed_at, ret, e)) != OK)
        return err;
    for (char *site = strtok_r(held, " ", &save); site && err == OK;
         site = strtok_r(NULL, " ", &save))
        err = add_child_of(r, site, ret, e);
    return err;
}

/* Who has heard of a case hears all of it, also when custody turns out never to have come his way.
 */
static enum err heard(struct routing *r, const char *case_no, struct text_set *ret,
                      struct errmsg *e)
{
    struct stmt *st = db_stmt(
        r->db, "SELECT b.peer FROM event v JOIN outbox b ON b.origin = v.origin AND b.seq = v.seq "
               "WHERE v.dossier = $1 AND v.kind = 'case.filed/1'");
    enum err err;
    bool row;

    bind_text(st, 1, case_no);
    while ((err = db_step(st, &row, e)) == OK && row)
        text_set_put(ret, col_text(st, 0), NULL);
    db_reset(st);
    return err;
}

/* The case came by this link only now: what others have said of it before goes back there. */
static enum err enqueue_others(struct routing *r, const char *case_no, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        r->db, "SELECT origin, seq FROM event WHERE dossier = $1 AND coalesce(from_peer, '') <> $2 "
               "ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, case_no);
    bind_text(st, 2, r->from);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(&r->o->ledger, r->db, r->from, col_text(st, 0),
                                  (uint64_t)col_int(st, 1), e)) != OK)
            break;
    db_reset(st);
    return err;
}

static enum err route_case(struct routing *r, const struct case_news *c, struct errmsg *e)
{
    struct text_set peers = {.arena = r->a};
    bool known, from_child = r->from && strcmp(r->from, r->o->parent), moves = c->filed || c->moves;
    enum err err;

    if ((err = interested(r, c->case_no, &peers, &known, e)) != OK || !known)
        return err;
    size_t whole =
        moves ? peers.count
              : 0; /* they get its whole history, once: of what came before they had no need */
    if (!c->filed && (err = heard(r, c->case_no, &peers, e)) !=
                         OK) /* of what is filed only now nobody has heard */
        return err;
    for (size_t i = 0; err == OK && i < peers.count; i++) {
        const char *peer = peers.list[i];
        if (r->from && !strcmp(peer, r->from))
            continue;
        if (i < whole)
            err = ledger_enqueue_dossier(&r->o->ledger, r->db, peer, c->case_no, e);
        for (size_t k = 0; i >= whole && err == OK && k < c->count; k++)
            err = ledger_enqueue(&r->o->ledger, r->db, peer, c->at[k]->ev.origin, c->at[k]->ev.seq,
                                 e);
    }
    return err == OK && from_child && moves && !c->at[0]->alone ? enqueue_others(r, c->case_no, e)
                                                                : err;
}

static enum err route_down(struct routing *r, const struct arrival *list, size_t n,
                           struct errmsg *e)
{
    size_t count;
    struct case_news *news = case_news_of(list, n, r->a, &count);
    enum err err = OK;

    for (size_t i = 0; err == OK && i < n; i++)
        if (list[i].got != RECEIVED_DUPLICATE && !list[i].ev.dossier[0])
            err = route_fact(r, &list[i].ev, e);
    for (size_t i = 0; err == OK && i < count; i++)
        err = route_case(r, &news[i], e);
    return err;
}

enum err office_route(void *arg, struct db *db, const struct arrival *list, size_t n,
                      const char *from, struct arena *a, struct errmsg *e)
{
    struct office *o = arg;
    struct routing r = {.o = o,
                        .db = db,
                        .a = a,
                        .from = from,
                        .is_link = {.arena = a},
                        .no_link = {.arena = a},
                        .children = {.arena = a}};

    return o->tier == TIER_COMMUNITY ? OK : route_down(&r, list, n, e);
}
