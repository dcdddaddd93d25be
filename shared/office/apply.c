/* events -> of a dossier: once per dossier, fold -> verdicts, rows, numbers in use
 *        -> of none:      the row of its kind in the table of facts */
#include "office/apply.h"

#include "base/crypto.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/chain.h"
#include "ledger/outbox.h"
#include "ledger/recall.h"
#include "office/load.h"
#include "office/say.h"
#include "office/verdict.h"

#include <assert.h>

/* ---- dossiers ---------------------------------------------------------------------------------*/

enum err apply_dossier(struct office *o, struct db *db, const struct dossier *d, struct marks *m,
                       bool *ret_moved, struct errmsg *e)
{
    bool changed;
    enum err err = verdicts_save(db, d, &changed, ret_moved, e);

    for (int i = 0; i < d->count && d->type->numbers; i++) {
        const struct dossier_event *x = &d->events[i];
        if (x->verdict != VERDICT_REFUSED && x->verdict != VERDICT_UNKNOWN) /* the same for ever */
            d->type->numbers(x, m);
    }
    /* An older event that comes late can change what stands: then all rows are made anew. */
    if (err == OK && changed && d->type->drop)
        err = d->type->drop(db, d->id, e);
    return err == OK && d->opening && d->type->save ? d->type->save(o, db, d, e) : err;
}

/* Is there nothing of the dossier but what has just come? */
static enum err all_is_new(struct db *db, struct news *n, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT count(*) FROM event WHERE dossier = $1");
    bool row;

    lend_text(st, 1, n->id, strlen(n->id));
    enum err err = db_step(st, &row, e);
    n->alone = err == OK && row && (size_t)col_int(st, 0) == n->count;
    db_reset(st);
    return err;
}

static const struct dossier_event *found(const struct dossier *d, const struct event *ev)
{
    for (int i = 0; i < d->count; i++)
        if (d->events[i].ev.seq == ev->seq && !strcmp(d->events[i].ev.origin, ev->origin))
            return &d->events[i];
    return NULL;
}

/* An event of a child, to be asked about when its batch is folded. */
struct asking {
    struct asking *next;
    struct dossier_event x; /* its texts are in the batch's arena */
};

/* Of an event that stands now and did not before: what is not its author's to say needs no judge until
 * it is, nor does what is overruled. */
static struct asking *ask_about(const struct office *o, const struct dossier_type *t,
                                const struct dossier_event *x, struct news *n, struct arena *a)
{
    char parent[13];

    if ((!t->numbers && !t->doubt) || x->overruled || !x->kind ||
        (x->verdict != VERDICT_APPLIED && x->verdict != VERDICT_ASIDE) ||
        !division_parent(x->site, parent) || strcmp(parent, o->site) != 0)
        return NULL;
    struct asking *q = arena_room(a, sizeof *q);
    *q = (struct asking){.next = n->asked, .x = *x};
    n->asked = q;
    return q;
}

/* What came before it was its author's to say, as far as could be told. */
static void ask_about_old(const struct office *o, const struct dossier *d, struct news *n,
                          struct arena *a)
{
    for (int i = 0; i < d->count; i++) {
        const struct dossier_event *x = &d->events[i];
        struct asking *q = x->noted == VERDICT_DENIED ? ask_about(o, d->type, x, n, a) : NULL;
        if (!q)
            continue;
        q->x.ev = event_copy(&x->ev, a); /* the dossier is closed before */
        q->x.record = q->x.personal = NULL;
    }
}

static void ask_about_new(const struct office *o, const struct dossier *d, struct news *n,
                          struct arena *a)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct arrival *at = n->at[i];
        struct asking *q =
            at->got == RECEIVED_NEW ? ask_about(o, d->type, found(d, &at->ev), n, a) : NULL;
        if (!q)
            continue;
        q->x.ev = at->ev;
        q->x.record = at->record;
        q->x.personal = at->personal;
    }
}

