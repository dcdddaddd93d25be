/* What may be done with a case, and doing it. One table: an action, who may, where, and what it appends. */
#include "dossiers/case/actions.h"

#include "base/text.h"
#include "catalogue/items.h"
#include "dossiers/case/access.h"
#include "dossiers/case/case.h"
#include "dossiers/case/certificates.h"
#include "dossiers/case/delivery.h"
#include "dossiers/case/papers_check.h"
#include "ledger/link_rows.h"
#include "office/access.h"
#include "office/lease.h"
#include "office/say.h"
#include "office/sites.h"

struct doing {
    struct office *o;
    struct db *db;
    const struct caller *c;
    const struct dossier *d;
    struct case_state *s; /* of d */
    const struct json *in;
    struct problem *p;
    struct errmsg *e;
};

bool office_decides(const struct office *o, const struct json *decided_at)
{
    return tier_decides(decided_at, o->tier);
}

/* ---- doing ------------------------------------------------------------------------------------*/

static struct json *under_custody(const struct doing *d)
{
    struct json *b = json_object();

    json_set_int(b, "custody_no", d->d->custody.no);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return b;
}

static enum err say(struct doing *d, const char *kind, struct json *b)
{
    return office_say(d->o, d->db, kind, d->d->id, d->d->street, d->c, b, d->e);
}

static enum err do_submit(struct doing *d)
{
    return say(d, "case.submitted/1", json_object());
}

static enum err do_accept(struct doing *d)
{
    return say(d, "case.accepted/1", under_custody(d));
}

static enum err do_request_supplement(struct doing *d)
{
    struct json *b = under_custody(d);

    json_set_int(b, "no", d->s->asked_no + 1);
    return say(d, "case.supplement_requested/1", b);
}

static enum err do_refuse_acceptance(struct doing *d)
{
    return say(d, "case.not_accepted/1", under_custody(d));
}

static enum err do_approve(struct doing *d)
{
    return say(d, "case.granted/1", under_custody(d));
}

static enum err do_refuse(struct doing *d)
{
    return say(d, "case.refused/1", under_custody(d));
}

/* The custodian withdraws; who else has part asks for it. */
static enum err do_withdraw(struct doing *d)
{
    struct json *b;

    if (text_is(custody_holder(&d->d->custody), d->o->site))
        return say(d, "case.withdrawn/1", under_custody(d));
    b = json_object();
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return say(d, "case.withdrawal_asked/1", b);
}

static enum err do_suspend(struct doing *d)
{
    return say(d, "case.suspended/1", under_custody(d));
}

static enum err do_resume(struct doing *d)
{
    return say(d, "case.resumed/1", under_custody(d));
}

static enum err do_supplement(struct doing *d)
{
    const struct json *given = json_get(d->in, "materials");
    struct json *item = NULL, *papers = NULL, *b;
    enum err err = item_load(d->db, json_get_text(d->s->filing, "item"), &item, d->e);

    if (err == OK && (!json_is_array(given) || !json_count(given))) {
        problem_set(d->p, 422, "materials-missing", "materials", "a list of {code, documents}",
                    NULL, "请选择要补交的材料", "Choose the papers to hand in");
        err = ERR_INVALID;
    }
    if (err == OK)
        err = papers_check(d->db, item, given, &papers, d->p, d->e);
    json_free(item);
    if (err != OK)
        return err;
    b = json_object();
    json_set_int(b, "asked", d->s->asked ? d->s->asked_no : 0);
    json_set(b, "materials", papers);
    return say(d, "case.supplemented/1", b);
}

static enum err wrong_target(struct doing *d, const char *to)
{
    problem_set(d->p, 422, "transfer-target", "to", "the parent site or a child of this one", to,
                "只能转给上级或直接下级站点", "A case goes to the parent site or to a child");
    return ERR_INVALID;
}

/* A child must be there to take it: enrolled, and neither revoked nor lost. */
static enum err target_stands(struct doing *d, const char *to)
{
    enum site_standing standing;
    enum err err = site_standing_of(d->db, to, &standing, d->e);

