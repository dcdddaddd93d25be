/* The steps of a hall: one table, an action, in which states, who may, and what it appends. */
#include "dossiers/ticket/actions.h"

#include "base/text.h"
#include "dossiers/ticket/queue.h"
#include "office/access.h"
#include "office/say.h"

#define BEHIND_MAX 999

struct doing {
    struct office *o;
    struct db *db;
    const struct caller *c;
    const struct dossier *d;
    const struct ticket_state *s; /* of d */
    const struct json *in;
    const char *window; /* as asked; else where it is called or served */
    struct problem *p;
    struct errmsg *e;
};

static enum err invalid(struct doing *x, const char *code, const char *field, const char *expected,
                        const char *found, const char *zh, const char *en)
{
    problem_set(x->p, 422, code, field, expected, found, zh, en);
    return ERR_INVALID;
}

static enum err say(struct doing *x, const char *kind, struct json *body)
{
    return office_say(x->o, x->db, kind, x->d->id, x->d->street, x->c, body, x->e);
}

/* ---- doing ------------------------------------------------------------------------------------*/

static bool window_named(const char *name)
{
    for (const char *at = name; at && *at; at++)
        if ((unsigned char)*at < ' ')
            return false;
    return name && name[0] && strlen(name) <= WINDOW_MAX;
}

enum err window_free(struct office *o, struct db *db, const char *window, const char *but,
                     struct problem *p, struct errmsg *e)
{
    char id[33], printed[5];
    enum err err;

    if (!window_named(window)) {
        problem_set(p, 422, "window-missing", "window", "the name of a window, as \"5\"", window,
                    "请选择窗口", "Say at which window");
        return ERR_INVALID;
    }
    if ((err = queue_in_hand(o, db, window, but, id, e)) != OK || !id[0])
        return err;
    ticket_printed(id, printed);
    problem_set(p, 409, "window-busy", "window", "a window that has finished with its number",
                printed, "这个窗口还有一个号没有办完，请先办结、过号或转走",
                "This window still has a number in hand: finish, pass or send it on first");
    problem_allow(p, id);
    return ERR_CONFLICT;
}

static enum err do_call(struct doing *x)
{
    bool again = word_in(" called passed ", x->s->state);
    struct json *b;
    enum err err = window_free(x->o, x->db, x->window, x->d->id, x->p, x->e);

    if (err == OK && text_is(x->s->state, "coming"))
        err = say(x, "ticket.joined/1", json_object());
    if (err != OK)
        return err;
    b = json_object();
    json_set_text(b, "window", x->window);
    json_set_int(b, "n", again ? x->s->calls + 1 : 1);
    return say(x, "ticket.called/1", b);
}

static enum err do_serve(struct doing *x)
{
    return say(x, "ticket.served/1", json_object());
}

static enum err do_finish(struct doing *x)
{
    return say(x, "ticket.finished/1", json_object());
}

static enum err do_pass(struct doing *x)
{
    return say(x, "ticket.passed/1", json_object());
}

/* behind: after so many of those who wait; not said: at the end. */
static enum err do_put_back(struct doing *x)
{
    const struct json *given = json_get(x->in, "behind");
    int64_t behind = json_get_int(x->in, "behind", -1), place = 0;
    enum err err = OK;
    struct json *b;

    if (given && !json_is_null(given) && (behind < 0 || behind > BEHIND_MAX))
        return invalid(x, "behind-invalid", "behind", "how many go first, 0 to 999", NULL,
                       "请填写排在几人之后", "Say behind how many");
    if (behind >= 0)
        err = queue_place(x->o, x->db, x->s->queue,
                          ticket_rank(json_get_text(x->s->opening, "class")), behind, &place, x->e);
    if (err != OK)
        return err;
    b = json_object();
    if (place)
        json_set_int(b, "place", place);
    return say(x, "ticket.put_back/1", b);
}

static enum err do_transfer(struct doing *x)
{
    const char *queue = json_get_text(x->in, "queue"), *to = json_get_text(x->in, "to_window");
    bool back = json_get_bool(x->in, "return_to_me", false);
    struct json *b;

    if (!queue && !to)
        return invalid(x, "transfer-target", "queue", "a queue, or to_window", NULL,
                       "请选择转到哪个队列或窗口", "Say to which queue or window");
    if ((queue && !queue_named(queue)) || (to && !window_named(to)))
        return invalid(x, "transfer-target", queue && !queue_named(queue) ? "queue" : "to_window",
                       "one capital letter; the name of a window", queue ? queue : to,
                       "没有这个队列或窗口，请重新选择", "There is no such queue or window");
    if (back && !x->s->window[0])
        return invalid(x, "nobody-to-return-to", "return_to_me", "a ticket that a window has", NULL,
                       "还没有窗口叫过这个号，不能转回", "No window has it to return to");
    b = json_object();
    json_set_text(b, "queue", queue);
    json_set_text(b, "window", to);
    json_set_bool(b, "keeps_place", json_get_bool(x->in, "keeps_place", false));
    if (back)
        json_set_text(b, "back", x->s->window);
    return say(x, "ticket.transferred/1", b);
}

