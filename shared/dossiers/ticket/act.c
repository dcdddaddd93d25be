/* The commands: an action with a ticket, or with the next one of a queue; answered by the ticket as it is
 * then. */
#include "base/text.h"
#include "dossiers/ticket/access.h"
#include "dossiers/ticket/actions.h"
#include "dossiers/ticket/queue.h"
#include "dossiers/ticket/ticket.h"
#include "office/load.h"

static enum err act_on(struct office *o, struct db *db, const struct caller *c, const char *id,
                       const char *action, const struct json *in, struct json **out,
                       struct problem *p)
{
    struct ticket_state *s;
    struct errmsg e = {""};
    struct json *key;
    struct dossier d;
    enum err err = ticket_load(o, db, id, &d, &s, &e);

    if (err != OK)
        return err == ERR_NOT_FOUND ? no_ticket(p, id) : err;
    err = ticket_do(o, db, c, &d, action, in, p, &e);
    dossier_close(&d);
    if (err != OK)
        return err;
    key = json_object();
    json_set_text(key, "id", id);
    err = ticket_show(o, db, c, key, out, p);
    json_free(key);
    return err;
}

enum err ticket_act(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    const char *id = text_or(json_get_text(in, "id"), "");
    struct errmsg e = {""};
    bool sees;
    enum err err = ticket_visible(o, db, c, id, &sees, &e);

    if (err != OK)
        return err;
    if (!sees)
        return no_ticket(p, id);
    return act_on(o, db, c, id, text_or(json_get_text(in, "action"), ""), in, out, p);
}

/* Two who ask at once are two transactions of the writer: each finds what the one before has left. */
enum err queue_next(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    const char *queue = json_get_text(in, "queue"), *window = json_get_text(in, "window");
    struct errmsg e = {""};
    char id[33];
    enum err err;

    if (!queue_named(queue)) {
        problem_set(p, 422, "queue-unknown", "queue", "one capital letter", queue, "没有这个队列",
                    "There is no such queue");
        return ERR_INVALID;
    }
    if ((err = window_free(o, db, window, "", p, &e)) != OK ||
        (err = queue_first(o, db, queue, window, id, &e)) != OK)
        return err;
    if (id[0])
        return act_on(o, db, c, id, "call", in, out, p);
    problem_set(p, 409, "nobody-waits", "queue", NULL, queue, "这个队列现在没有人等候",
                "Nobody waits in this queue now");
    return ERR_CONFLICT;
}
