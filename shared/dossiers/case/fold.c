/* One function per kind, in a table. Each answers NULL, or why the event does not fit. */
#include "dossiers/case/fold.h"

#include "base/ids.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define COPY(dst, src) snprintf((dst), sizeof(dst), "%s", (src) ? (src) : "")

static bool is(const char *a, const char *b)
{
    return !strcmp(a, b);
}

static const struct json *keep(struct case_state *s, struct json *j)
{
    if (s->kept_count == s->kept_cap) {
        s->kept_cap = s->kept_cap ? s->kept_cap * 2 : 16;
        s->kept = mem_realloc(s->kept, sizeof *s->kept * (size_t)s->kept_cap);
    }
    return s->kept[s->kept_count++] = j;
}

static int64_t at_ms(const struct event *ev)
{
    return (int64_t)(ev->hlc >> 16);
}

/* The materials as the filing says, until somebody adds to them. */
static struct json *own_materials(struct case_state *s)
{
    if (!s->own_materials) {
        s->own_materials = json_is_array(s->materials) ? json_copy(s->materials) : json_array();
        s->materials = keep(s, s->own_materials);
    }
    return s->own_materials;
}

/* ---- custody ----------------------------------------------------------------------------------*/

/* The event must be the custodian's, under the present custody number. */
static const char *not_custodian(const struct case_state *s, const struct event *ev,
                                 const struct json *b)
{
    char site[13];

    event_site(ev->origin, site);
    if (json_get_int(b, "custody_no", 0) != s->custody_no || !is(site, s->custodian))
        return "not the custodian of the case";
    return NULL;
}

static const char *overruled(const struct case_state *s, const struct json *b)
{
    return json_get_int(b, "custody_no", 0) < s->decided_custody ? "a later custodian has decided"
                                                                 : NULL;
}

static const char *take_custody(struct case_state *s, const char *to, int64_t no)
{
    if (!to || strlen(to) != 12 || no != s->custody_no + 1 ||
        s->custodian_count == FOLD_CUSTODIANS_MAX)
        return "not the next custody of the case";
    s->custody_no = no;
    COPY(s->custodian, to);
    COPY(s->custodians[s->custodian_count], to);
    s->custodian_count++;
    return NULL;
}

static bool open_state(const struct case_state *s)
{
    return is(s->state, "draft") || is(s->state, "submitted") || is(s->state, "accepted") ||
           is(s->state, "correction_required");
}

/* ---- kinds ------------------------------------------------------------------------------------*/

static const char *on_filed(struct case_state *s, const struct event *ev, const struct json *b)
{
    if (s->filed)
        return "the case is filed already";
    s->filed = true;
    s->filing = b;
    s->street = ev->street;
    s->filed_ms = at_ms(ev);
    event_site(ev->origin, s->filed_at);
    COPY(s->state, json_get_text(b, "state"));
    if (!is(s->state, "draft"))
        COPY(s->state, "submitted");
    s->materials = json_get(b, "materials");
    return take_custody(s, json_get_text(b, "custodian"), 1);
}

static const char *on_submitted(struct case_state *s, const struct event *ev, const struct json *b)
{
    (void)ev;
    (void)b;
    if (!is(s->state, "draft"))
        return "only a draft is submitted";
    COPY(s->state, "submitted");
    return NULL;
}

static const char *on_accepted(struct case_state *s, const struct event *ev, const struct json *b)
{
    const char *why = not_custodian(s, ev, b);

    /* Who turned it away did not know of this: nobody turns away what is accepted. */
    if (!why && json_get_int(b, "custody_no", 0) < s->turned_away_custody)
        why = "a later custodian has decided";
    if (!why && !is(s->state, "submitted"))
        why = "only a submitted case is accepted";
    if (!why)
        COPY(s->state, "accepted");
    return why;
}

static const char *on_supplement_requested(struct case_state *s, const struct event *ev,
                                           const struct json *b)
{
    const char *why = not_custodian(s, ev, b);

    if (!why && !is(s->state, "submitted") && !is(s->state, "accepted"))
        why = "nothing can be asked for in this state";
    if (why)
        return why;
    COPY(s->before_supplement, s->state);
    COPY(s->state, "correction_required");
    s->asked = json_get_text(b, "reason");
    return NULL;
}

static struct json *material_of(struct json *list, const char *code)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const char *c = json_get_text(json_at(list, i), "code");
        if (c && code && is(c, code))
            return json_at(list, i);
    }
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
        json_push(docs, json_ref(json_at(from, i)));
    json_del(to, "later");
}

