/* Taking a number: at the hall, or at a community for it, from the numbers that it was lent. */
#include "dossiers/ticket/ticket.h"

#include "base/text.h"
#include "base/time.h"
#include "catalogue/items.h"
#include "dossiers/ticket/state.h"
#include "office/access.h"
#include "office/blocks.h"
#include "office/code.h"
#include "office/say.h"

static enum err refuse(struct problem *p, int status, const char *code, const char *field,
                       const char *expected, const char *found, const char *zh, const char *en)
{
    problem_set(p, status, code, field, expected, found, zh, en);
    return status == 422 ? ERR_INVALID : ERR_DENIED;
}

static enum err check_item(struct db *db, const char *code, struct problem *p, struct errmsg *e)
{
    struct json *item = NULL;
    enum err err = code ? item_load(db, code, &item, e) : OK;
    bool known = !code || item;

    json_free(item);
    if (err != OK || known)
        return err;
    return refuse(p, 422, "item-unknown", "item", "the code of an item of the catalogue", code,
                  "目录里没有这个事项", "There is no such item in the catalogue");
}

static enum err check(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct problem *p, struct errmsg *e)
{
    const char *queue = json_get_text(in, "queue"), *class = json_get_text(in, "class");

    if (c->user[0] ? !caller_is(c, " agent clerk reviewer supervisor admin ")
                   : o->tier == TIER_COMMUNITY)
        return refuse(p, c->user[0] ? 403 : 401, "may-not-issue", NULL,
                      "an agent or clerk, or anybody at the hall's site", c->role,
                      "请由代办员或窗口人员登录后取号，居民请在街道站点取号",
                      "An agent or clerk takes numbers here after signing in; residents at the "
                      "street's site");
    if (!queue_named(queue))
        return refuse(p, 422, "queue-unknown", "queue", "one capital letter", queue,
                      "没有这个队列，请重新选择", "There is no such queue; choose another");
    if (class && !word_in(" normal priority booked ", class))
        return refuse(p, 422, "class-unknown", "class", "normal, priority or booked", class,
                      "没有这种号", "There is no such kind of ticket");
    return check_item(db, json_get_text(in, "item"), p, e);
}

/* The next number of the queue's series today, as an id. */
static enum err next_id(struct office *o, struct db *db, const char *queue, char out[33],
                        struct problem *p)
{
    char day[7], series[8];
    int64_t n;

    time_yymmdd(host_wall_ms(o->host), day);
    snprintf(series, sizeof series, "%s%.1s", day, queue);
    enum err err = number_next(o, db, "ticket", series, &n, p);
    if (err == OK)
        snprintf(out, 33, "q%.9s%s%03d", o->street, series, (int)n + 1);
    return err;
}

static struct json *body_of(const struct office *o, const struct json *in, const char *hash)
{
    struct json *b = json_object();

    json_set_text(b, "hall", o->tier == TIER_COMMUNITY ? o->parent : o->site);
    json_set_text(b, "queue", json_get_text(in, "queue"));
    json_set_text(b, "class", text_or(json_get_text(in, "class"), "normal"));
    json_set_text(b, "item", json_get_text(in, "item"));
    json_set_text(b, "code_hash", hash);
    return b;
}

enum err ticket_issue(struct office *o, struct db *db, const struct caller *c,
                      const struct json *in, struct json **out, struct problem *p)
{
    char id[33], code[CODE_LEN + 1], hash[CODE_HASH_LEN + 1];
    struct caller holder = *c;
    struct json *key;
    struct errmsg e = {""};
    enum err err = check(o, db, c, in, p, &e);

    if (err != OK || (err = next_id(o, db, json_get_text(in, "queue"), id, p)) != OK)
        return err;
    code_make(o->host, code);
    code_hash(id, code, hash);
    if ((err = office_say(o, db, "ticket.issued/1", id, o->street, c, body_of(o, in, hash), &e)) !=
        OK)
        return err;
    /* It is shown as its holder sees it. */
    holder.user = "";
    holder.query_code = code;
    key = json_object();
    json_set_text(key, "id", id);
    err = ticket_show(o, db, &holder, key, out, p);
    json_free(key);
    if (err == OK)
        json_set_text(*out, "code", code);
    return err;
}