    if (err != OK || standing == SITE_STANDS)
        return err;
    problem_set(d->p, 422, "transfer-target", "to", "a site that is enrolled", to,
                standing == SITE_UNKNOWN ? "没有这个站点，请从列表中选择"
                                         : "这个站点已停用，不能转给它",
                standing == SITE_UNKNOWN ? "There is no such site; choose one of the list"
                                         : "That site is not in use any more");
    return ERR_INVALID;
}

static enum err do_transfer(struct doing *d)
{
    const char *to = text_or(json_get_text(d->in, "to"), d->o->parent);
    char parent[13] = "";
    struct json *b;
    enum err err = OK;

    bool child = division_parent(to, parent) && text_is(parent, d->o->site);
    if (!to[0] || (!text_is(to, d->o->parent) && !child))
        return wrong_target(d, to);
    if (child && (err = target_stands(d, to)) != OK)
        return err;
    b = json_object();
    json_set_text(b, "to", to);
    json_set_int(b, "custody_no", d->d->custody.no + 1);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return say(d, "case.transferred/1", b);
}

static enum err do_take_back(struct doing *d)
{
    struct json *b = json_object();

    json_set_text(b, "to", d->o->site);
    json_set_int(b, "custody_no", d->d->custody.no + 1);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return say(d, "case.taken_back/1", b);
}

/* The one pass: whatever is still missing of accept, approve, issue, order delivery, in one
 * transaction. */
static enum err do_complete(struct doing *d)
{
    enum err err = OK;

    if (text_is(d->s->state, "submitted"))
        err = do_accept(d);
    if (err == OK && (text_is(d->s->state, "submitted") || text_is(d->s->state, "accepted")))
        err = do_approve(d);
    if (err == OK && !d->s->issued)
        err = certificate_issue(d->o, d->db, d->c, d->d, d->p, d->e);
    if (err == OK && !d->s->delivery.order)
        err = delivery_order(d->o, d->db, d->c, d->d, d->e);
    return err;
}

static enum err do_note(struct doing *d)
{
    struct json *b = json_object();

    json_set_text(b, "text", json_get_text(d->in, "text"));
    return say(d, "case.noted/1", b);
}

static enum err do_record_visit(struct doing *d)
{
    struct json *b = json_object();

    json_set_text(b, "text", json_get_text(d->in, "text"));
    return say(d, "visit.recorded/1", b);
}

static enum err do_rate(struct doing *d)
{
    int64_t score = json_get_int(d->in, "score", 0);
    struct json *b;

    if (score < 1 || score > 5) {
        problem_set(d->p, 422, "score", "score", "1 (very satisfied) to 5 (very dissatisfied)",
                    NULL, "请选择 1 至 5 的满意度", "Choose 1 to 5");
        return ERR_INVALID;
    }
    b = json_object();
    json_set_int(b, "score", score);
    json_set_text(b, "text", json_get_text(d->in, "text"));
    return say(d, "case.rated/1", b);
}

static enum err do_revoke(struct doing *d)
{
    struct json *b = json_object();

    json_set_text(b, "number", d->s->certificate_no);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return say(d, "certificate.revoked/1", b);
}

/* ---- the table --------------------------------------------------------------------------------*/

enum needs {
    CUSTODY = 1, /* this site must be the custodian */
    DECIDES = 2, /* ... and may decide the item, and its lease covers the case */
    REASON = 4,
    HIDDEN = 8,  /* possible, not offered as a button */
    LEASED = 16, /* its lease must cover the case: else the parent may be taking it back just now */
    WEIGHS =
        32, /* not while the case is suspended, nor under a take-back that only this disk knows */
};

/* NULL, or why it is not possible here and now: zh, en. */
typedef const char *const *place_fn(struct doing *d, enum err *err);
typedef bool fits_fn(const struct doing *d);

static place_fn withdraw_place, transfer_place, take_back_place;
static fits_fn complete_fits, revoke_fits, suspend_fits, resume_fits, withdraw_fits;

#define STAFF " agent clerk reviewer supervisor admin "
#define DECIDERS " agent clerk reviewer supervisor "
#define RESIDENT " resident "