static const char *on_supplemented(struct case_state *s, const struct event *ev,
                                   const struct json *b)
{
    const struct json *given = json_get(b, "materials");
    struct json *materials = own_materials(s);

    (void)ev;
    /* Papers commute: whatever has happened meanwhile elsewhere, they belong to the case. */
    for (size_t i = 0; i < json_count(given); i++) {
        const struct json *g = json_at(given, i);
        struct json *m = material_of(materials, json_get_text(g, "code"));
        if (!m) {
            struct json *fresh = json_object();
            json_set_text(fresh, "code", json_get_text(g, "code"));
            json_push(materials, fresh);
            m = material_of(materials, json_get_text(g, "code"));
        }
        if (m)
            add_documents(m, json_get(g, "documents"));
    }
    if (is(s->state, "correction_required"))
        COPY(s->state, is(s->before_supplement, "accepted") ? "accepted" : "submitted");
    s->asked = NULL;
    return NULL;
}

static const char *on_not_accepted(struct case_state *s, const struct event *ev,
                                   const struct json *b)
{
    const char *why = overruled(s, b);

    if (!why)
        why = not_custodian(s, ev, b);
    if (!why && !is(s->state, "submitted"))
        why = "only a submitted case is not accepted";
    if (!why)
        COPY(s->state, "not_accepted");
    return why;
}

static const char *decide(struct case_state *s, const struct event *ev, const struct json *b,
                          const char *state)
{
    const char *why = overruled(s, b);

    if (!why)
        why = not_custodian(s, ev, b);
    if (!why && !is(s->state, "accepted"))
        why = "only an accepted case is decided";
    if (!why)
        snprintf(s->state, sizeof s->state, "%s", state);
    return why;
}

static const char *on_granted(struct case_state *s, const struct event *ev, const struct json *b)
{
    return decide(s, ev, b, "granted");
}

static const char *on_refused(struct case_state *s, const struct event *ev, const struct json *b)
{
    return decide(s, ev, b, "refused");
}

static const char *on_withdrawn(struct case_state *s, const struct event *ev, const struct json *b)
{
    (void)ev;
    (void)b;
    if (!open_state(s))
        return "only an open case is withdrawn";
    COPY(s->state, "withdrawn");
    return NULL;
}

static const char *on_transferred(struct case_state *s, const struct event *ev,
                                  const struct json *b)
{
    char site[13];

    event_site(ev->origin, site);
    if (!is(site, s->custodian))
        return "not the custodian of the case";
    if (!open_state(s))
        return "only an open case is handed on";
    return take_custody(s, json_get_text(b, "to"), json_get_int(b, "custody_no", 0));
}

static const char *on_taken_back(struct case_state *s, const struct event *ev, const struct json *b)
{
    char site[13], parent[13];
    const char *to = json_get_text(b, "to");
    enum tier tier;

    event_site(ev->origin, site);
    if (!to || !is(site, to) || !division_parent(s->custodian, parent) || !is(site, parent) ||
        !division_tier(site, &tier) || tier != TIER_STREET)
        return "only a street takes a case back, from its own community";
    /* A grant that came from behind a dead line stands, but its custody has gone on: the parent
     * issues. Else both could, each rightly by what it had heard. */
    if (!open_state(s) && !is(s->state, "granted"))
        return "only an open case is taken back";
    return take_custody(s, to, json_get_int(b, "custody_no", 0));
}

static const char *on_certificate_issued(struct case_state *s, const struct event *ev,
                                         const struct json *b)
{
    const char *why = overruled(s, b);

    if (!why)
        why = not_custodian(s, ev, b);
    if (!why && !is(s->state, "granted"))
        why = "only for a granted case a certificate is issued";
    if (why)
        return why;
    COPY(s->state, "completed");
    s->certified = true;
    s->completed_ms = s->issued_ms = at_ms(ev);
    COPY(s->certificate_no, json_get_text(b, "number"));
    COPY(s->certificate_street, ev->street);
    event_site(ev->origin, s->certificate_by);
    s->token = json_get_text(b, "token");
    return NULL;
}

static const char *on_certificate_revoked(struct case_state *s, const struct event *ev,
                                          const struct json *b)
{
    const char *number = json_get_text(b, "number");

    (void)ev;
    if (!s->certified || s->revoked || !number || !is(number, s->certificate_no))
        return "no such certificate";
    s->revoked = true;
    return NULL;
}