/* What route() must know of each new event. */
static void note_news(struct news *n, const struct dossier *d, struct arena *a)
{
    n->known = d->opening;
    n->sites = (struct text_set){.arena = a};
    dossier_sites(d, &n->sites);
    for (size_t i = 0; i < n->count; i++) {
        const struct dossier_event *x = found(d, &n->at[i]->ev);
        assert(x);
        n->sent_down[i] = dossier_event_counts(x) || x->verdict == VERDICT_ASIDE;
        n->opened |= x == d->opening;
        n->at[i]->state = x->verdict == VERDICT_APPLIED ? NULL : verdict_name(x->verdict);
        n->at[i]->why = x->why ? arena_strdup(a, x->why) : NULL;
        n->moved |= x->moved;
    }
}

/* A command of this site that does not fit is undone with its transaction. */
static enum err stands(const struct dossier *d, const struct event *local, struct errmsg *e)
{
    const struct dossier_event *x = found(d, local);

    if (x->verdict == VERDICT_APPLIED)
        return OK;
    errmsg_set(e, "%s", text_or(x->why, "it does not fit"));
    return ERR_INVALID;
}

static enum err apply_folded(struct office *o, struct db *db, struct news *n, struct dossier *d,
                             struct marks *m, bool local, struct arena *a, struct errmsg *e)
{
    bool moved = false;
    enum err err = local ? stands(d, &n->at[0]->ev, e) : OK;

    if (err == OK)
        err = apply_dossier(o, db, d, m, &moved, e);
    if (err == OK) {
        ask_about_old(o, d, n, a);
        ask_about_new(o, d, n, a);
        note_news(n, d, a);
    }
    n->moved |= moved;
    return err;
}

/* Of a kind of work that this program does not know. */
static enum err note_unread(struct db *db, struct news *n, struct errmsg *e)
{
    enum err err = OK;

    for (size_t i = 0; err == OK && i < n->count; i++) {
        struct arrival *x = n->at[i];
        const char *why = authority_misplaced(&x->ev);
        x->state = why ? "refused" : "unknown";
        x->why = why ? why : "this program does not know the kind of work";
        if (why)
            err = verdict_fact(db, &x->ev, VERDICT_REFUSED, why, e);
    }
    return err;
}

static enum err apply_news(struct office *o, struct db *db, struct news *n, struct marks *m,
                           bool local, struct arena *a, struct errmsg *e)
{
    struct dossier d;
    bool holds;
    enum err err;

    if (!n->type)
        return note_unread(db, n, e);
    if ((err = all_is_new(db, n, e)) != OK)
        return err;
    if (n->alone && n->folded)
        return apply_folded(o, db, n, n->folded, m, local, a, e);
    if (n->alone) {
        struct dossier *here = dossier_of_arrivals(n->type, n->at, n->count, a, &holds);
        err = apply_folded(o, db, n, here, m, local, a, e);
        dossier_unfold(here);
        return err;
    }
    if ((err = dossier_load(o->work, db, n->id, &d, e)) != OK)
        return err;
    err = apply_folded(o, db, n, &d, m, local, a, e);
    dossier_close(&d);
    return err;
}

/* ---- what the facts do not bear out -----------------------------------------------------------*/

static enum err say_overruled(struct office *o, struct db *db, const struct event *ev,
                              const char *hex, const char *reason, struct errmsg *e)
{
    struct json *b = json_object();
    char author[13];
    unsigned char hash[32];
    uint64_t seq;
    enum err err;

    json_set_text(b, "id", hex);
    json_set_text(b, "reason", reason);
    log_line(LOG_LEVEL_WARN, "office", "overruled=yes origin=%s seq=%llu reason=\"%s\"", ev->origin,
             (unsigned long long)ev->seq, reason);
    if ((err = office_say(o, db, KIND_OVERRULED, ev->dossier, ev->street, NULL, b, e)) != OK ||
        (err = ledger_head(db, o->ledger.origin, &seq, hash, e)) != OK)
        return err;
    /* Its author hears of it, also when he has no part in the dossier, or nobody has any more. */
    event_site(ev->origin, author);
    return ledger_enqueue(&o->ledger, db, author, o->ledger.origin, seq, e);
}

/* What the judging of one batch shares. */
struct judging {
    struct office *o;
    struct db *db;
    struct marks marks; /* of one event at a time */
    struct lent lent;
    struct text_set seen; /* what types have found to be right (dossier.h) */
    struct text_set done; /* ids of what is overruled by now */
};

