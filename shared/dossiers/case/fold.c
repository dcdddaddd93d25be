/* One function per kind, in a table. Each answers NULL, or why the event does not stand. */
#include "dossiers/case/state.h"

#include "base/ids.h"
#include "base/text.h"
#include "office/blocks.h"
#include "office/papers.h"
#include "office/view.h"

#include <assert.h>
#include <stdlib.h>

#define PROMISED_MS_MAX 253402271999999LL /* the end of 9999 */
#define TRIPS_MAX 20                      /* that nobody had to make, of one case */
#define ASKED_MAX 1000                    /* requests for corrections */
#define PAPERS_MAX 1000                   /* papers, and the materials that they are for */

/* ---- filing, papers ---------------------------------------------------------------------------*/

/* A number that people read or that is added up: what lies outside is none. */
static int64_t between(const struct json *record, const char *key, int64_t least, int64_t most)
{
    int64_t n = json_get_int(record, key, 0);

    return n < least || n > most ? 0 : n;
}

static const char *on_filed(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    s->filing = x->record;
    s->person = x->personal;
    s->filed_ms = x->at_ms;
    s->promised_ms = between(x->record, "promised_ms", 0, PROMISED_MS_MAX);
    s->trips = between(x->record, "baseline_trips", 0, TRIPS_MAX);
    s->certificate_no = "";
    COPY_TEXT(s->filed_at, x->site);
    COPY_TEXT(s->state,
              text_is(json_get_text(x->record, "state"), "draft") ? "draft" : "submitted");
    s->materials = json_get(x->personal, "materials");
    if (!papers_fit(s->materials, &s->paper_count) || s->paper_count > PAPERS_MAX) {
        s->materials = NULL;
        s->paper_count = 0;
    }
    return NULL;
}

static const char *on_submitted(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    (void)x;
    if (text_is(s->state, "draft"))
        COPY_TEXT(s->state, "submitted");
    return NULL;
}

/* The materials as the filing says, until somebody adds to them. */
static struct json *own_materials(struct case_state *s)
{
    if (!s->own_materials) {
        s->own_materials = s->materials ? json_copy(s->materials) : json_array();
        s->materials = s->own_materials;
    }
    return s->own_materials;
}

static struct json *material_named(struct json *list, const char *code)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (text_is(json_get_text(json_at(list, i), "code"), code))
            return json_at(list, i);
    return NULL;
}

static void add_documents(struct json *to, const struct json *from)
{
    struct json *docs = json_get(to, "documents");

    if (!docs) {
        json_set(to, "documents", json_array());
        docs = json_get(to, "documents");
    }
    for (size_t i = 0; i < json_count(from); i++)
        json_push(docs, json_copy(json_at(from, i)));
    json_del(to, "later");
}

static void add_papers(struct case_state *s, const struct json *given)
{
    struct json *materials;
    size_t n;

    if (!papers_fit(given, &n) || s->paper_count + n > PAPERS_MAX)
        return;
    s->paper_count += n;
    materials = own_materials(s);
    for (size_t i = 0; i < json_count(given); i++) {
        const char *code = json_get_text(json_at(given, i), "code");
        struct json *m = material_named(materials, code);
        if (!m) {
            struct json *fresh = json_object();
            json_set_text(fresh, "code", code);
            json_push(materials, fresh);
            m = material_named(materials, code);
        }
        add_documents(m, json_get(json_at(given, i), "documents"));
    }
}

/* Papers commute: whatever has happened meanwhile elsewhere, they belong to the case. What is no list
 * of papers, or is more than one case can have, adds none; the step stands, for its personal part may
 * be gone altogether. */
static const char *on_supplemented(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    add_papers(s, json_get(x->personal, "materials"));
    if (text_is(s->state, "correction_required") &&
        json_get_int(x->record, "asked", 0) == s->asked_no) {
        COPY_TEXT(s->state, s->before_supplement);
        s->asked = NULL;
    }
    return NULL;
}

/* ---- steps of the custodian -------------------------------------------------------------------*/

static bool undecided(const struct case_state *s)
{
    return word_in(" draft submitted accepted correction_required ", s->state);
}

/* What was done before it was heard that another had decided is moot, and nobody's fault. */
static const char *on_accepted(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    (void)x;
    if (undecided(s))
        COPY_TEXT(s->state, "accepted");
    return NULL;
}