static const char *on_delivery_ordered(struct case_state *s, const struct event *ev,
                                       const struct json *b)
{
    struct case_delivery *d = &s->delivery;
    const char *why = overruled(s, b);

    if (!why)
        why = not_custodian(s, ev, b);
    if (!why && (!s->certified || d->ordered))
        why = "a delivery is ordered once, for a result that is there";
    if (why)
        return why;
    d->ordered = true;
    d->order = b;
    d->ordered_ms = at_ms(ev);
    COPY(d->id, json_get_text(b, "id"));
    COPY(d->method, json_get_text(b, "method"));
    COPY(d->state, "ordered");
    COPY(d->waybill, json_get_text(b, "waybill"));
    return NULL;
}

bool fold_delivery_allows(const char *method, const char *state, const char *action)
{
    static const char *const rows[][3] = {
        /* action, states, methods */
        {"assign", " ordered failed ", " agent courier "},
        {"pick_up", " assigned ", " agent courier "},
        {"in_transit", " picked_up ", " courier "},
        {"hand_over", " picked_up in_transit ", " agent courier "},
        {"hand_over", " ordered ", " pickup "},
        {"fail", " picked_up in_transit ", " agent courier "},
        {"return", " failed ", " agent courier "},
    };
    char s[24], m[24];

    snprintf(s, sizeof s, " %.16s ", state);
    snprintf(m, sizeof m, " %.16s ", method);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is(rows[i][0], action) && strstr(rows[i][1], s) && strstr(rows[i][2], m))
            return true;
    return false;
}

static const char *on_delivery_step(struct case_state *s, const struct event *ev,
                                    const struct json *b)
{
    static const char *const steps[][3] = {
        {"delivery.assigned/1", "assign", "assigned"},
        {"delivery.picked_up/1", "pick_up", "picked_up"},
        {"delivery.in_transit/1", "in_transit", "in_transit"},
        {"delivery.handed_over/1", "hand_over", "handed_over"},
        {"delivery.failed/1", "fail", "failed"},
        {"delivery.returned/1", "return", "returned"},
    };
    struct case_delivery *d = &s->delivery;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!is(steps[i][0], ev->kind))
            continue;
        if (!d->ordered || !fold_delivery_allows(d->method, d->state, steps[i][1]))
            return "the delivery is not in a state for this step";
        COPY(d->state, steps[i][2]);
        if (json_get_text(b, "to"))
            COPY(d->courier, json_get_text(b, "to"));
        if (json_get_text(b, "waybill"))
            COPY(d->waybill, json_get_text(b, "waybill"));
        if (is(d->state, "handed_over")) {
            s->delivered_ms = at_ms(ev);
            COPY(s->state, "delivered");
        }
        return NULL;
    }
    return "an unknown step";
}

static const char *on_rated(struct case_state *s, const struct event *ev, const struct json *b)
{
    (void)ev;
    s->rating = json_get_int(b, "score", 0);
    return NULL;
}

static const char *on_noted(struct case_state *s, const struct event *ev, const struct json *b)
{
    (void)s;
    (void)ev;
    (void)b;
    return NULL;
}

static const char *on_visit(struct case_state *s, const struct event *ev, const struct json *b)
{
    (void)ev;
    (void)b;
    s->visits++;
    return NULL;
}

static const struct kind {
    const char *kind, *zh, *en;
    const char *(*fn)(struct case_state *, const struct event *, const struct json *);
} kinds[] = {
    {"case.filed/1", "已提交申请", "Filed", on_filed},
    {"case.submitted/1", "已提交", "Submitted", on_submitted},
    {"case.accepted/1", "已受理", "Accepted", on_accepted},
    {"case.supplement_requested/1", "需要补正", "Corrections asked for", on_supplement_requested},
    {"case.supplemented/1", "已补交材料", "Papers handed in", on_supplemented},
    {"case.not_accepted/1", "不予受理", "Not accepted", on_not_accepted},
    {"case.granted/1", "审批通过", "Approved", on_granted},
    {"case.refused/1", "不予许可", "Refused", on_refused},
    {"case.withdrawn/1", "已撤回", "Withdrawn", on_withdrawn},
    {"case.transferred/1", "已转办", "Handed on", on_transferred},
    {"case.taken_back/1", "上级收回办理", "Taken back by the parent office", on_taken_back},
    {"certificate.issued/1", "已出证", "Result issued", on_certificate_issued},
    {"certificate.revoked/1", "证件已撤销", "Result revoked", on_certificate_revoked},
    {"delivery.ordered/1", "已安排送达", "Delivery ordered", on_delivery_ordered},
    {"delivery.assigned/1", "已指派送达人", "Delivery assigned", on_delivery_step},
    {"delivery.picked_up/1", "已取件", "Collected", on_delivery_step},
    {"delivery.in_transit/1", "运送中", "In transit", on_delivery_step},
    {"delivery.handed_over/1", "已送达", "Handed over", on_delivery_step},
    {"delivery.failed/1", "未能送达", "Not delivered", on_delivery_step},
    {"delivery.returned/1", "已退回", "Returned", on_delivery_step},
    {"case.rated/1", "已评价", "Rated", on_rated},
    {"case.noted/1", "备注", "Note", on_noted},
    {"visit.recorded/1", "到场记录", "A visit to the office", on_visit},
};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (is(kinds[i].kind, name))
            return &kinds[i];
    return NULL;
}