static const struct action {
    const char *name, *states, *roles;
    unsigned needs;
    enum err (*fn)(struct doing *d);
    place_fn *place;
    fits_fn *fits;
} actions[] = {
    {"complete", " submitted accepted granted completed ", DECIDERS, CUSTODY | DECIDES | WEIGHS,
     do_complete, NULL, complete_fits},
    {"accept", " submitted ", STAFF, CUSTODY, do_accept, NULL, NULL},
    {"approve", " accepted ", DECIDERS, CUSTODY | DECIDES | WEIGHS, do_approve, NULL, NULL},
    {"request_supplement", " submitted accepted ", STAFF, CUSTODY | REASON, do_request_supplement,
     NULL, NULL},
    {"refuse_acceptance", " submitted ", STAFF, CUSTODY | LEASED | REASON | WEIGHS,
     do_refuse_acceptance, NULL, NULL},
    {"refuse", " accepted ", " clerk reviewer supervisor ", CUSTODY | DECIDES | REASON | WEIGHS,
     do_refuse, NULL, NULL},
    {"submit", " draft ", STAFF RESIDENT, 0, do_submit, NULL, NULL},
    {"supplement", " submitted accepted correction_required ", STAFF RESIDENT, 0, do_supplement,
     NULL, NULL},
    {"withdraw", " draft submitted accepted correction_required ", STAFF RESIDENT, REASON,
     do_withdraw, withdraw_place, withdraw_fits},
    {"suspend", " accepted ", " clerk reviewer supervisor ", CUSTODY | LEASED | REASON, do_suspend,
     NULL, suspend_fits},
    {"resume", " accepted ", " clerk reviewer supervisor ", CUSTODY | LEASED, do_resume, NULL,
     resume_fits},
    {"transfer", " submitted accepted correction_required ", STAFF, CUSTODY | LEASED | REASON,
     do_transfer, transfer_place, NULL},
    {"take_back", " submitted accepted correction_required draft ", " clerk reviewer supervisor ",
     REASON, do_take_back, take_back_place, NULL},
    {"rate", " completed delivered refused not_accepted ", RESIDENT, 0, do_rate, NULL, NULL},
    {"note",
     " draft submitted accepted correction_required granted completed delivered refused "
     "not_accepted withdrawn ",
     STAFF, HIDDEN, do_note, NULL, NULL},
    {"record_visit", " submitted accepted correction_required granted ", STAFF, HIDDEN,
     do_record_visit, NULL, NULL},
    {"revoke", " completed delivered ", " supervisor ", REASON | HIDDEN, do_revoke, NULL,
     revoke_fits},
};

#define ACTION_COUNT (sizeof actions / sizeof actions[0])

/* ---- may it be done? --------------------------------------------------------------------------*/

static bool complete_fits(const struct doing *d)
{
    return !text_is(d->s->state, "completed") || !d->s->delivery.order;
}

static bool revoke_fits(const struct doing *d)
{
    return d->s->issued && !d->s->revoked;
}

static bool suspend_fits(const struct doing *d)
{
    return !d->s->suspended;
}

static bool resume_fits(const struct doing *d)
{
    return d->s->suspended;
}

/* What has been asked for once need not be asked for again. */
static bool withdraw_fits(const struct doing *d)
{
    return !d->s->withdrawal_asked || text_is(custody_holder(&d->d->custody), d->o->site);
}

static bool state_fits(const struct action *a, const struct doing *d)
{
    return word_in(a->states, d->s->state) && (!a->fits || a->fits(d));
}

static bool role_fits(const struct action *a, const struct caller *c)
{
    return c->user[0] ? caller_is(c, a->roles) : strstr(a->roles, RESIDENT) != NULL;
}

static const char *const elsewhere[] = {"这件事项现在由其他站点办理",
                                        "Another site has this case in hand"};
static const char *const no_lease[] = {
    "离线时间过长，暂时不能决定或转办上级知道的事项，请先恢复网络",
    "Offline for too long: a case that the parent knows cannot be decided or handed on until the "
    "link "
    "is back"};

static const char *const *withdraw_place(struct doing *d, enum err *err)
{
    bool covered = true;

    if (text_is(custody_holder(&d->d->custody), d->o->site))
        *err = lease_covers(d->o, d->db, d->d, &covered, d->e);
    return covered ? NULL : no_lease;
}

static const char *const *transfer_place(struct doing *d, enum err *err)
{
    (void)err;
    return d->o->parent[0] ? NULL : elsewhere;
}

/* Only who promised the lease can know that it is over; and only from a community: a street may have
 * handed the case on, under leases of its own. What the community may have decided meanwhile nobody
 * here knows: the item says whether the street waits for it, or decides and overrules. */