static enum err do_leave(struct doing *x)
{
    return say(x, "ticket.left/1", json_object());
}

/* ---- the table --------------------------------------------------------------------------------*/

#define HALL " clerk reviewer supervisor admin "
#define ANYBODY " agent clerk reviewer supervisor admin resident "

static const struct action {
    const char *name, *states, *roles;
    bool anywhere; /* not only at the hall */
    enum err (*fn)(struct doing *x);
} actions[] = {
    {"call", " coming waiting ", HALL, false, do_call},
    {"recall", " called passed ", HALL, false, do_call},
    {"serve", " called ", HALL, false, do_serve},
    {"finish", " serving ", HALL, false, do_finish},
    {"pass", " called ", HALL, false, do_pass},
    {"put_back", " called passed serving ", HALL, false, do_put_back},
    {"transfer", " waiting called passed serving ", HALL, false, do_transfer},
    {"leave", " coming waiting called passed ", ANYBODY, true, do_leave},
};

#define ACTION_COUNT (sizeof actions / sizeof actions[0])

/* ---- may it be done? --------------------------------------------------------------------------*/

static bool role_fits(const struct action *a, const struct caller *c)
{
    return c->user[0] ? caller_is(c, a->roles) : strstr(a->roles, " resident ") != NULL;
}

static bool place_fits(const struct office *o, const struct action *a, const struct dossier *d)
{
    return !d->read_only && (a->anywhere || text_is(d->owner, o->site));
}

/* Who is being served is served to the end, whatever the hour. */
static bool state_fits(const struct office *o, const struct action *a, const struct dossier *d)
{
    const struct ticket_state *s = d->state;

    return word_in(a->states, s->state) && (text_is(s->state, "serving") || queue_holds(o, d->id));
}

struct json *ticket_actions(struct office *o, const struct caller *c, const struct dossier *d)
{
    struct json *list = json_array();

    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (role_fits(&actions[i], c) && place_fits(o, &actions[i], d) &&
            state_fits(o, &actions[i], d))
            json_push_text(list, actions[i].name);
    return list;
}

static enum err refuse(struct doing *x, const struct action *a, const char *name)
{
    struct json *allowed;

    if (!a)
        return invalid(x, "action-unknown", "action", "an action of this ticket (see actions)",
                       name, "没有这个操作", "There is no such action");
    if (!role_fits(a, x->c)) {
        problem_set(x->p, 403, "role-not-allowed", "action", a->roles + 1, x->c->role,
                    "您的岗位没有这项权限", "Your role may not do this");
        return ERR_DENIED;
    }
    if (x->d->read_only)
        problem_set(x->p, 409, "program-too-old", "action", "a program that knows every step", name,
                    "这个号有较新版本程序记录的步骤，本站程序须先升级",
                    "A newer program has taken a step with this ticket: upgrade this site first");
    else if (!place_fits(x->o, a, x->d))
        problem_set(x->p, 409, "not-here", "action", "at the hall", name, "请在办事大厅的窗口办理",
                    "This is done at the hall");
    else if (!queue_holds(x->o, x->d->id))
        problem_set(x->p, 409, "ticket-lapsed", "action", "a ticket of today", name,
                    "这个号已过当天，请重新取号", "The day of this ticket is over: take another");
    else
        problem_set(x->p, 409, "state-does-not-allow", "action", "one of allowed", x->s->state,
                    "这个号现在不能进行这一步", "This step is not possible with this ticket now");
    allowed = ticket_actions(x->o, x->c, x->d);
    for (size_t i = 0; i < json_count(allowed); i++)
        problem_allow(x->p, json_value_text(json_at(allowed, i)));
    json_free(allowed);
    return ERR_CONFLICT;
}

static enum err act(struct doing *x, const char *name)
{
    const struct action *a = NULL;
    enum err err;

    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (text_is(actions[i].name, name))
            a = &actions[i];
    if (!a || !role_fits(a, x->c) || !place_fits(x->o, a, x->d) || !state_fits(x->o, a, x->d))
        return refuse(x, a, name);
    err = a->fn(x);
    /* Not explained: the fold itself refused the step. */
    return err == ERR_INVALID && !x->p->status ? refuse(x, a, name) : err;
}

enum err ticket_do(struct office *o, struct db *db, const struct caller *c, const struct dossier *d,
                   const char *action, const struct json *in, struct problem *p, struct errmsg *e)
{
    struct doing x = {o, db, c, d, d->state, in, json_get_text(in, "window"), p, e};

    if (!x.window)
        x.window = x.s->window;
    return act(&x, action);
}