static const char *on_supplement_requested(void *state, const struct dossier *d,
                                           struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    if (!undecided(s))
        return NULL;
    if (!between(x->record, "no", 1, ASKED_MAX))
        return "a request for corrections has a number from 1 on";
    if (!text_is(s->state, "correction_required"))
        COPY_TEXT(s->before_supplement, text_is(s->state, "accepted") ? "accepted" : "submitted");
    COPY_TEXT(s->state, "correction_required");
    s->asked = text_or(json_get_text(x->personal, "reason"), "");
    s->asked_no = json_get_int(x->record, "no", 0);
    return NULL;
}

static const char *on_suspended(void *state, const struct dossier *d, struct dossier_event *x)
{
    (void)d;
    (void)x;
    ((struct case_state *)state)->suspended = true;
    return NULL;
}

static const char *on_resumed(void *state, const struct dossier *d, struct dossier_event *x)
{
    (void)d;
    (void)x;
    ((struct case_state *)state)->suspended = false;
    return NULL;
}

/* The one decision that stands; all others have been set aside before. */
static const char *on_decided(void *state, const struct dossier *d, struct dossier_event *x)
{
    static const char *const ends[][2] = {{"case.granted/1", "granted"},
                                          {"case.refused/1", "refused"},
                                          {"case.not_accepted/1", "not_accepted"},
                                          {"case.withdrawn/1", "withdrawn"}};
    struct case_state *s = state;

    assert(x == d->decision);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (text_is(ends[i][0], x->ev.kind))
            COPY_TEXT(s->state, ends[i][1]);
    s->asked = NULL;
    return NULL;
}

/* ---- results ----------------------------------------------------------------------------------*/

static void note_overruled(struct case_state *s, const struct dossier_event *x)
{
    if (s->overruled_count == CASE_OVERRULED_MAX)
        return; /* more offices than one case ever passes through have issued */
    struct overruled *o = &s->overruled[s->overruled_count++];
    o->number = text_or(json_get_text(x->record, "number"), "");
    o->issued_ms = x->at_ms;
    COPY_TEXT(o->by, x->site);
    COPY_TEXT(o->street, x->ev.street);
}

static void overrule(struct dossier_event *x, const char *why)
{
    x->verdict = VERDICT_ASIDE;
    x->why = why;
}

/* What number_certificate() makes: the catalogue's prefix, the year, the street of who issues, a number
 * of his block. */
static bool of_issuer(const char *number, const char *site)
{
    size_t n = number ? strlen(number) : 0;

    if (n < 20 || n > 31 || strspn(number + n - 19, "0123456789") != 19)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)number[i] <= ' ')
            return false;
    return !strncmp(number + n - 15, site, 9);
}

static const char *on_issued(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;
    if (!of_issuer(json_get_text(x->record, "number"), x->site))
        return dossier_event_deny(x, "its number is not one of who issues it");
    bool granted = d->decision && text_is(d->decision->ev.kind, "case.granted/1");

    if (!granted || x->custody_no < d->decision->custody_no) {
        note_overruled(s, x);
        return d->decision ? "a later custodian has decided otherwise: the result is not valid"
                           : "no decision grants it: the result is not valid";
    }
    if (s->issued && s->issued->custody_no == x->custody_no) {
        note_overruled(s, x);
        return "the result was issued before";
    }
    if (s->issued) { /* by a custodian before this one, who had not heard of it */
        note_overruled(s, s->issued);
        overrule(s->issued, "a later custodian has issued the result: this one is not valid");
    }
    s->issued = x;
    s->certificate_no = text_or(json_get_text(x->record, "number"), "");
    s->completed_ms = x->at_ms;
    COPY_TEXT(s->state, "completed");
    return NULL;
}

static const char *on_revoked(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    if (!s->issued || !text_is(json_get_text(x->record, "number"), s->certificate_no))
        return "no such certificate";
    if (!division_within(s->issued->site, x->site))
        return dossier_event_deny(x, "only who issued a result, or an office above it, revokes it");
    s->revoked = true;
    return NULL;
}

static const char *on_ordered(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct case_state *s = state;
    struct case_delivery *y = &s->delivery;

    if (!s->issued || x->custody_no < s->issued->custody_no)
        return "a delivery is ordered for a result that is there";
    if (y->order && y->order->custody_no >= s->issued->custody_no)
        return "a delivery is ordered once";
    if (y->order)
        overrule((struct dossier_event *)(uintptr_t)y->order,
                 "a later custodian has ordered the delivery of another result");
    *y = (struct case_delivery){.order = x};
    snprintf(y->id, sizeof y->id, "%.24s-1", d->id);
    COPY_TEXT(y->method, json_get_text(x->record, "method"));
    COPY_TEXT(y->waybill, json_get_text(x->record, "waybill"));
    COPY_TEXT(y->state, "ordered");
    return NULL;
}

