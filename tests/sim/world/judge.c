/* A second opinion on authority. One row per kind says who may: written from schema/ and README.md, apart
 * from the tables of the product, so that a row which is wrong there is wrong against this. */
#include "told.h"

#include "base/ids.h"

#include <string.h>

enum who {
    DISTRICT, /* facts */
    ABOVE,
    PARENT,
    LENDS,
    ITSELF,
    OPENS, /* of a dossier */
    IN_HAND,
    TAKES_BACK,
    HAS_PART,
    CARRIES,
    ISSUER, /* or above who issued it */
    OVERRULES,
    OWNS,
};

static const struct rule {
    const char *kind;
    enum who who;
    const char *place; /* the member that names it */
} rules[] = {
    {"item.published/1", DISTRICT, NULL},
    {"calendar.published/1", DISTRICT, NULL},
    {"site.enrolled/1", PARENT, "site"},
    {"site.revoked/1", PARENT, "site"},
    {"site.equipped/1", ITSELF, "site"},
    {"account.created/1", ABOVE, "site"},
    {"block.leased/1", LENDS, "holder"},
    {"dossier.overruled/1", OVERRULES, NULL},
    {"case.filed/1", OPENS, "custodian"},
    {"case.submitted/1", HAS_PART, NULL},
    {"case.accepted/1", IN_HAND, NULL},
    {"case.supplement_requested/1", IN_HAND, NULL},
    {"case.supplemented/1", HAS_PART, NULL},
    {"case.not_accepted/1", IN_HAND, NULL},
    {"case.granted/1", IN_HAND, NULL},
    {"case.refused/1", IN_HAND, NULL},
    {"case.withdrawal_asked/1", HAS_PART, NULL},
    {"case.withdrawn/1", IN_HAND, NULL},
    {"case.transferred/1", IN_HAND, NULL},
    {"case.taken_back/1", TAKES_BACK, NULL},
    {"case.suspended/1", IN_HAND, NULL},
    {"case.resumed/1", IN_HAND, NULL},
    {"certificate.issued/1", IN_HAND, NULL},
    {"certificate.revoked/1", ISSUER, NULL},
    {"delivery.ordered/1", IN_HAND, NULL},
    {"delivery.assigned/1", HAS_PART, NULL},
    {"delivery.picked_up/1", CARRIES, NULL},
    {"delivery.in_transit/1", CARRIES, NULL},
    {"delivery.handed_over/1", CARRIES, NULL},
    {"delivery.failed/1", CARRIES, NULL},
    {"delivery.returned/1", CARRIES, NULL},
    {"case.rated/1", HAS_PART, NULL},
    {"case.noted/1", HAS_PART, NULL},
    {"visit.recorded/1", HAS_PART, NULL},
    {"ticket.issued/1", OPENS, "hall"},
    {"ticket.joined/1", OWNS, NULL},
    {"ticket.called/1", OWNS, NULL},
    {"ticket.served/1", OWNS, NULL},
    {"ticket.finished/1", OWNS, NULL},
    {"ticket.passed/1", OWNS, NULL},
    {"ticket.put_back/1", OWNS, NULL},
    {"ticket.transferred/1", OWNS, NULL},
    {"ticket.left/1", HAS_PART, NULL},
};

/* In which dossiers a kind means anything: those of a kind of work have ids of their own. */
static const struct {
    char letter; /* 0: 21 digits */
    const char *kinds[5];
} types[] = {
    {0, {"case.", "certificate.", "delivery.", "visit."}},
    {'q', {"ticket."}},
};

static bool known_type(const char *dossier)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].letter ? types[i].letter == dossier[0] : strlen(dossier) == 21)
            return true;
    return false;
}

static bool fits_type(const char *dossier, const char *kind)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (int k = 0; types[i].kinds[k]; k++)
            if (!strncmp(types[i].kinds[k], kind, strlen(types[i].kinds[k])))
                return types[i].letter ? types[i].letter == dossier[0] : strlen(dossier) == 21;
    return known_type(dossier);
}

/* As its type makes them: a case's has a check digit, a ticket's a day, a letter and three digits. */
static bool shaped(const char *dossier)
{
    if (dossier[0] != 'q')
        return case_number_check(dossier);
    return strlen(dossier) == 20 && strspn(dossier + 1, "0123456789") == 15 && dossier[16] >= 'A' &&
           dossier[16] <= 'Z' && strspn(dossier + 17, "0123456789") == 3;
}

/* The kinds of one type mean nothing in a dossier of another. */
static const struct rule *rule_of(const struct told *x)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (!strcmp(rules[i].kind, x->kind) &&
            (rules[i].who < OPENS ? !x->dossier[0] : fits_type(x->dossier, x->kind)))
            return &rules[i];
    return NULL;
}

bool judge_knows(const struct told *x)
{
    return rule_of(x) != NULL;
}

/* ---- codes ------------------------------------------------------------------------------------*/

