#include "dossiers/ticket/access.h"

#include "base/text.h"
#include "office/access.h"
#include "office/code.h"
#include "office/load.h"

const char *ticket_scope(const struct caller *c)
{
    switch (caller_sight(c)) {
    case SIGHT_COMMUNITY:
        return "issued_at = $scope";
    case SIGHT_STREETS:
        return "substr(street, 1, length($scope)) = $scope";
    case SIGHT_NONE:
        break;
    }
    return NULL;
}

void ticket_bind_scope(struct stmt *st, const struct caller *c)
{
    char prefix[13];

    caller_prefix(c, prefix);
    bind_text(st, "scope", prefix);
}

static enum err holds_code(struct office *o, struct db *db, const struct caller *c, const char *id,
                           bool *ret, struct errmsg *e)
{
    struct ticket_state *s;
    struct dossier d;
    enum err err;

    if (!c->query_code || !c->query_code[0])
        return OK;
    if ((err = ticket_load(o, db, id, &d, &s, e)) != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    *ret = code_fits(id, c->query_code, json_get_text(s->person, "code_hash"));
    dossier_close(&d);
    return OK;
}

enum err ticket_visible(struct office *o, struct db *db, const struct caller *c, const char *id,
                        bool *ret, struct errmsg *e)
{
    const char *scope = ticket_scope(c);
    char sql[160];

    *ret = false;
    if (!c->user[0])
        return holds_code(o, db, c, id, ret, e);
    if (!scope)
        return OK;
    snprintf(sql, sizeof sql, "SELECT 1 FROM ticket WHERE id = $id AND %s", scope);
    struct stmt *st = db_stmt(db, sql);
    bind_text(st, "id", id);
    ticket_bind_scope(st, c);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

enum err no_ticket(struct problem *p, const char *id)
{
    problem_set(p, 404, "no-ticket", "id", NULL, id, "没有这个号，或取号凭证上的查询码不正确",
                "There is no such ticket, or the code is not the one printed on it");
    return ERR_NOT_FOUND;
}
