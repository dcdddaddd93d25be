#include "dossiers/case/access.h"

#include "base/crypto.h"
#include "base/text.h"
#include "dossiers/case/state.h"
#include "office/access.h"
#include "office/code.h"

bool case_handler(const struct caller *c)
{
    return caller_is(c, " agent clerk reviewer supervisor admin ");
}

void pickup_code(const char *case_no, const char *hash, char out[7])
{
    unsigned char sum[32];
    uint32_t n;

    crypto_hmac(hash, strlen(hash), case_no, strlen(case_no), sum);
    n = ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3]) %
        1000000;
    snprintf(out, 7, "%06u", n);
}

const char *case_scope(const struct caller *c)
{
    switch (caller_sight(c)) {
    case SIGHT_COMMUNITY:
        return "(community = $scope OR filed_at = $scope OR held LIKE '% ' || $scope || ' %')";
    case SIGHT_STREETS:
        return "(substr(street, 1, length($scope)) = $scope)";
    case SIGHT_NONE:
        break;
    }
    return NULL;
}

void case_bind_scope(struct stmt *st, const struct caller *c)
{
    char prefix[13];

    caller_prefix(c, prefix); /* of a community: its whole code */
    bind_text(st, "scope", prefix);
}

/* A resident's: the query code of the filing that stands. */
static enum err holds_code(struct office *o, struct db *db, const struct caller *c,
                           const char *case_no, bool *ret, struct errmsg *e)
{
    struct dossier d;
    struct case_state *s;
    enum err err;

    if (!c->query_code || !c->query_code[0])
        return OK;
    if ((err = case_load(o, db, case_no, &d, &s, e)) != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    *ret = code_fits(case_no, c->query_code, json_get_text(s->person, "query_hash"));
    dossier_close(&d);
    return OK;
}

enum err case_visible(struct office *o, struct db *db, const struct caller *c, const char *case_no,
                      bool *ret, struct errmsg *e)
{
    const char *scope = case_scope(c);
    char sql[240];

    *ret = false;
    if (!c->user[0])
        return holds_code(o, db, c, case_no, ret, e);
    if (!scope)
        return OK;
    snprintf(sql, sizeof sql, "SELECT 1 FROM case_file WHERE case_no = $no AND %s", scope);
    struct stmt *st = db_stmt(db, sql);
    bind_text(st, "no", case_no);
    case_bind_scope(st, c);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}