static const char *const *take_back_place(struct doing *d, enum err *err)
{
    static const char *const not_yet[] = {"下级站点的办理期限未到，还不能收回",
                                          "The lower site still holds its lease: not yet"};
    static const char *const waits[] = {
        "这个事项要等社区恢复联系后再办；社区站点确已丢失的，请管理员登记为“丢失”",
        "This item waits until the community is heard again; if its site is lost for good, an "
        "administrator declares it lost"};
    const char *holder = custody_holder(&d->d->custody);
    enum site_standing standing = SITE_STANDS;
    char parent[13];
    bool over = false;

    if (d->o->tier != TIER_STREET || !division_parent(holder, parent) ||
        !text_is(parent, d->o->site))
        return elsewhere;
    if ((*err = lease_over(d->o, d->db, holder, &over, d->e)) != OK || !over)
        return not_yet;
    if (text_is(json_get_text(d->s->filing, "take_back"), "overrule"))
        return NULL;
    *err = site_standing_of(d->db, holder, &standing, d->e);
    return standing == SITE_LOST ? NULL : waits;
}

/* Has the office above the move by which this site took the case back? Else, if this disk died, the next
 * life of this site would not know of it, and the community's decision would stand beside ours. */
static enum err take_back_held(struct doing *d, bool *ret)
{
    const struct dossier_event *last = NULL;
    struct link_state up;
    enum err err;
    bool row;

    for (int i = 0; i < d->d->count; i++)
        if (d->d->events[i].moved && d->d->events[i].custody_no == d->d->custody.no)
            last = &d->d->events[i];
    *ret = true;
    if (!last || last->kind->may != MAY_TAKE_BACK || !text_is(last->site, d->o->site) ||
        !d->o->parent[0])
        return OK;
    if ((err = link_read(d->db, d->o->parent, &up, d->e)) != OK)
        return err;
    struct stmt *st = db_stmt(d->db, "SELECT up_pos FROM event WHERE origin = $1 AND seq = $2");
    bind_text(st, 1, last->ev.origin);
    bind_int(st, 2, (int64_t)last->ev.seq);
    if ((err = db_step(st, &row, d->e)) == OK && row &&
        !col_is_null(st, 0)) /* else it came from there */
        *ret = (uint64_t)col_int(st, 0) <= up.acked_pos;
    db_reset(st);
    return err;
}

/* NULL, or why this office may not do it now. */
static const char *const *place_fits(struct doing *d, const struct action *a, enum err *err)
{
    static const char *const higher[] = {"这个事项须由上级办理",
                                         "This item is decided by a higher office"};
    static const char *const suspended[] = {"这件已中止办理，恢复后才能决定",
                                            "This case is suspended: resume it first"};
    static const char *const unheld[] = {
        "刚从社区收回，等区里收到后才能决定，通常只要几秒",
        "Just taken back: it can be decided once the district has heard of it, in a few seconds"};
    static const char *const newer[] = {
        "这件有一步是较新版本程序记录的，本站程序须先升级；现在只能转给上级",
        "A newer program has taken a step in this case: this site's program must be upgraded "
        "first; it "
        "may only be handed to the office above"};
    bool good = true;

    if (d->d->read_only && (!text_is(a->name, "transfer") || !d->o->parent[0]))
        return newer;
    /* In whose hands it is: also of the person, who may have signed in at an office above his own. */
    if ((a->needs & CUSTODY) && (!text_is(custody_holder(&d->d->custody), d->o->site) ||
                                 !division_within(d->o->site, d->c->site)))
        return elsewhere;
    if ((a->needs & DECIDES) && !office_decides(d->o, json_get(d->s->filing, "decided_at")))
        return higher;
    if ((a->needs & WEIGHS) && d->s->suspended)
        return suspended;
    if (a->needs & (DECIDES | LEASED)) {
        *err = lease_covers(d->o, d->db, d->d, &good, d->e);
        if (!good)
            return no_lease;
    }
    if (*err == OK && (a->needs & WEIGHS)) {
        *err = take_back_held(d, &good);
        if (!good)
            return unheld;
    }
    return *err == OK && a->place ? a->place(d, err) : NULL;
}

