/* Each step of the fold is a function below, in the order in which they run. */
#include "office/fold.h"

#include "base/crypto.h"
#include "base/ids.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>

static const char *const names[] = {"applied", "aside", "denied", "refused", "unknown"};

const char *verdict_name(enum verdict v)
{
    return names[v];
}

enum verdict verdict_of(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_is(names[i], name))
            return (enum verdict)i;
    return VERDICT_ASIDE;
}

int64_t event_at_ms(const struct event *ev, const struct json *record)
{
    int64_t said = (int64_t)(ev->hlc >> 16), at = json_get_int(record, "at", said);

    return at < 0 || at > said ? said : at;
}

int event_order(const struct event *x, const struct event *y)
{
    if (x->hlc != y->hlc)
        return x->hlc < y->hlc ? -1 : 1;
    int by_origin = strcmp(x->origin, y->origin);
    return by_origin ? by_origin : x->seq < y->seq ? -1 : x->seq > y->seq;
}

const char *dossier_event_deny(struct dossier_event *x, const char *why)
{
    x->verdict = VERDICT_DENIED;
    return why;
}

static void judge(struct dossier_event *x, enum verdict v, const char *why)
{
    x->verdict = v;
    x->why = why;
}

static bool open_still(const struct dossier_event *x)
{
    return x->verdict == VERDICT_APPLIED;
}

bool dossier_event_counts(const struct dossier_event *x)
{
    return x->verdict == VERDICT_APPLIED || (x->verdict == VERDICT_UNKNOWN && !x->foreign);
}

/* ---- 1: what may be said at all ---------------------------------------------------------------*/

static void read_event(struct dossier *d, struct dossier_event *x)
{
    const char *place = NULL, *why;
    struct json *part;

    assert(text_is(x->ev.dossier, d->id));
    judge(x, VERDICT_APPLIED, NULL);
    x->moved = x->foreign = x->overruled = false;
    x->overrules = NULL;
    event_site(x->ev.origin, x->site);
    if (!x->record && json_parse_in(d->arena, x->ev.record, x->ev.record_len, &part, NULL) == OK)
        x->record = part;
    if (!x->personal && x->ev.personal &&
        json_parse_in(d->arena, x->ev.personal, x->ev.personal_len, &part, NULL) == OK)
        x->personal = part;
    if (!json_is_object(x->record))
        judge(x, VERDICT_REFUSED, "its record is no JSON object");
    x->at_ms = event_at_ms(&x->ev, x->record);
    x->kind = event_kind_of(d->type, x->ev.kind);
    x->custody_no = json_get_int(x->record, "custody_no", 0);
    if (!open_still(x))
        return;
    if (x->kind && x->kind->place)
        place = text_or(json_get_text(x->record, x->kind->place), "");
    why = x->kind ? authority_refuses(&x->ev, x->kind->may, place) : authority_misplaced(&x->ev);
    if (!why && d->type->id_valid && !d->type->id_valid(d->id))
        why = "the id of the dossier is none of its kind";
    if (why)
        judge(x, VERDICT_REFUSED, why);
    else if (!x->kind)
        judge(x, VERDICT_UNKNOWN, "this program does not know the kind");
}

static bool above(const char *site, const char *other)
{
    return strcmp(site, other) != 0 && division_within(other, site);
}

/* An event has its id in every place of every chain: whoever says the same twice, says it once. */
struct event_name {
    unsigned char id[EVENT_ID_BYTES];
};

static const struct event_name *events_named(const struct dossier *d)
{
    struct event_name *list = arena_alloc(d->arena, sizeof *list * (size_t)d->count);
    struct event_sum sum;

    for (int i = 0; i < d->count; i++) {
        event_sum(&d->events[i].ev, &sum);
        event_id(&sum, list[i].id);
    }
    return list;
}

static void overrule(struct dossier *d, const struct event_name *ids, struct dossier_event *by)
{
    const char *hex = text_or(json_get_text(by->record, "id"), "");
    const char *why = text_or(json_get_text(by->personal, "reason"), "");
    struct event_name named;

    if (!division_within(by->ev.street, by->site)) {
        judge(by, VERDICT_DENIED, "only an office above its author overrules an event");
        return;
    }
    if (strlen(hex) != 2 * sizeof named.id || !hex_decode(hex, named.id, sizeof named.id)) {
        judge(by, VERDICT_ASIDE, "it names no event");
        return;
    }
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if (x == by || memcmp(named.id, ids[i].id, sizeof named.id) != 0)
            continue;
        if (!above(by->site, x->site)) {
            judge(by, VERDICT_DENIED, "only an office above its author overrules an event");
            return; /* all of that id are of one author */
        }
        by->overrules = x;
        if (open_still(x) || x->verdict == VERDICT_UNKNOWN) {
            judge(x, VERDICT_ASIDE, why[0] ? why : "an office above has overruled it");
            x->overruled = true;
        }
    }
}

