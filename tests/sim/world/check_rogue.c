/* The promises that hold although one site is hostile: who may say what, read a second time at every
 * site; and a world that is, but for the rogue's own ground, as if what it had no right to say had never
 * been said. */
#include "told.h"

#include "base/time.h"

#include <string.h>

/* ---- eight things a day -----------------------------------------------------------------------*/

static int offence_day, offences, reached_gen;

void check_rogue_reset(void)
{
    offence_day = -1;
    offences = reached_gen = 0;
}

static bool offends(struct site *s, const struct arrival *x)
{
    struct told t = {.record = (char *)(uintptr_t)x->ev.record};

    snprintf(t.kind, sizeof t.kind, "%s", x->ev.kind);
    snprintf(t.dossier, sizeof t.dossier, "%s", x->ev.dossier);
    snprintf(t.street, sizeof t.street, "%s", x->ev.street);
    snprintf(t.by, sizeof t.by, "%.12s", x->ev.origin);
    const struct dossier_type *type = dossier_type_of(s->program, t.dossier);
    bool kind = type ? event_kind_of(type, t.kind) != NULL
                     : !t.dossier[0] && fact_kind_of(s->program, t.kind) != NULL;
    return !strcmp(t.by, site[rogue].code) && judge_for(&t, type != NULL, kind);
}

/* A batch from a child was stored on that day. */
void check_heard(struct job *j, int day)
{
    int more = 0;

    if (rogue < 0 || j->end != 1 || j->conn->child != rogue) {
        if (j->batch.offends)
            breach("site %d ends the link of an honest child", j->s->no);
        return;
    }
    if (day == offence_day && reached_gen && j->gen != reached_gen)
        breach(
            "site %d listens to the rogue on, which has said %d things today that were never its "
            "to say",
            j->s->no, offences);
    for (size_t i = 0; i < j->batch.count; i++)
        more += j->batch.list[i].got != RECEIVED_DUPLICATE && offends(j->s, &j->batch.list[i]);
    if (!more)
        return;
    if (day != offence_day)
        offences = reached_gen = 0;
    offence_day = day;
    offences += more;
    if ((offences >= 8) != j->batch.offends)
        breach("site %d: the rogue has said %d things today that were never its to say, and its "
               "link %s",
               j->s->no, offences, j->batch.offends ? "ends" : "goes on");
    if (offences >= 8 && !reached_gen)
        reached_gen = j->gen;
}

/* Is its link closed for the rest of the day? */
bool check_rogue_shut(void)
{
    int today = rogue < 0 ? 0 : time_days(host_wall_ms(&site[parent_of(rogue)].host));

    return rogue >= 0 && offences >= 8 && offence_day == today && !conns[rogue].open;
}

/* ---- every event that counts ------------------------------------------------------------------*/

static bool stranger(const struct told *x)
{
    return rogue >= 0 && rogue_ground(x->by);
}

static void one_event(struct site *s, const struct telling *t, const struct hands_of *h,
                      const struct told *x)
{
    bool applied = !strcmp(x->state, "applied");
    const char *why = judge_ever(x);

    if (!why && h)
        why = judge_now(t, h, x);
    if (applied && why)
        breach("site %d applies %s of %s by %s, seq %llu: %s", s->no, x->kind, x->dossier, x->by,
               (unsigned long long)x->seq, why);
    if (!strcmp(x->state, "unknown") && judge_knows(x))
        breach("site %d has not read %s of %s, which its program knows", s->no, x->kind,
               x->dossier);
    if (!strcmp(x->state, "refused") && !stranger(x))
        breach("site %d refuses %s of %s by %s, which is honest", s->no, x->kind, x->dossier,
               x->by);
    /* What a street overrules may come only later, and turn out not to be its to overrule. */
    if (why && stranger(x) && !rogue_ground(s->code) && strcmp(x->kind, "dossier.overruled/1") &&
        !code_within(site[rogue].code, s->code))
        breach("site %d was told %s of %s by the rogue, seq %llu, %s there: %s", s->no, x->kind,
               x->dossier, (unsigned long long)x->seq, x->state, why);
}

static void one_dossier(struct site *s, struct telling *t)
{
    struct hands_of h;

    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->list[i].kind, "dossier.overruled/1")) {
            told_ids(s, t);
            break;
        }
    judge_hands(t, &h);
    for (int i = 0; i < t->count; i++)
        one_event(s, t, &h, &t->list[i]);
}

static void one_fact(struct site *s, const struct told *x)
{
    one_event(s, NULL, NULL, x);
}

void check_authority(struct site *s)
{
    told_each_dossier(s, one_dossier, one_fact);
}

/* ---- as if it had said nothing ----------------------------------------------------------------*/

static void unsay(struct site *s, const struct told *x)
{
    struct stmt *st = db_stmt(s->db, "DELETE FROM event WHERE origin = $1 AND seq = $2");
    struct errmsg e;

    bind_text(st, 1, x->origin);
    bind_int(st, 2, (int64_t)x->seq);
    if (db_run(st, &e) != OK)
        breach("site %d: an event cannot be taken out: %s", s->no, e.text);
}

static void unsay_dossier(struct site *s, struct telling *t)
{
    struct hands_of h;

    judge_hands(t, &h);
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->list[i].by, site[rogue].code) &&
            (judge_ever(&t->list[i]) || judge_now(t, &h, &t->list[i])))
            unsay(s, &t->list[i]);
}

