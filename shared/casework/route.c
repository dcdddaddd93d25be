/* Who must hear of an event: everything goes up; down goes what concerns the child. */
#include "casework/inside.h"

#include <stdio.h>
#include <string.h>

#define CHILDREN_MAX 512

struct peers {
    char code[CHILDREN_MAX][13];
    bool parent[CHILDREN_MAX];
    int count;
};

static enum err read_peers(struct db *db, struct peers *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT peer, role FROM link");
    enum err err;
    bool row;

    ret->count = 0;
    while ((err = db_step(st, &row, e)) == OK && row && ret->count < CHILDREN_MAX) {
        COPY_TEXT(ret->code[ret->count], col_text(st, 0));
        ret->parent[ret->count++] = !strcmp(col_text(st, 1), "parent");
    }
    db_reset(st);
    return err;
}

/* The place that an event which belongs to no case concerns: "" = everybody. */
static void concerns(const struct event *ev, char place[13])
{
    struct json *b = NULL;
    const char *key = !strcmp(ev->kind, "account.created/1") ? "site" : !strcmp(ev->kind, "block.leased/1") ? "holder" : NULL;

    place[0] = 0;
    if (key && json_parse(ev->body, ev->body_len, &b, NULL) == OK)
        snprintf(place, 13, "%s", text_or(json_get_text(b, key), ""));
    json_free(b);
}

struct interest {
    char community[13], filed_at[13], held[FOLD_CUSTODIANS_MAX * 13 + 2];
};

static enum err read_interest(struct db *db, const char *case_no, struct interest *ret, bool *found, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT community, filed_at, held FROM case_file WHERE case_no = $1");

    bind_text(st, 1, case_no);
    enum err err = db_step(st, found, e);
    if (err != OK || !*found)
        return err;
    COPY_TEXT(ret->community, col_text(st, 0));
    COPY_TEXT(ret->filed_at, col_text(st, 1));
    COPY_TEXT(ret->held, col_text(st, 2));
    db_reset(st);
    return OK;
}

static bool interested(const struct interest *x, const char *child)
{
    char held[sizeof x->held], *save = NULL;

    if (division_within(x->community, child) || division_within(x->filed_at, child))
        return true;
    memcpy(held, x->held, sizeof held);
    for (char *site = strtok_r(held, " ", &save); site; site = strtok_r(NULL, " ", &save))
        if (division_within(site, child))
            return true;
    return false;
}

/* Who has heard of a case hears all of it, also when custody turns out never to have come his way. */
static enum err has_heard(struct db *db, const char *peer, const char *case_no, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM event v JOIN outbox b ON b.peer = $1 AND b.origin = v.origin AND "
                                  "b.seq = v.seq WHERE v.case_no = $2 AND v.kind = 'case.filed/1'");

    bind_text(st, 1, peer);
    bind_text(st, 2, case_no);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

/* The case came by this link only now: what others have said of it before goes back there. */
static enum err enqueue_others(struct office *o, struct db *db, const char *peer, const char *case_no, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT origin, seq FROM event WHERE case_no = $1 AND coalesce(from_peer, '') <> $2 "
                                  "ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, case_no);
    bind_text(st, 2, peer);
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = ledger_enqueue(&o->ledger, db, peer, col_text(st, 0), (uint64_t)col_int(st, 1), e)) != OK)
            break;
    db_reset(st);
    return err;
}

enum err office_route(void *arg, struct db *db, const struct event *ev, const char *from,
                      enum err (*emit)(void *ctx, const char *peer), void *ctx, struct errmsg *e)
{
    struct office *o = arg;
    struct peers peers;
    struct interest interest;
    char place[13];
    bool of_case = ev->case_no[0], known = false;
    bool moves = !strcmp(ev->kind, "case.transferred/1") || !strcmp(ev->kind, "case.taken_back/1") ||
                 !strcmp(ev->kind, "case.filed/1");
    enum err err = read_peers(db, &peers, e);

    if (err == OK && of_case)
        err = read_interest(db, ev->case_no, &interest, &known, e);
    if (err != OK)
        return err;
    concerns(ev, place);
    for (int i = 0; err == OK && i < peers.count; i++) {
        const char *peer = peers.code[i];
        if (from && !strcmp(peer, from)) {
            if (of_case && moves && !peers.parent[i])
                err = enqueue_others(o, db, peer, ev->case_no, e);
            continue;
        }
        if (peers.parent[i])
            err = emit(ctx, peer);
        else if (of_case && known && !interested(&interest, peer)) {
            bool heard;
            if ((err = has_heard(db, peer, ev->case_no, &heard, e)) == OK && heard)
                err = emit(ctx, peer);
        } else if (of_case && known)
            /* Its whole history, once: of what came before it had no need. */
            err = moves ? ledger_enqueue_case(&o->ledger, db, peer, ev->case_no, e) : emit(ctx, peer);
        else if (!of_case && (!place[0] || division_within(place, peer)))
            err = emit(ctx, peer);
    }
    return err;
}