/* The district's word first: it may overrule a street's overruling. */
static void overrule_all(struct dossier *d)
{
    static const enum tier tiers[] = {TIER_DISTRICT, TIER_STREET};
    const struct event_name *ids = NULL;

    for (size_t t = 0; t < sizeof tiers / sizeof tiers[0]; t++)
        for (int i = 0; i < d->count; i++) {
            struct dossier_event *x = &d->events[i];
            enum tier tier;
            if (!open_still(x) || x->kind->may != MAY_OVERRULE || !division_tier(x->site, &tier) ||
                tier != tiers[t])
                continue;
            ids = ids ? ids : events_named(d);
            overrule(d, ids, x);
        }
}

/* ---- 2: opening, custody, part ----------------------------------------------------------------*/

static void open_dossier(struct dossier *d)
{
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if (!open_still(x) || !(x->kind->flags & KIND_OPENS))
            continue;
        if (d->opening) {
            judge(x, VERDICT_ASIDE, "the dossier is opened already");
            continue;
        }
        const char *whose = json_get_text(x->record, text_or(x->kind->place, ""));
        d->opening = x;
        d->street = x->ev.street;
        x->custody_no = 1;
        if (d->type->rule == RULE_CUSTODY)
            custody_open(&d->custody, text_or(whose, x->site));
        else if (d->type->rule == RULE_ONE_SITE)
            d->owner = text_or(whose, x->site);
    }
}

/* Of several next moves that each would be right the first by the ledger's order is taken. */
static bool next_move(struct dossier *d)
{
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if (open_still(x) && (x->kind->flags & KIND_MOVES) && x->custody_no == d->custody.no + 1 &&
            !custody_move(&d->custody, x->site, json_get_text(x->record, "to"),
                          x->kind->may == MAY_TAKE_BACK))
            return x->moved = true;
    }
    return false;
}

static void chain_custody(struct dossier *d)
{
    if (!d->opening || d->type->rule != RULE_CUSTODY)
        return;
    while (next_move(d))
        ;
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if ((open_still(x) || x->overruled) && x->kind && (x->kind->flags & KIND_MOVES) &&
            !x->moved)
            judge(x, custody_held(&d->custody, x->site) ? VERDICT_ASIDE : VERDICT_DENIED,
                  x->overruled ? x->why : "not the next custody of the dossier");
    }
}

/* Call fn for every site that has part by itself, until it says true. */
static bool each_part(const struct dossier *d, bool (*fn)(void *arg, const char *site), void *arg)
{
    if (!d->opening)
        return false;
    if (fn(arg, d->opening->site) || (d->owner[0] && fn(arg, d->owner)))
        return true;
    for (int i = 1; i <= d->custody.no; i++)
        if (fn(arg, d->custody.at[i]))
            return true;
    for (const char *at = d->type->part; at && (at = strchr(at, ' ')) && at[1]; at++) {
        const char *site;
        char member[32];
        size_t n = strcspn(at + 1, " ");
        text_copy(member, n < sizeof member ? n + 1 : sizeof member, at + 1);
        site = json_get_text(d->opening->record, member);
        if (site && site[0] && fn(arg, site))
            return true;
    }
    return false;
}

static bool at_or_below(void *arg, const char *place)
{
    return strlen(place) == 12 && division_within(place, arg);
}

bool dossier_has_part(const struct dossier *d, const char *site)
{
    return each_part(d, at_or_below, (void *)(uintptr_t)site);
}

static bool put(void *arg, const char *site)
{
    text_set_put(arg, site, NULL);
    return false;
}

void dossier_sites(const struct dossier *d, struct text_set *ret)
{
    (void)each_part(d, put, ret);
}

static const char *no_authority(const struct dossier *d, const struct dossier_event *x)
{
    if (!d->opening)
        return "the dossier is not opened here";
    switch (x->kind->may) {
    case MAY_CUSTODIAN:
        return x->custody_no >= 1 && x->custody_no <= d->custody.no &&
                       text_is(d->custody.at[x->custody_no], x->site)
                   ? NULL
                   : "not the custodian of the case";
    case MAY_OWNER:
        return text_is(d->owner, x->site) ? NULL : "not the site that owns it";
    case MAY_PART:
        return dossier_has_part(d, x->site) ? NULL : "a site that has no part in it";
    case MAY_DISTRICT:
    case MAY_ABOVE:
    case MAY_PARENT:
    case MAY_LEND:
    case MAY_PLACE:
    case MAY_OPEN:
    case MAY_TAKE_BACK:
    case MAY_OVERRULE:
        return NULL; /* what the event alone tells was asked before; moves are in the chain */
    }
    return NULL;
}

/* The dossier is opened already: whose it is may have opened it twice, nobody else. */
static void ask_second_opening(struct dossier *d, struct dossier_event *x)
{
    if (!x->overruled && x->verdict == VERDICT_ASIDE && !dossier_has_part(d, x->site))
        judge(x, VERDICT_DENIED, "another site has opened the dossier");
}