bool fold_knows(const char *kind)
{
    return kind_of(kind);
}

/* ---- the fold ---------------------------------------------------------------------------------*/

/* The highest custody number under which its true custodian has decided; *ret_turned_away: has not
 * accepted. */
static int64_t highest_decision(const struct fold_event *events, int count,
                                int64_t *ret_turned_away)
{
    char at[FOLD_CUSTODIANS_MAX + 1][13] = {""};
    int64_t best = 0;

    for (int i = 0; i < count; i++) {
        const char *k = events[i].ev.kind;
        int64_t no = is(k, "case.filed/1") ? 1 : json_get_int(events[i].body, "custody_no", 0);
        const char *to = json_get_text(events[i].body, is(k, "case.filed/1") ? "custodian" : "to");
        bool moves =
            is(k, "case.filed/1") || is(k, "case.transferred/1") || is(k, "case.taken_back/1");
        if (moves && to && no >= 1 && no <= FOLD_CUSTODIANS_MAX && !at[no][0])
            COPY(at[no], to);
    }
    for (int i = 0; i < count; i++) {
        const char *k = events[i].ev.kind;
        int64_t no = json_get_int(events[i].body, "custody_no", 0);
        char site[13];
        event_site(events[i].ev.origin, site);
        bool away = is(k, "case.not_accepted/1");
        if ((!away && !is(k, "case.granted/1") && !is(k, "case.refused/1")) || no < 1 ||
            no > FOLD_CUSTODIANS_MAX || !is(at[no], site))
            continue;
        best = no > best ? no : best;
        if (away && no > *ret_turned_away)
            *ret_turned_away = no;
    }
    return best;
}

static void tell(struct case_state *s, const struct kind *k, const struct event *ev,
                 const struct json *b)
{
    struct json *line = json_object();
    char site[13], kind[40];
    const char *text = json_get_text(b, "reason");

    event_site(ev->origin, site);
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(ev->kind, "/"), ev->kind);
    json_set_int(line, "at_ms", at_ms(ev));
    json_set_text(line, "kind", kind);
    json_set_text(line, "title", k->zh);
    json_set_text(line, "title_en", k->en);
    json_set_text(line, "site", site);
    json_set_text(line, "actor_name", json_get_text(b, "by"));
    json_set_text(line, "text", text ? text : json_get_text(b, "text"));
    json_push(strncmp(ev->kind, "delivery.", 9) ? s->timeline : s->delivery.steps, line);
    if (!strncmp(ev->kind, "delivery.", 9))
        json_push(s->timeline, json_ref(line));
}

void fold_case(struct fold_event *events, int count, struct arena *a, struct case_state *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->arena = a;
    for (int i = 0; i < count; i++) {
        events[i].why = NULL;
        if (events[i].body)
            continue;
        if (json_parse(events[i].ev.record, events[i].ev.record_len, &events[i].body, NULL) != OK) {
            events[i].body = json_object();
            events[i].why = "the body is not JSON that this program reads";
        }
        keep(ret, events[i].body);
    }
    ret->decided_custody = highest_decision(events, count, &ret->turned_away_custody);
    for (int i = 0; i < count; i++) {
        const struct event *ev = &events[i].ev;
        const struct kind *k = kind_of(ev->kind);
        ret->case_no = ev->dossier;
        if (events[i].why)
            continue;
        if (!k)
            events[i].why = "this program does not know the kind";
        else if (!ret->filed && k->fn != on_filed)
            events[i].why = "the case is not filed yet";
        else
            events[i].why = k->fn(ret, ev, events[i].body);
        if (!events[i].why)
            ret->last_hlc = ev->hlc;
    }
}

void fold_tell(const struct fold_event *events, int count, struct case_state *s)
{
    s->timeline = json_array();
    s->delivery.steps = json_array();
    for (int i = 0; i < count; i++)
        if (!events[i].why)
            tell(s, kind_of(events[i].ev.kind), &events[i].ev, events[i].body);
}

void fold_finish(struct case_state *s)
{
    for (int i = 0; i < s->kept_count; i++)
        json_free(s->kept[i]);
    mem_free(s->kept);
    json_free(s->timeline);
    json_free(s->delivery.steps);
    memset(s, 0, sizeof *s);
}