/* ---- what commutes ----------------------------------------------------------------------------*/

static const char *on_step(void *state, const struct dossier *d, struct dossier_event *x)
{
    return delivery_step_note(state, d, x);
}

static const char *on_withdrawal_asked(void *state, const struct dossier *d,
                                       struct dossier_event *x)
{
    struct case_state *s = state;

    (void)d;
    (void)x;
    s->withdrawal_asked = undecided(s);
    return NULL;
}

static const char *on_rated(void *state, const struct dossier *d, struct dossier_event *x)
{
    int64_t score = between(x->record, "score", 1, 5);

    (void)d;
    if (!score)
        return "a score is 1 to 5";
    ((struct case_state *)state)->rating = score;
    return NULL;
}

static const char *on_visit(void *state, const struct dossier *d, struct dossier_event *x)
{
    (void)d;
    (void)x;
    ((struct case_state *)state)->visits++;
    return NULL;
}

/* ---- the table --------------------------------------------------------------------------------*/

#define FILING                                                                                     \
    " item item_version item_name item_name_en decided_at take_back result baseline_trips "        \
    "community custodian channel state promised_ms "
#define UNDER " custody_no "

const struct event_kind case_kinds[CASE_KIND_COUNT] = {
    {"case.filed/1", "已提交申请", "Filed", MAY_OPEN, KIND_OPENS, "custodian", FILING, on_filed},
    {"case.submitted/1", "已提交", "Submitted", MAY_PART, KIND_QUIET, NULL, NULL, on_submitted},
    {"case.accepted/1", "已受理", "Accepted", MAY_CUSTODIAN, 0, NULL, UNDER, on_accepted},
    {"case.supplement_requested/1", "需要补正", "Corrections asked for", MAY_CUSTODIAN, 0, NULL,
     " custody_no no ", on_supplement_requested},
    {"case.supplemented/1", "已补交材料", "Papers handed in", MAY_PART, 0, NULL, " asked ",
     on_supplemented},
    {"case.not_accepted/1", "不予受理", "Not accepted", MAY_CUSTODIAN, KIND_DECIDES, NULL, UNDER,
     on_decided},
    {"case.granted/1", "审批通过", "Approved", MAY_CUSTODIAN, KIND_DECIDES, NULL, UNDER,
     on_decided},
    {"case.refused/1", "不予许可", "Refused", MAY_CUSTODIAN, KIND_DECIDES, NULL, UNDER, on_decided},
    {"case.withdrawal_asked/1", "申请人要求撤回", "Withdrawal asked for", MAY_PART, KIND_QUIET,
     NULL, NULL, on_withdrawal_asked},
    {"case.withdrawn/1", "已撤回", "Withdrawn", MAY_CUSTODIAN, KIND_DECIDES, NULL, UNDER,
     on_decided},
    {"case.transferred/1", "已转办", "Handed on", MAY_CUSTODIAN, KIND_MOVES, NULL,
     " custody_no to ", NULL},
    {"case.taken_back/1", "上级收回办理", "Taken back by the parent office", MAY_TAKE_BACK,
     KIND_MOVES, NULL, " custody_no to ", NULL},
    {"certificate.issued/1", "已出证", "Result issued", MAY_CUSTODIAN, 0, NULL,
     " custody_no number ", on_issued},
    {"certificate.revoked/1", "证件已撤销", "Result revoked", MAY_PART, 0, NULL, " number ",
     on_revoked},
    {"delivery.ordered/1", "已安排送达", "Delivery ordered", MAY_CUSTODIAN, 0, NULL,
     " custody_no method waybill ", on_ordered},
    {"delivery.assigned/1", "已指派送达人", "Delivery assigned", MAY_PART, 0, NULL,
     " no holder to waybill ", on_step},
    {"delivery.picked_up/1", "已取件", "Collected", MAY_PART, 0, NULL, " no ", on_step},
    {"delivery.in_transit/1", "运送中", "In transit", MAY_PART, 0, NULL, " no ", on_step},
    {"delivery.handed_over/1", "已送达", "Handed over", MAY_PART, 0, NULL, " no ", on_step},
    {"delivery.failed/1", "未能送达", "Not delivered", MAY_PART, 0, NULL, " no ", on_step},
    {"delivery.returned/1", "已退回", "Returned", MAY_PART, 0, NULL, " no ", on_step},
    {"case.rated/1", "已评价", "Rated", MAY_PART, KIND_QUIET, NULL, " score ", on_rated},
    {"case.noted/1", "备注", "Note", MAY_PART, KIND_QUIET, NULL, NULL, NULL},
    {"visit.recorded/1", "到场记录", "A visit to the office", MAY_PART, KIND_QUIET, NULL, NULL,
     on_visit},
    /* What came later stands behind. */
    {"case.suspended/1", "已中止办理", "Suspended", MAY_CUSTODIAN, KIND_CRITICAL, NULL, UNDER,
     on_suspended},
    {"case.resumed/1", "已恢复办理", "Resumed", MAY_CUSTODIAN, KIND_CRITICAL, NULL, UNDER,
     on_resumed},
};

