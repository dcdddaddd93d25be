/* What may be done with a case, and doing it. One table: an action, who may, and what it appends.
 */
#include "office/inside.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

struct doing {
    struct office *o;
    struct db *db;
    const struct caller *c;
    struct case_state *s;
    const struct json *in;
    struct problem *p;
    struct errmsg *e;
};

static bool is(const char *a, const char *b)
{
    return !strcmp(a, b);
}

static bool role_in(const struct caller *c, const char *roles)
{
    char padded[24];

    snprintf(padded, sizeof padded, " %.20s ", c->role);
    return c->role[0] && strstr(roles, padded);
}

/* ---- doing ------------------------------------------------------------------------------------*/

static struct json *under_custody(const struct doing *d)
{
    struct json *b = json_object();

    json_set_int(b, "custody_no", d->s->custody_no);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return b;
}

static enum err say(struct doing *d, const char *kind, struct json *b)
{
    return office_say(d->o, d->db, kind, d->s->case_no, d->s->street, d->c, b, d->e);
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
    return say(d, "case.supplement_requested/1", under_custody(d));
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

static enum err do_withdraw(struct doing *d)
{
    return say(d, "case.withdrawn/1", under_custody(d));
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
    json_set(b, "materials", papers);
    return say(d, "case.supplemented/1", b);
}

static enum err do_transfer(struct doing *d)
{
    const char *to = text_or(json_get_text(d->in, "to"), d->o->parent);
    char parent[13] = "";
    struct json *b;

    bool child = division_parent(to, parent) && is(parent, d->o->site);
    if (!to[0] || (!is(to, d->o->parent) && !child)) {
        problem_set(d->p, 422, "transfer-target", "to", "the parent site or a child of this one",
                    to, "只能转给上级或直接下级站点",
                    "A case goes to the parent site or to a child");
        return ERR_INVALID;
    }
    b = json_object();
    json_set_text(b, "to", to);
    json_set_int(b, "custody_no", d->s->custody_no + 1);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return say(d, "case.transferred/1", b);
}

static enum err do_take_back(struct doing *d)
{
    struct json *b = json_object();

    json_set_text(b, "to", d->o->site);
    json_set_int(b, "custody_no", d->s->custody_no + 1);
    json_set_text(b, "reason", json_get_text(d->in, "reason"));
    return say(d, "case.taken_back/1", b);
}

/* The one pass: whatever is still missing of accept, approve, issue, order delivery, in one
 * transaction. */
static enum err do_complete(struct doing *d)
{
    enum err err = OK;