/* What was overruled, and not its author's to say either, is denied: it concerns nobody below. */
static void ask_authority(struct dossier *d)
{
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        const char *why;
        if (x->kind && (x->kind->flags & KIND_OPENS))
            ask_second_opening(d, x);
        if ((!open_still(x) && !x->overruled) || !x->kind || (x->kind->flags & KIND_OPENS) ||
            (d->opening && (x->kind->flags & KIND_MOVES)))
            continue;
        if (x->kind->may == MAY_OVERRULE)
            continue;
        why = no_authority(d, x);
        if (!why && d->type->forbids)
            why = d->type->forbids(d, x);
        if (why)
            judge(x, VERDICT_DENIED, x->overruled ? x->why : why);
    }
}

/* What a stranger has said in a dossier that another has opened was not his to say, overruled or not. */
static void part_from_strangers(struct dossier *d)
{
    for (int i = 0; d->opening && i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if (x->overruled && x->verdict == VERDICT_ASIDE && !dossier_has_part(d, x->site))
            judge(x, VERDICT_DENIED, x->why);
    }
}

/* Whatever an unknown kind may be: who has no part in a dossier does not stop its work by it. */
static void find_unknown(struct dossier *d)
{
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if (x->verdict != VERDICT_UNKNOWN)
            continue;
        x->foreign = !dossier_has_part(d, x->site);
        if (x->foreign)
            x->why = "this program does not know the kind, and its author has no part here";
        else if (x->ev.flags & EVENT_CRITICAL)
            d->read_only = true;
    }
}

/* Of all decisions the one of the latest custody stands, and of that the first. */
static void find_decision(struct dossier *d)
{
    const struct dossier_event *best = NULL;

    for (int i = 0; i < d->count; i++) {
        const struct dossier_event *x = &d->events[i];
        if (open_still(x) && (x->kind->flags & KIND_DECIDES) &&
            (!best || x->custody_no > best->custody_no))
            best = x;
    }
    for (int i = 0; best && i < d->count; i++) {
        struct dossier_event *x = &d->events[i];
        if (open_still(x) && (x->kind->flags & KIND_DECIDES) && x != best)
            judge(x, VERDICT_ASIDE,
                  x->custody_no < best->custody_no ? "a later custodian has decided otherwise"
                                                   : "it was decided before");
    }
    d->decision = best;
}

/* ---- 3: the fold itself -----------------------------------------------------------------------*/

/* 0: the opening; 1: steps of who has or owns it; 2: what commutes. */
static int rank(const struct dossier_event *x)
{
    if (!x->kind)
        return 2;
    if (x->kind->flags & KIND_OPENS)
        return 0;
    return x->kind->may == MAY_CUSTODIAN || x->kind->may == MAY_TAKE_BACK ||
                   x->kind->may == MAY_OWNER
               ? 1
               : 2;
}

static int in_order(const void *a, const void *b)
{
    const struct dossier_event *x = *(struct dossier_event *const *)a,
                               *y = *(struct dossier_event *const *)b;
    int by_rank = rank(x) - rank(y);

    if (by_rank)
        return by_rank;
    if (rank(x) == 1 && x->custody_no != y->custody_no)
        return x->custody_no < y->custody_no ? -1 : 1;
    if (rank(x) == 1) {
        bool mx = x->kind->flags & KIND_MOVES, my = y->kind->flags & KIND_MOVES;
        if (mx != my)
            return mx ? -1 : 1;
    }
    return event_order(&x->ev, &y->ev);
}

static void fold_events(struct dossier *d)
{
    for (int i = 0; i < d->count; i++)
        d->order[i] = &d->events[i];
    qsort(d->order, (size_t)d->count, sizeof *d->order, in_order);
    for (int i = 0; i < d->count; i++) {
        struct dossier_event *x = d->order[i];
        if (!open_still(x) || !x->kind->fold)
            continue;
        const char *why = x->kind->fold(d->state, d, x);
        if (why)
            judge(x, open_still(x) ? VERDICT_ASIDE : x->verdict, why);
    }
    if (d->type->settle && d->opening)
        d->type->settle(d->state, d);
}

void dossier_fold(struct dossier *d)
{
    assert(d->type && d->arena && d->count > 0);
    d->id = d->events[0].ev.dossier;
    d->street = d->events[0].ev.street;
    d->owner = "";
    d->opening = d->decision = NULL;
    d->custody = (struct custody){.no = 0};
    d->read_only = false;
    d->state = arena_alloc(d->arena, d->type->state_bytes);
    memset(d->state, 0, d->type->state_bytes);
    d->order = arena_alloc(d->arena, sizeof(struct dossier_event *) * (size_t)d->count);
    for (int i = 0; i < d->count; i++)
        read_event(d, &d->events[i]);
    overrule_all(d);
    open_dossier(d);
    chain_custody(d);
    ask_authority(d);
    part_from_strangers(d);
    find_unknown(d);
    find_decision(d);
    fold_events(d);
    assert(!d->opening || d->opening->verdict == VERDICT_APPLIED);
}

void dossier_unfold(struct dossier *d)
{
    if (d->state && d->type->finish)
        d->type->finish(d->state);
    d->state = NULL;
}