static bool is_code(const char *code)
{
    return strlen(code) == 12 && strspn(code, "0123456789") == 12;
}

static bool is_district(const char *code)
{
    return !strcmp(code + 6, "000000");
}

static bool is_street(const char *code)
{
    return !is_district(code) && !strcmp(code + 9, "000");
}

bool code_parent(const char *code, char out[13])
{
    if (!is_code(code) || is_district(code))
        return false;
    snprintf(out, 13, is_street(code) ? "%.6s000000" : "%.9s000", code);
    return true;
}

bool code_within(const char *code, const char *ancestor)
{
    return is_code(code) && !strncmp(code, ancestor,
                                     is_district(ancestor) ? 6
                                     : is_street(ancestor) ? 9
                                                           : 12);
}

static bool above(const char *who, const char *code)
{
    return strcmp(who, code) && code_within(code, who);
}

static bool directly_above(const char *who, const char *code)
{
    char parent[13];

    return code_parent(code, parent) && !strcmp(parent, who);
}

/* ---- what can ever be said --------------------------------------------------------------------*/

static const char *street9_of(const char *dossier)
{
    if (strlen(dossier) == 21 && strspn(dossier, "0123456789") >= 9)
        return dossier;
    return strlen(dossier) > 10 && dossier[0] >= 'a' && dossier[0] <= 'z' &&
                   strspn(dossier + 1, "0123456789") >= 9
               ? dossier + 1
               : "none";
}

static const char *fact_ever(const struct told *x, const struct rule *r)
{
    char place[32] = "", right[13];

    if (r->place && !told_text(x, r->place, place, sizeof place))
        return "a fact about no place";
    if (r->place && !is_code(place))
        return "a fact about what is no site";
    snprintf(right, sizeof right, is_district(r->place ? place : x->by) ? "%.12s" : "%.9s000",
             r->place ? place : x->by);
    if (strcmp(right, x->street))
        return "a fact under the wrong street";
    switch (r->who) {
    case DISTRICT:
        return is_district(x->by) ? NULL : "the district alone says this";
    case ABOVE:
        return code_within(place, x->by) ? NULL : "of a site that is not below its author";
    case PARENT:
        return directly_above(x->by, place) || (is_district(place) && !strcmp(place, x->by))
                   ? NULL
                   : "not by the office directly above";
    case LENDS:
        return directly_above(x->by, place) || (!strcmp(place, x->by) && !strcmp(place + 9, "000"))
                   ? NULL
                   : "lent by who has nothing to lend";
    case ITSELF:
        return !strcmp(place, x->by) ? NULL : "of another site";
    case OPENS:
    case IN_HAND:
    case TAKES_BACK:
    case HAS_PART:
    case CARRIES:
    case ISSUER:
    case OVERRULES:
    case OWNS:
        break;
    }
    return "no fact";
}

const char *judge_ever(const struct told *x)
{
    const struct rule *r = rule_of(x);
    char place[32] = "";

    if (x->record[0] != '{' && (r || known_type(x->dossier)))
        return "its record is no object";
    if (strncmp(x->by, x->street, 6))
        return "by another district";
    if ((x->dossier[0] && strncmp(street9_of(x->dossier), x->street, 9)) ||
        strcmp(x->street + 9, "000"))
        return "under the wrong street";
    if (x->dossier[0] && known_type(x->dossier) && !shaped(x->dossier))
        return "of a dossier whose id is none";
    if (!r)
        return NULL;
    if (!x->dossier[0])
        return fact_ever(x, r);
    if (r->who == TAKES_BACK)
        return is_street(x->by) ? NULL : "only a street takes back";
    if (r->who == OVERRULES)
        return strcmp(x->by + 9, "000") ? "a community is above nobody" : NULL;
    if (r->who != OPENS)
        return NULL;
    if (!is_district(x->by) && strncmp(x->by, x->street, 9))
        return "opened from another street";
    told_text(x, r->place, place, sizeof place);
    return !strcmp(place, x->by) || directly_above(x->by, place) || directly_above(place, x->by)
               ? NULL
               : "opened into strange hands";
}

/* ---- what can be said of a dossier ------------------------------------------------------------*/

static bool held(const struct hands_of *h, const char *who)
{
    bool any = false;

    for (int i = 1; i <= h->top; i++)
        any |= !strcmp(h->at[i], who);
    return any;
}

static bool counts(const struct told *x)
{
    return !strcmp(x->state, "applied");
}

static bool is(const struct told *x, enum who who)
{
    const struct rule *r = rule_of(x);

    return r && r->who == who;
}

bool judge_opens(const struct told *x)
{
    return is(x, OPENS);
}

static bool moves(const struct told *x)
{
    return is(x, TAKES_BACK) || !strcmp(x->kind, "case.transferred/1");
}