    if (is(d->s->state, "submitted"))
        err = do_accept(d);
    if (err == OK && (is(d->s->state, "submitted") || is(d->s->state, "accepted")))
        err = do_approve(d);
    if (err == OK && !d->s->certified)
        err = certificate_issue(d->o, d->db, d->c, d->s, d->p, d->e);
    if (err == OK && !d->s->delivery.ordered)
        err = delivery_order(d->o, d->db, d->c, d->s, d->p, d->e);
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
};

#define STAFF " agent clerk reviewer supervisor admin "
#define RESIDENT " resident "

static const struct action {
    const char *name, *states, *roles;
    unsigned needs;
    enum err (*fn)(struct doing *d);
} actions[] = {
    {"complete", " submitted accepted granted completed ", " agent clerk reviewer supervisor ",
     CUSTODY | DECIDES, do_complete},
    {"accept", " submitted ", STAFF, CUSTODY, do_accept},
    {"approve", " accepted ", " agent clerk reviewer supervisor ", CUSTODY | DECIDES, do_approve},
    {"request_supplement", " submitted accepted ", STAFF, CUSTODY | REASON, do_request_supplement},
    {"refuse_acceptance", " submitted ", STAFF, CUSTODY | REASON, do_refuse_acceptance},
    {"refuse", " accepted ", " clerk reviewer supervisor ", CUSTODY | DECIDES | REASON, do_refuse},
    {"submit", " draft ", STAFF RESIDENT, 0, do_submit},
    {"supplement", " submitted accepted correction_required ", STAFF RESIDENT, 0, do_supplement},
    {"withdraw", " draft submitted correction_required ", STAFF RESIDENT, REASON, do_withdraw},
    {"transfer", " submitted accepted correction_required ", STAFF, CUSTODY | LEASED | REASON,
     do_transfer},
    {"take_back", " submitted accepted correction_required draft ", " clerk reviewer supervisor ",
     REASON, do_take_back},
    {"rate", " completed delivered refused not_accepted ", RESIDENT, 0, do_rate},
    {"note",
     " draft submitted accepted correction_required granted completed delivered refused "
     "not_accepted withdrawn ",
     STAFF, HIDDEN, do_note},
    {"record_visit", " submitted accepted correction_required granted ", STAFF, HIDDEN,
     do_record_visit},
    {"revoke", " completed delivered ", " supervisor ", REASON | HIDDEN, do_revoke},
};

static bool state_fits(const struct action *a, const struct case_state *s)
{
    char padded[32];

    snprintf(padded, sizeof padded, " %s ", s->state);
    if (is(a->name, "complete") && is(s->state, "completed") && s->delivery.ordered)
        return false;
    if (is(a->name, "revoke") && (!s->certified || s->revoked))
        return false;
    return strstr(a->states, padded);
}

static bool role_fits(const struct action *a, const struct caller *c)
{
    return c->user[0] ? role_in(c, a->roles) : strstr(a->roles, RESIDENT) != NULL;
}

/* NULL, or why this office may not do it now (zh, en). */
static const char *const *place_fits(struct office *o, struct db *db, const struct action *a,
                                     const struct case_state *s)
{
    static const char *const elsewhere[] = {"这件事项现在由其他站点办理",
                                            "Another site has this case in hand"};
    static const char *const higher[] = {"这个事项须由上级办理",
                                         "This item is decided by a higher office"};
    static const char *const lease[] = {
        "离线时间过长，暂时不能决定或转办上级知道的事项，请先恢复网络",
        "Offline for too long: a case that the parent knows cannot be decided or handed on until "
        "the link is back"};
    static const char *const not_yet[] = {"下级站点的办理期限未到，还不能收回",
                                          "The lower site still holds its lease: not yet"};

    if (is(a->name, "transfer") && !o->parent[0])
        return elsewhere;
    if (is(a->name, "take_back")) {
        /* Only he who promised the lease can know that it is over; and only from a community: a
         * street may have handed the case on, under leases of its own. */
        char parent[13];
        if (o->tier != TIER_STREET || !division_parent(s->custodian, parent) ||
            !is(parent, o->site))
            return elsewhere;
        return lease_over(o, db, s->custodian) ? NULL : not_yet;
    }
    if ((a->needs & CUSTODY) && !is(s->custodian, o->site))
        return elsewhere;
    if ((a->needs & DECIDES) && !office_decides(o, json_get(s->filing, "decided_at")))
        return higher;
    if ((a->needs & (DECIDES | LEASED)) && !lease_covers(o, db, s->case_no))
        return lease;
    return NULL;
}

struct json *case_actions(struct office *o, struct db *db, const struct caller *c,
                          const struct case_state *s)
{
    struct json *list = json_array();

    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (!(actions[i].needs & HIDDEN) && state_fits(&actions[i], s) &&
            role_fits(&actions[i], c) && !place_fits(o, db, &actions[i], s))
            json_push_text(list, actions[i].name);
    return list;
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

static enum err refuse(struct doing *d, const struct action *a, const char *name)
{
    struct json *allowed = case_actions(d->o, d->db, d->c, d->s);
    enum err err = ERR_CONFLICT;
    const char *const *why =
        a && state_fits(a, d->s) && role_fits(a, d->c) ? place_fits(d->o, d->db, a, d->s) : NULL;

    if (!a) {
        problem_set(d->p, 422, "action-unknown", "action", "an action of this case (see actions)",
                    name, "没有这个操作", "There is no such action");
        err = ERR_INVALID;
    } else if (state_fits(a, d->s) && !role_fits(a, d->c)) {
        problem_set(d->p, 403, "role-not-allowed", "action", a->roles + 1, d->c->role,
                    "您的岗位没有这项权限", "Your role may not do this");
        err = ERR_DENIED;
    } else if (why) {
        problem_set(d->p, 409, "not-here-or-not-now", "action", "one of allowed", name, why[0],
                    why[1]);
    } else {
        refuse_action(d->p, name, NULL, d->s->state);
    }
    for (size_t i = 0; err == ERR_CONFLICT && i < json_count(allowed); i++)
        problem_allow(d->p, json_value_text(json_at(allowed, i)));
    json_free(allowed);
    return err;
}

static enum err act(struct doing *d)
{
    const char *name = text_or(json_get_text(d->in, "action"), "");
    const char *reason = json_get_text(d->in, "reason");
    const struct action *a = NULL;

    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (is(actions[i].name, name))
            a = &actions[i];
    if (!a || !state_fits(a, d->s) || !role_fits(a, d->c) || place_fits(d->o, d->db, a, d->s))
        return refuse(d, a, name);
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

enum err case_act(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                  struct json **out, struct problem *p)
{
    const char *no = text_or(json_get_text(in, "case_no"), "");
    struct errmsg e = {""};
    struct case_open k;
    enum err err;

    if (!case_visible(o, db, c, no)) {
        problem_set(p, 404, "no-case", "case_no", NULL, no, "没有这个办件，或您无权查看",
                    "There is no such case, or you may not see it");
        return ERR_NOT_FOUND;
    }
    if ((err = case_load(db, no, &k, &e)) != OK)
        return err;
    struct doing d = {o, db, c, &k.state, in, p, &e};
    err = act(&d);
    if (err == ERR_INVALID && !p->status) /* the fold itself refused: a transition */
        refuse_action(p, json_get_text(in, "action"), NULL, k.state.state), err = ERR_CONFLICT;
    case_close(&k);
    return err == OK ? case_show(o, db, c, in, out, p) : err;
}
