/* The steps of a delivery, as commands: each recorded, handed over against the recipient's code. */
#include "base/crypto.h"
#include "base/text.h"
#include "dossiers/case/access.h"
#include "dossiers/case/actions.h"
#include "dossiers/case/case.h"
#include "dossiers/case/delivery.h"
#include "dossiers/case/delivery_open.h"
#include "dossiers/case/numbers.h"
#include "office/say.h"

#define TRIES_MAX 5
#define TRIES_PAUSE_MS (15LL * 60 * 1000)

/* ---- the recipient's code ---------------------------------------------------------------------*/

/* Wrong codes: of the doors at which somebody is guessing just now. */
struct code_tries {
    struct code_try {
        char id[32];
        int count;
        int64_t last_ms;
    } list[64];
    int next;
};

static struct code_try *try_of(struct code_tries *t, const char *id)
{
    for (int i = 0; i < 64; i++)
        if (text_is(t->list[i].id, id))
            return &t->list[i];
    return NULL;
}

static void note_wrong(struct code_tries *all, struct code_try *t, const char *id, int64_t now)
{
    if (!t) {
        t = &all->list[all->next++ % 64];
        *t = (struct code_try){.count = 0};
        COPY_TEXT(t->id, id);
    } else if (now - t->last_ms >= TRIES_PAUSE_MS) {
        t->count = 0;
    }
    t->count++;
    t->last_ms = now;
}

/* Five wrong ones, and the door is shut for a quarter of an hour. */
static enum err check_code(struct office *o, const struct dossier *d, const char *code,
                           struct problem *p)
{
    static const char key; /* its address names our memory */
    const struct case_state *s = d->state;
    const char *hash = json_get_text(s->person, "query_hash");
    struct code_tries *all = office_memory(o, &key, sizeof *all, NULL);
    struct code_try *t = try_of(all, s->delivery.id);
    int64_t now = host_mono_ms(o->host);
    char right[7];

    if (t && t->count >= TRIES_MAX && now - t->last_ms < TRIES_PAUSE_MS) {
        problem_set(p, 429, "too-many-tries", "code", "a pause of a quarter of an hour", NULL,
                    "取件码输错次数过多，请一刻钟后再试",
                    "Too many wrong codes. Try again in a quarter of an hour.");
        return ERR_DENIED;
    }
    pickup_code(d->id, text_or(hash, ""), right);
    if (hash && strlen(code) == 6 && crypto_equal(code, right, 6))
        return OK;
    note_wrong(all, t, s->delivery.id, now);
    problem_set(p, 422, "code-wrong", "code", "the six digits that the recipient shows", NULL,
                "取件码不正确，请收件人在查询页面上出示",
                "The code is wrong. The recipient finds it on the tracking page.");
    return ERR_INVALID;
}

/* ---- who carries it ---------------------------------------------------------------------------*/

/* The account of that name nearest to this office: of this site, of the community, else any. */
static enum err find_person(struct office *o, struct db *db, const struct dossier *d,
                            const char *to, struct json *b, bool *ret_courier, bool *ret_there,
                            struct errmsg *e)
{
    const struct case_state *s = d->state;
    struct stmt *st = db_stmt(
        db,
        "SELECT name, role, site FROM account WHERE username = $1 ORDER BY CASE site WHEN $2 THEN "
        "0 WHEN $3 THEN 1 ELSE 2 END, site LIMIT 1");

    bind_text(st, 1, to);
    bind_text(st, 2, o->site);
    bind_text(st, 3, text_or(json_get_text(s->filing, "community"), ""));
    enum err err = db_step(st, ret_there, e);
    if (err == OK && *ret_there) {
        *ret_courier = text_is(col_text(st, 1), "courier");
        json_set_text(b, "to", to);
        json_set_text(b, "holder", col_text(st, 2));
        json_set_text(b, "text", col_text(st, 0));
    }
    db_reset(st);
    return err;
}

static enum err assign(struct office *o, struct db *db, const struct caller *c,
                       const struct dossier *d, const struct json *in, struct json *b,
                       struct problem *p, struct errmsg *e)
{
    const struct case_delivery *y = &((const struct case_state *)d->state)->delivery;
    bool by_courier = text_is(y->method, "courier"), courier = false, there;
    const char *to = json_get_text(in, "to");
    char waybill[14];
    enum err err;

    if (!to && !by_courier)
        to = c->user;
    if ((err = find_person(o, db, d, text_or(to, ""), b, &courier, &there, e)) != OK)
        return err;
    if (!there || courier != by_courier) {
        problem_set(p, 422, "courier-unknown", "to",
                    "the user name of a courier (or, for an agent's delivery, an agent)", to,
                    "没有这个送达人", "There is no such courier");
        return ERR_INVALID;
    }
    if (!by_courier || y->waybill[0])
        return OK;
    if ((err = number_waybill(o, db, waybill, p)) == OK)
        json_set_text(b, "waybill", waybill);
    return err;
}

/* ---- steps ------------------------------------------------------------------------------------*/

static const char *kind_of(const char *action)
{
    static const char *const kinds[][2] = {
        {"assign", "delivery.assigned/1"},       {"pick_up", "delivery.picked_up/1"},
        {"in_transit", "delivery.in_transit/1"}, {"hand_over", "delivery.handed_over/1"},
        {"fail", "delivery.failed/1"},           {"return", "delivery.returned/1"},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (text_is(kinds[i][0], action))
            return kinds[i][1];
    return NULL;
}

static enum err step(struct office *o, struct db *db, const struct caller *c,
                     const struct dossier *d, const struct json *in, const char *action,
                     struct problem *p, struct errmsg *e)
{
    const struct case_state *s = d->state;
    const char *reason = json_get_text(in, "reason");
    struct json *b = json_object();
    enum err err = OK;

    json_set_int(b, "no", s->delivery.no + text_is(action, "assign"));
    json_set_text(b, "reason", reason);
    if (text_is(action, "assign"))
        err = assign(o, db, c, d, in, b, p, e);
    if (text_is(action, "hand_over")) {
        err = check_code(o, d, text_or(json_get_text(in, "code"), ""), p);
        json_set_text(b, "signer", json_get_text(in, "signer"));
    }
    if (text_is(action, "fail") && (!reason || !reason[0])) {
        problem_set(p, 422, "reason-missing", "reason", "why, in a sentence", NULL,
                    "请填写未送达的原因", "Say why it was not delivered");
        err = ERR_INVALID;
    }
    if (err == OK)
        return office_say(o, db, kind_of(action), d->id, d->street, c, b, e);
    json_free(b);
    return err;
}

enum err delivery_act(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    const char *id = text_or(json_get_text(in, "id"), ""),
               *action = text_or(json_get_text(in, "action"), "");
    struct errmsg e = {""};
    struct dossier d;
    enum err err = delivery_open(o, db, c, id, &d, p, &e);

    if (err != OK)
        return err;
    const struct case_state *s = d.state;
    if (!delivery_may(c, &d, action)) {
        struct json *allowed = delivery_actions(c, &d);
        err = refuse_action(p, action, allowed, s->delivery.state);
        json_free(allowed);
    } else {
        err = step(o, db, c, &d, in, action, p, &e);
        if (err == ERR_CONFLICT && !p->status)
            refuse_action(p, action, NULL, s->delivery.state);
    }
    dossier_close(&d);
    return err == OK ? delivery_show(o, db, c, in, out, p) : err;
}