void judge_hands(const struct telling *t, struct hands_of *h)
{
    *h = (struct hands_of){.opening = NULL};
    for (int i = 0; i < t->count; i++) {
        const struct told *x = &t->list[i];
        int64_t no = told_int(x, "custody_no");
        if (!counts(x))
            continue;
        if (is(x, OPENS)) {
            if (h->opening)
                breach("%s is opened twice, by %s and by %s", x->dossier, h->opening->by, x->by);
            h->opening = x;
            told_text(x, rule_of(x)->place, h->at[1], 13);
            h->top = h->top ? h->top : 1;
        } else if (moves(x) && no > 1 && no <= HANDS_MAX) {
            if (h->at[no][0])
                breach("%s has two custodies %lld", x->dossier, (long long)no);
            told_text(x, "to", h->at[no], 13);
            h->top = (int)no > h->top ? (int)no : h->top;
        } else if (moves(x)) {
            breach("%s moves on under custody %lld", x->dossier, (long long)no);
        }
    }
}

bool judge_part(const struct hands_of *h, const char *who)
{
    char community[32];

    if (!h->opening)
        return false;
    told_text(h->opening, "community", community, sizeof community);
    bool part = code_within(h->opening->by, who) || code_within(community, who);
    for (int i = 1; i <= h->top && !part; i++)
        part = code_within(h->at[i], who);
    return part;
}

/* The newest assignment that counts, up to number no. */
static const struct told *assignment(const struct telling *t, int64_t no)
{
    const struct told *found = NULL;

    for (int i = 0; i < t->count; i++)
        if (counts(&t->list[i]) && !strcmp(t->list[i].kind, "delivery.assigned/1") &&
            told_int(&t->list[i], "no") == no)
            found = &t->list[i];
    return found;
}

static const char *may_carry(const struct telling *t, const struct hands_of *h,
                             const struct told *x)
{
    const struct told *a = assignment(t, told_int(x, "no"));
    char holder[32] = "";

    if (a)
        told_text(a, "holder", holder, sizeof holder);
    if (holder[0] && !code_within(holder, x->by))
        return "a step of a delivery that another carries";
    return judge_part(h, x->by) ? NULL : "a step of a delivery by who has no part";
}

static const char *may_revoke(const struct telling *t, const struct hands_of *h,
                              const struct told *x)
{
    char number[40], each[40];

    told_text(x, "number", number, sizeof number);
    for (int i = 0; i < t->count; i++) {
        const struct told *y = &t->list[i];
        if (strcmp(y->kind, "certificate.issued/1") || !counts(y))
            continue;
        told_text(y, "number", each, sizeof each);
        if (!strcmp(each, number) && code_within(y->by, x->by))
            return NULL;
    }
    return judge_part(h, x->by) && !counts(x)
               ? NULL
               : "a result revoked by who neither issued it nor is above him";
}

static const char *may_overrule(const struct telling *t, const struct told *x)
{
    char id[40];

    told_text(x, "id", id, sizeof id);
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->list[i].id, id))
            return above(x->by, t->list[i].by) ? NULL : "overruled by who is not above";
    return counts(x) ? NULL : "it overrules nothing that is here";
}

const char *judge_now(const struct telling *t, const struct hands_of *h, const struct told *x)
{
    const struct rule *r = rule_of(x);
    int64_t no = told_int(x, "custody_no");

    if (!r)
        return counts(x) ? "of a kind that nobody knows" : NULL;
    if (r->who != OPENS && r->who != OVERRULES && !h->opening)
        return "in a dossier that is not opened";
    switch (r->who) {
    case OPENS:
        return NULL;
    case IN_HAND:
        if (moves(x) && !counts(x)) /* it lost against another, or against its own past */
            return held(h, x->by) ? NULL : "handed on by who never had it in hand";
        if (moves(x)) /* under the number before */
            no--;
        if (no < 1 || no > h->top || strcmp(h->at[no], x->by))
            return "it was not in the hands of its author";
        return moves(x) && !directly_above(h->at[no], h->at[no + 1]) &&
                       !directly_above(h->at[no + 1], h->at[no])
                   ? "handed on past the office above"
                   : NULL;
    case TAKES_BACK:
        if (!counts(x))
            return held(h, x->by) ? NULL : "taken back by who never had it in hand";
        return no > 1 && no <= h->top && directly_above(x->by, h->at[no - 1]) &&
                       !strcmp(h->at[no], x->by)
                   ? NULL
                   : "taken back from who is no community of its author";
    case HAS_PART:
        return judge_part(h, x->by) ? NULL : "by a site that has no part in it";
    case OWNS:
        return !strcmp(h->at[1], x->by) ? NULL : "by who does not own it";
    case CARRIES:
        return may_carry(t, h, x);
    case ISSUER:
        return may_revoke(t, h, x);
    case OVERRULES:
        return may_overrule(t, x);
    case DISTRICT:
    case ABOVE:
    case PARENT:
    case LENDS:
    case ITSELF:
        break;
    }
    return "a fact in a dossier";
}