static void unsay_fact(struct site *s, const struct told *x)
{
    if (!strcmp(x->by, site[rogue].code) && judge_ever(x))
        unsay(s, x);
}

/* What was never the rogue's to say changes nothing: without it everything folds to the same. */
static void check_silenced(struct site *s)
{
    struct buf with = {0}, without = {0};
    struct errmsg e = {""};
    char what[240];

    tables_read(s, site[rogue].code, &with);
    if (db_begin(s->db, &e) != OK)
        breach("site %d: %s", s->no, e.text);
    told_each_dossier(s, unsay_dossier, unsay_fact);
    if (!broken && office_rebuild(&s->office, s->db, &e) != OK)
        breach("site %d: the projections cannot be folded without the rogue: %s", s->no, e.text);
    tables_read(s, site[rogue].code, &without);
    if (!broken && tables_differ(&with, &without, what))
        breach("site %d: what the rogue was never to say has changed something: %s", s->no, what);
    db_rollback(s->db, NULL);
    buf_free(&with);
    buf_free(&without);
}

/* ---- what it was told -------------------------------------------------------------------------*/

/* Does somebody who is honest name it, or a site below it, in this dossier? */
static bool named(const struct telling *t)
{
    static const char *const members[] = {"community", "custodian", "to", "at", "hall"};
    struct hands_of h;
    char text[32];

    judge_hands(t, &h);
    if (h.opening && stranger(h.opening))
        return true;
    /* A hostile street had part in what its community opened, until it overruled that. */
    for (int i = 0; i < t->count; i++)
        if (judge_opens(&t->list[i]) && stranger(&t->list[i]) &&
            strcmp(t->list[i].by, site[rogue].code) != 0)
            return true;
    for (int i = 0; i < t->count; i++)
        for (size_t k = 0; !stranger(&t->list[i]) && k < sizeof members / sizeof members[0]; k++)
            if (told_text(&t->list[i], members[k], text, sizeof text) && rogue_ground(text))
                return true;
    return false;
}

/* That something of its own was overruled it hears, wherever it said it. */
static bool answers(const struct telling *t, const struct told *x)
{
    char id[40];

    if (strcmp(x->kind, "dossier.overruled/1"))
        return false;
    told_text(x, "id", id, sizeof id);
    for (int i = 0; i < t->count; i++)
        if (stranger(&t->list[i]) && !strcmp(t->list[i].id, id))
            return true;
    return false;
}

static void told_dossier(struct site *s, struct telling *mine)
{
    struct telling all = {.arena = arena_create()};
    bool others = false;

    told_ids(s, mine);
    for (int i = 0; i < mine->count; i++)
        others |= !stranger(&mine->list[i]) && !answers(mine, &mine->list[i]);
    if (others) {
        told_read(&site[0], "dossier = $1", mine->list[0].dossier, &all);
        if (!named(&all))
            breach("the rogue %d was told of %s, in which it has no part", s->no,
                   mine->list[0].dossier);
    }
    arena_destroy(all.arena);
}

static void told_fact(struct site *s, const struct told *x)
{
    char place[32];

    if (!stranger(x) &&
        (told_text(x, "site", place, sizeof place) ||
         told_text(x, "holder", place, sizeof place)) &&
        !rogue_ground(place))
        breach("the rogue %d was told %s about %s", s->no, x->kind, place);
}

bool check_rogue_opened(struct site *s, const char *dossier)
{
    struct telling t = {.arena = arena_create()};
    bool any = false;

    if (rogue >= 0)
        told_read(s, "dossier = $1", dossier, &t);
    for (int i = 0; i < t.count; i++)
        any |= stranger(&t.list[i]) && judge_opens(&t.list[i]);
    arena_destroy(t.arena);
    return any;
}

/* ---- all of it --------------------------------------------------------------------------------*/

static void overruled_honest(struct site *s, struct telling *t)
{
    char id[40];
    bool any = false;

    for (int i = 0; i < t->count; i++)
        any |= !strcmp(t->list[i].kind, "dossier.overruled/1") && !stranger(&t->list[i]);
    if (!any)
        return;
    told_ids(s, t);
    for (int i = 0; i < t->count; i++) {
        told_text(&t->list[i], "id", id, sizeof id);
        for (int k = 0; k < t->count; k++)
            if (!strcmp(t->list[i].kind, "dossier.overruled/1") && !stranger(&t->list[i]) &&
                !strcmp(t->list[k].id, id) && !stranger(&t->list[k]))
                breach("%s of %s by %s, which is honest, is overruled by %s", t->list[k].kind,
                       t->list[k].dossier, t->list[k].by, t->list[i].by);
    }
}

void check_rogue(void)
{
    for (int i = 0; i < SITES && !broken; i++)
        if (i < 3 || rogue >= 0 || dice(6) == 0)
            check_authority(&site[i]);
    if (!broken)
        told_each_dossier(&site[0], overruled_honest, NULL);
    for (int i = 0; i < SITES && !broken && rogue >= 0; i++)
        if (!rogue_ground_no(i) && (i < 3 || dice(3) == 0))
            check_silenced(&site[i]);
    if (rogue >= 0 && !broken)
        told_each_dossier(&site[rogue], told_dossier, told_fact);
}