/* ---- who may decide ---------------------------------------------------------------------------*/

bool tier_decides(const struct json *decided_at, enum tier tier)
{
    for (size_t i = 0; i < json_count(decided_at); i++)
        for (int t = TIER_DISTRICT; t <= TIER_COMMUNITY; t++)
            if (text_is(json_value_text(json_at(decided_at, i)), tier_name((enum tier)t)) &&
                t >= (int)tier)
                return true;
    return false;
}

const char *case_forbids(const struct dossier *d, const struct dossier_event *x)
{
    static const char weighed[] =
        " case.granted/1 case.refused/1 certificate.issued/1 case.suspended/1 case.resumed/1 ";
    enum tier tier;

    if (!word_in(weighed, x->ev.kind) || !division_tier(x->site, &tier) ||
        tier_decides(json_get(d->opening->record, "decided_at"), tier))
        return NULL;
    return "its item is decided by a higher office";
}

/* ---- the rest of the type ---------------------------------------------------------------------*/

void case_settle(void *state, const struct dossier *d)
{
    struct case_state *s = state;

    if (s->delivery.order && s->delivery.order->verdict != VERDICT_APPLIED)
        s->delivery = (struct case_delivery){.order = NULL};
    if (s->withdrawal_asked && !undecided(s))
        s->withdrawal_asked = false;
    delivery_settle(s, d);
}

bool case_holds(const void *state)
{
    return ((const struct case_state *)state)->own_materials;
}

void case_finish(void *state)
{
    struct case_state *s = state;

    json_free(s->own_materials);
    json_free(s->timeline);
    json_free(s->delivery.steps);
    s->own_materials = s->timeline = s->delivery.steps = NULL;
}

/* The number that p begins with, of at most n digits. */
static int64_t digits(const char *p, int n)
{
    int64_t out = 0;

    while (n-- && *p >= '0' && *p <= '9')
        out = out * 10 + (*p++ - '0');
    return out;
}

static void waybill_number(const struct dossier_event *x, struct marks *m)
{
    const char *waybill = json_get_text(x->record, "waybill");

    if (waybill && s10_check(waybill))
        marks_note(m, "waybill", x->site, "", digits(waybill + 2, 8));
}

static void certificate_number(const struct dossier_event *x, struct marks *m)
{
    const char *number = text_or(json_get_text(x->record, "number"), "");
    size_t n = strlen(number);

    if (n > 6)
        marks_note(m, "certificate", x->site, "", strtoll(number + n - 6, NULL, 10));
}

void case_numbers(const struct dossier_event *x, struct marks *m)
{
    const char *no = x->ev.dossier; /* 21 digits */
    char day[7] = "";

    if (text_is(x->ev.kind, "case.filed/1")) {
        memcpy(day, no + 9, 6);
        marks_note(m, "case", x->site, day, digits(no + 15, 5));
    } else if (text_is(x->ev.kind, "certificate.issued/1")) {
        certificate_number(x, m);
    } else if (!strncmp(x->ev.kind, "delivery.", 9)) {
        waybill_number(x, m);
    }
}

/* ---- telling ----------------------------------------------------------------------------------*/

void case_tell(const struct dossier *d, struct case_state *s)
{
    s->timeline = view_lines(d);
    s->delivery.steps = json_array();
    for (size_t i = 0; i < json_count(s->timeline); i++) {
        struct json *line = json_at(s->timeline, i);
        if (!strncmp(json_get_text(line, "kind"), "delivery.", 9))
            json_push(s->delivery.steps, json_ref(line));
    }
}

enum err case_load(struct office *o, struct db *db, const char *case_no, struct dossier *d,
                   struct case_state **ret, struct errmsg *e)
{
    /* Ids of other kinds of work begin with a letter. */
    enum err err = dossier_street9(case_no) == case_no ? dossier_load(o->work, db, case_no, d, e)
                                                       : ERR_NOT_FOUND;

    if (err != OK)
        return err;
    if (!d->opening) {
        dossier_close(d);
        return ERR_NOT_FOUND;
    }
    *ret = d->state;
    return OK;
}
