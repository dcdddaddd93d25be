/* How events become rows. The events of a case are folded together, whatever order they came in;
 * others say something by themselves, the newest wins.
 *
 *   events -> of a case: once per case, case_load -> case_save, numbers in use
 *          -> of none:   facts[kind] */
#include "office/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers in use ---------------------------------------------------------------------------*/

enum err marks_write(struct db *db, struct marks *m, struct errmsg *e)
{
    enum err err = OK;

    for (int i = 0; err == OK && i < m->count; i++)
        err = number_used(db, m->list[i].street, m->list[i].kind, m->list[i].holder,
                          m->list[i].scope, m->list[i].n, e);
    m->count = 0;
    return err;
}

static enum err mark(struct db *db, struct marks *m, const char *kind, const char *holder,
                     const char *scope, int64_t n, struct errmsg *e)
{
    for (int i = 0; i < m->count; i++) {
        struct mark *x = &m->list[i];
        if (!strcmp(x->kind, kind) && !strcmp(x->holder, holder) && !strcmp(x->scope, scope)) {
            x->n = n > x->n ? n : x->n;
            return OK;
        }
    }
    if (m->count == MARKS_MAX) {
        enum err err = marks_write(db, m, e);
        if (err != OK)
            return err;
    }
    struct mark *x = &m->list[m->count++];
    *x = (struct mark){.kind = kind, .n = n};
    COPY_TEXT(x->holder, holder);
    COPY_TEXT(x->scope, scope);
    division_street(holder, x->street); /* of the site whose number it is, not of the case */
    return OK;
}

/* What an event tells of the numbers in use. */
static enum err note_numbers(struct db *db, struct marks *m, const struct event *ev,
                             const struct json *b, struct errmsg *e)
{
    const char *number = json_get_text(b, "number"), *waybill = json_get_text(b, "waybill");
    char site[13], scope[8], digits[9];
    enum err err = OK;

    event_site(ev->origin, site);
    if (!strcmp(ev->kind, "case.filed/1") && strlen(ev->dossier) == 21) {
        snprintf(scope, sizeof scope, "%.6s", ev->dossier + 9);
        snprintf(digits, sizeof digits, "%.5s", ev->dossier + 15);
        err = mark(db, m, "case", site, scope, strtoll(digits, NULL, 10), e);
    } else if (!strcmp(ev->kind, "certificate.issued/1") && number && strlen(number) > 6) {
        err =
            mark(db, m, "certificate", site, "", strtoll(number + strlen(number) - 6, NULL, 10), e);
    }
    if (err == OK && waybill && s10_check(waybill)) {
        snprintf(digits, sizeof digits, "%.8s", waybill + 2);
        err = mark(db, m, "waybill", site, "", strtoll(digits, NULL, 10), e);
    }
    return err;
}

/* ---- cases ------------------------------------------------------------------------------------*/

enum err case_apply(struct office *o, struct db *db, struct case_open *c, struct marks *m,
                    const struct event *local, struct errmsg *e)
{
    enum err err = OK;

    for (int i = 0; err == OK && i < c->count; i++) {
        const struct fold_event *f = &c->events[i];
        if (local && f->why && f->ev.seq == local->seq && !strcmp(f->ev.origin, local->origin)) {
            errmsg_set(e, "%s", f->why);
            err = ERR_INVALID;
        } else {
            err = note_numbers(db, m, &f->ev, f->body, e);
        }
    }
    return err == OK ? case_save(o, db, c, e) : err;
}

/* Is there nothing of the case but what has just come? */
static enum err all_is_new(struct db *db, const struct case_news *n, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT count(*) FROM event WHERE dossier = $1");
    bool row;

    lend_text(st, 1, n->case_no, strlen(n->case_no));
    enum err err = db_step(st, &row, e);
    *ret = err == OK && row && (size_t)col_int(st, 0) == n->count;
    db_reset(st);
    return err;
}

static enum err apply_news(struct office *o, struct db *db, const struct case_news *n,
                           struct marks *m, const struct event *local, struct errmsg *e)
{
    struct case_open c;
    bool new;
    enum err err = all_is_new(db, n, &new, e);

    if (err != OK)
        return err;
    for (size_t i = 0; i < n->count; i++)
        n->at[i]->alone = new;
    if (new && n->folded)
        return case_apply(o, db, n->folded, m, local, e);
    if (new)
        case_of_news(n, &c);
    else if ((err = case_look(db, n->case_no, &c, e)) != OK)
        return err;
    err = case_apply(o, db, &c, m, local, e);
    case_close(&c);
    return err;
}

/* ---- what belongs to no case ------------------------------------------------------------------*/

static const struct {
    const char *kind;
    enum err (*fn)(struct db *db, const struct event *ev, const struct json *b, struct errmsg *e);
} facts[] = {
    {"site.enrolled/1", site_enrolled},   {"account.created/1", account_created},
    {"item.published/1", item_published}, {"calendar.published/1", calendar_published},
    {"block.leased/1", number_leased},
};

enum err fact_apply(struct db *db, const struct event *ev, struct errmsg *e)
{
    struct json *b = NULL;
    enum err err = json_parse(ev->record, ev->record_len, &b, e);

    if (err != OK)
        return ERR_INVALID;
    errmsg_set(e, "this program does not know the kind %s", ev->kind);
    err = ERR_INVALID;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (!strcmp(facts[i].kind, ev->kind))
            err = facts[i].fn(db, ev, b, e);
    json_free(b);
    return err;
}

/* A received one that does not fit leaves nothing behind but its reason. */
static enum err fact_receive(struct office *o, struct db *db, struct arrival *x, struct arena *a,
                             struct errmsg *e)
{
    struct errmsg why = {""};
    enum err err = db_savepoint(db);

    if (err != OK)
        return err;
    if ((err = fact_apply(db, &x->ev, &why)) == OK && !strcmp(x->ev.kind, "site.enrolled/1"))
        err = site_key_keep(o, db, &x->ev, &why);
    if (err == OK)
        return db_release(db);
    if (err == ERR_INVALID) {
        x->state = "aside";
        x->why = arena_strdup(a, why.text);
        return db_undo(db);
    }
    *e = why;
    return err;
}

/* ---- a batch ----------------------------------------------------------------------------------*/

enum err office_apply(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                      struct arena *a, struct errmsg *e)
{
    struct office *o = arg;
    struct marks *m = arena_alloc(a, sizeof *m);
    size_t count;
    struct case_news *news = case_news_of(list, n, a, &count);
    enum err err = OK;

    m->count = 0;
    for (size_t i = 0; err == OK && i < n; i++)
        if (list[i].got == RECEIVED_NEW && !list[i].ev.dossier[0])
            err = local ? fact_apply(db, &list[i].ev, e) : fact_receive(o, db, &list[i], a, e);
    for (size_t i = 0; err == OK && i < count; i++)
        err = apply_news(o, db, &news[i], m, local ? &list[0].ev : NULL, e);
    return err == OK ? marks_write(db, m, e) : err;
}

enum err office_say(struct office *o, struct db *db, const char *kind, const char *case_no,
                    const char *street, const struct caller *c, struct json *body, struct errmsg *e)
{
    if (c && c->name[0])
        json_set_text(body, "by", c->name);
    const struct said s = {.kind = kind,
                           .dossier = case_no,
                           .street = street,
                           .actor = c ? c->user : "",
                           .record = body};
    enum err err = ledger_append(&o->ledger, db, &s, NULL, e);
    json_free(body);
    return err;
}