/* Why a number that it names is not its author's; "": all are. */
static enum err doubt_numbers(struct judging *j, const struct dossier_type *t,
                              const struct dossier_event *x, char why[DOUBT_BYTES],
                              struct errmsg *e)
{
    enum err err = OK;

    j->marks.count = 0;
    if (t->numbers)
        t->numbers(x, &j->marks);
    for (int i = 0; err == OK && !why[0] && i < j->marks.count; i++) {
        const struct mark *m = &j->marks.list[i];
        bool foreign;
        err = number_is_foreign(j->o, j->db, m, &j->lent, &foreign, e);
        if (err == OK && foreign)
            snprintf(why, DOUBT_BYTES, "number %lld of the kind %s was not lent to %s",
                     (long long)m->n, m->kind, m->holder);
    }
    return err;
}

/* Facts are asked here alone, once, by the office directly above the author; what it finds becomes
 * an event of the dossier, so that all sites agree in any order. However often an event was said, it is
 * overruled once. */
static enum err judge_one(struct judging *j, const struct dossier_type *t, struct dossier_event *x,
                          struct errmsg *e)
{
    char why[DOUBT_BYTES] = "", hex[2 * EVENT_ID_BYTES + 1];
    unsigned char id[EVENT_ID_BYTES];
    struct event_sum sum;
    struct json *record = NULL;
    enum err err = OK;

    if (!x->record &&
        (err = json_parse_in(j->marks.arena, x->ev.record, x->ev.record_len, &record, e)) != OK)
        return err; /* it was parsed before, or would not stand */
    x->record = x->record ? x->record : record;
    err = doubt_numbers(j, t, x, why, e);
    if (err == OK && !why[0] && t->doubt)
        err = t->doubt(j->o, j->db, x, &j->seen, why, e);
    if (err != OK || !why[0])
        return err;
    event_sum(&x->ev, &sum); /* dear: not of all */
    event_id(&sum, id);
    hex_encode(id, sizeof id, hex);
    if (text_set_has(&j->done, hex))
        return OK;
    text_set_put(&j->done, hex, NULL);
    return say_overruled(j->o, j->db, &x->ev, hex, why, e);
}

/* ---- what is said to what has come ------------------------------------------------------------*/

static bool something_stands(const struct news *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->at[i]->got == RECEIVED_NEW && !n->at[i]->state)
            return true;
    return false;
}

enum err apply_answer(struct office *o, struct db *db, const struct dossier_type *t, const char *id,
                      struct errmsg *e)
{
    bool recalling = false;
    enum err err = t->answer ? ledger_recalling(db, &recalling, e) : OK;

    return err == OK && t->answer && !recalling ? t->answer(o, db, id, e) : err;
}

/* Something was said to it here: what has come may fold otherwise now, and concern others. */
static enum err look_again(struct office *o, struct db *db, struct news *n, struct arena *a,
                           struct errmsg *e)
{
    struct dossier d;
    enum err err = dossier_load(o->work, db, n->id, &d, e);

    if (err != OK)
        return err;
    n->opened = n->alone = false;
    note_news(n, &d, a);
    dossier_close(&d);
    return OK;
}

static enum err judge(struct judging *j, const struct news *n, struct errmsg *e)
{
    enum err err = OK;

    for (struct asking *q = n->asked; err == OK && q; q = q->next)
        err = judge_one(j, n->type, &q->x, e);
    return err;
}

static enum err respond_to(struct judging *j, struct news *n, bool local, struct arena *a,
                           struct errmsg *e)
{
    uint64_t before = j->o->ledger.hlc_last;
    enum err err = judge(j, n, e);

    if (err == OK && j->o->ledger.hlc_last != before)
        err = look_again(j->o, j->db, n, a, e);
    if (err != OK || local || !n->type || !n->type->answer || !something_stands(n))
        return err;
    before = j->o->ledger.hlc_last;
    err = n->type->answer(j->o, j->db, n->id, e);
    return err == OK && j->o->ledger.hlc_last != before ? look_again(j->o, j->db, n, a, e) : err;
}