static enum err allowed_now(struct doing *d, struct json **ret)
{
    struct json *list = json_array();
    enum err err = OK;

    for (size_t i = 0; err == OK && i < ACTION_COUNT; i++)
        if (!(actions[i].needs & HIDDEN) && state_fits(&actions[i], d) &&
            role_fits(&actions[i], d->c) && !place_fits(d, &actions[i], &err) && err == OK)
            json_push_text(list, actions[i].name);
    if (err == OK)
        *ret = list;
    else
        json_free(list);
    return err;
}

enum err case_actions(struct office *o, struct db *db, const struct caller *c,
                      const struct dossier *d, struct json **ret, struct errmsg *e)
{
    struct doing x = {o, db, c, d, d->state, NULL, NULL, e};

    return allowed_now(&x, ret);
}

enum err refuse_action(struct problem *p, const char *action, const struct json *allowed,
                       const char *state)
{
    char zh[120], en[120];

    snprintf(zh, sizeof zh, "当前状态（%.40s）不能进行这一步", state);
    snprintf(en, sizeof en, "This step is not possible in the state %.40s", state);
    problem_set(p, 409, "state-does-not-allow", "action", "one of allowed", action, zh, en);
    for (size_t i = 0; i < json_count(allowed); i++)
        problem_allow(p, json_value_text(json_at(allowed, i)));
    return ERR_CONFLICT;
}

static enum err refuse(struct doing *d, const struct action *a, const char *name,
                       const char *const *why)
{
    struct json *allowed = NULL;
    enum err err;

    if (!a) {
        problem_set(d->p, 422, "action-unknown", "action", "an action of this case (see actions)",
                    name, "没有这个操作", "There is no such action");
        return ERR_INVALID;
    }
    if (state_fits(a, d) && !role_fits(a, d->c)) {
        problem_set(d->p, 403, "role-not-allowed", "action", a->roles + 1, d->c->role,
                    "您的岗位没有这项权限", "Your role may not do this");
        return ERR_DENIED;
    }
    if ((err = allowed_now(d, &allowed)) != OK)
        return err;
    if (why)
        problem_set(d->p, 409, "not-here-or-not-now", "action", "one of allowed", name, why[0],
                    why[1]);
    else
        refuse_action(d->p, name, NULL, d->s->state);
    for (size_t i = 0; i < json_count(allowed); i++)
        problem_allow(d->p, json_value_text(json_at(allowed, i)));
    json_free(allowed);
    return ERR_CONFLICT;
}

static enum err act(struct doing *d)
{
    const char *name = text_or(json_get_text(d->in, "action"), "");
    const char *reason = json_get_text(d->in, "reason");
    const char *const *why = NULL;
    const struct action *a = NULL;
    enum err err = OK;

    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (text_is(actions[i].name, name))
            a = &actions[i];
    bool fits = a && state_fits(a, d) && role_fits(a, d->c);
    if (fits)
        why = place_fits(d, a, &err);
    if (err != OK)
        return err;
    if (!fits || why)
        return refuse(d, a, name, why);
    if ((a->needs & REASON) && (!reason || !reason[0]) && d->c->user[0]) {
        problem_set(d->p, 422, "reason-missing", "reason", "why, in a sentence", NULL, "请填写理由",
                    "Say why");
        return ERR_INVALID;
    }
    if (reason && strlen(reason) > 1500) {
        problem_set(d->p, 422, "text-too-long", "reason", "at most 500 characters", NULL,
                    "理由太长", "The reason is too long");
        return ERR_INVALID;
    }
    return a->fn(d);
}

enum err case_do(struct office *o, struct db *db, const struct caller *c, const struct dossier *k,
                 const struct json *in, struct problem *p, struct errmsg *e)
{
    struct doing d = {o, db, c, k, k->state, in, p, e};
    enum err err = act(&d);

    if (err == ERR_INVALID && !p->status) { /* the fold itself refused: a transition */
        refuse_action(p, json_get_text(in, "action"), NULL, d.s->state);
        return ERR_CONFLICT;
    }
    if (err == ERR_CONFLICT && !p->status) /* what this or another program does not know */
        problem_set(p, 409, "program-too-old", "action", "a program that knows every step", NULL,
                    "这件有较新版本程序记录的步骤，本站或对方站点的程序须先升级", e->text);
    return err;
}
