#include "dossiers/case/delivery_open.h"

#include "base/text.h"
#include "dossiers/case/access.h"
#include "dossiers/case/delivery.h"
#include "dossiers/case/view.h"
#include "office/access.h"
#include "office/sites.h"
#include "office/view.h"

static enum err find(struct db *db, const char *id, char no[24], char courier[64], struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT case_no, courier FROM delivery WHERE id = $1");
    bool row;

    no[0] = courier[0] = 0;
    bind_text(st, 1, id);
    enum err err = db_step(st, &row, e);
    if (err == OK && row) {
        snprintf(no, 24, "%s", col_text(st, 0));
        snprintf(courier, 64, "%s", col_text(st, 1));
    }
    db_reset(st);
    return err;
}

enum err delivery_open(struct office *o, struct db *db, const struct caller *c, const char *id,
                       struct dossier *ret, struct problem *p, struct errmsg *e)
{
    struct case_state *s;
    char no[24], courier[64];
    bool sees = false;
    enum err err = find(db, id, no, courier, e);

    if (err == OK && no[0] && caller_is(c, " courier "))
        sees = text_is(courier, c->user);
    else if (err == OK && no[0] && c->user[0])
        err = case_visible(o, db, c, no, &sees, e);
    if (err == OK && !sees) {
        problem_set(p, 404, "no-delivery", "id", NULL, id, "没有这个送达单，或您无权查看",
                    "There is no such delivery, or you may not see it");
        return ERR_NOT_FOUND;
    }
    return err == OK ? case_load(o, db, no, ret, &s, e) : err;
}

struct json *delivery_view(struct db *db, const struct caller *c, const struct dossier *d)
{
    static const char *const kept[] = {"recipient", "mobile", "address"};
    const struct case_state *s = d->state;
    const struct case_delivery *y = &s->delivery;
    struct json *x = json_object();
    char name[64];

    json_set_text(x, "id", y->id);
    json_set_text(x, "case_no", d->id);
    json_set_text(x, "item_name", json_get_text(s->filing, "item_name"));
    json_set_text(x, "item_name_en", json_get_text(s->filing, "item_name_en"));
    json_set_text(x, "method", y->method);
    json_set_text(x, "state", y->state);
    if (y->waybill[0])
        json_set_text(x, "waybill", y->waybill);
    if (y->courier[0])
        json_set_text(x, "courier", y->courier);
    for (size_t i = 0; y->order && i < sizeof kept / sizeof kept[0]; i++)
        json_set_text(x, kept[i], json_get_text(y->order->personal, kept[i]));
    site_name_of(db, custody_holder(&d->custody), name);
    json_set_text(x, "sender_name", name);
    view_time(x, "ordered_at", y->order ? y->order->at_ms : 0);
    json_set(x, "actions", delivery_actions(c, d));
    return x;
}