static bool anything_asked(const struct office_ahead *all)
{
    for (size_t i = 0; i < all->id_count; i++)
        if (all->news[i].asked)
            return true;
    return false;
}

/* What was said here is answered by nobody, but it may raise what a child has said before. */
static enum err respond(struct office *o, struct db *db, const struct office_ahead *all, bool local,
                        struct arena *a, struct errmsg *e)
{
    struct judging j = {.o = o,
                        .db = db,
                        .marks = {.arena = a},
                        .lent = {.arena = a},
                        .seen = {.arena = a},
                        .done = {.arena = a}};
    bool recalling;
    enum err err;

    if (local && !anything_asked(all))
        return OK;
    if ((err = ledger_recalling(db, &recalling, e)) != OK || recalling)
        return err; /* it may say nothing of its own now, and does not know all that it has lent */
    for (size_t i = 0; err == OK && i < all->id_count; i++)
        err = respond_to(&j, &all->news[i], local, a, e);
    return err;
}

/* ---- facts ------------------------------------------------------------------------------------*/

enum err apply_fact(struct office *o, struct db *db, const struct event *ev,
                    const struct json *record, const struct json *personal, struct arena *a,
                    enum verdict *ret_verdict, const char **ret_why, struct errmsg *e)
{
    const struct fact_kind *k = fact_kind_of(o->work, ev->kind);
    const char *place = k && k->place ? text_or(json_get_text(record, k->place), "") : NULL;
    const char *why = k ? authority_refuses(ev, k->may, place) : authority_misplaced(ev);
    struct errmsg unfit = {""};
    enum err err;

    *ret_verdict = why ? VERDICT_REFUSED : k ? VERDICT_APPLIED : VERDICT_UNKNOWN;
    *ret_why = why ? why : k ? NULL : "this program does not know the kind";
    if (*ret_verdict != VERDICT_APPLIED)
        return OK;
    if ((err = db_savepoint(db)) != OK)
        return err;
    if ((err = k->apply(o, db, ev, record, personal, &unfit)) == OK)
        return db_release(db);
    if (err != ERR_INVALID) {
        *e = unfit;
        return err;
    }
    *ret_verdict = VERDICT_ASIDE;
    *ret_why = arena_strdup(a, unfit.text);
    return db_undo(db);
}

static enum err apply_fact_news(struct office *o, struct db *db, struct arrival *x, bool local,
                                struct arena *a, struct errmsg *e)
{
    struct json *record = x->record, *personal = x->personal;
    enum verdict v = VERDICT_REFUSED;
    const char *why = "its record is not JSON";
    enum err err = OK;

    if (!record && json_parse_in(a, x->ev.record, x->ev.record_len, &record, NULL) != OK)
        record = NULL;
    if (!personal && x->ev.personal &&
        json_parse_in(a, x->ev.personal, x->ev.personal_len, &personal, NULL) != OK)
        personal = NULL;
    if (record)
        err = apply_fact(o, db, &x->ev, record, personal, a, &v, &why, e);
    if (err != OK || v == VERDICT_APPLIED)
        return err;
    if (local) {
        errmsg_set(e, "%s", why);
        return ERR_INVALID;
    }
    x->state = verdict_name(v);
    x->why = why;
    return verdict_fact(db, &x->ev, v, why, e);
}

/* ---- a batch ----------------------------------------------------------------------------------*/

enum err office_apply(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                      struct arena *a, struct errmsg *e)
{
    struct office *o = arg;
    struct marks m = {.arena = a};
    struct office_ahead *all = office_news(o->work, list, n, a);
    enum err err = OK;

    for (size_t i = 0; err == OK && i < n; i++)
        if (list[i].got != RECEIVED_DUPLICATE && !list[i].ev.dossier[0])
            err = apply_fact_news(o, db, &list[i], local, a, e);
    for (size_t i = 0; err == OK && i < all->id_count; i++)
        err = apply_news(o, db, &all->news[i], &m, local, a, e);
    if (err == OK)
        err = marks_write(db, &m, e);
    return err == OK ? respond(o, db, all, local, a, e) : err;
}
