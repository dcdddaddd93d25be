#include "dossiers/case/access.h"

#include "base/crypto.h"
#include "base/text.h"
#include "dossiers/case/state.h"
#include "office/access.h"

bool case_handler(const struct caller *c)
{
    return caller_is(c, " agent clerk reviewer supervisor admin ");
}

void query_hash(const char *case_no, const char *code, char out[QUERY_HASH_LEN + 1])
{
    unsigned char sum[32];
    char text[160];
    struct buf b = {0};

    snprintf(text, sizeof text, "doorstep.query.2\n%.40s\n%.40s", case_no, code);
    crypto_sha256(text, strlen(text), sum);
    base64url_encode(sum, 16, &b);
    snprintf(out, QUERY_HASH_LEN + 1, "%s", buf_text(&b));
    buf_free(&b);
}

bool query_code_fits(const char *case_no, const char *code, const char *hash)
{
    char given[QUERY_HASH_LEN + 1];

    if (!code || !code[0] || !hash || strlen(hash) != QUERY_HASH_LEN)
        return false;
    query_hash(case_no, code, given);
    return crypto_equal(given, hash, QUERY_HASH_LEN);
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
static enum err code_fits(struct office *o, struct db *db, const struct caller *c,
                          const char *case_no, bool *ret, struct errmsg *e)
{
    struct dossier d;
    struct case_state *s;
    enum err err;

    if (!c->query_code || !c->query_code[0])
        return OK;
    if ((err = case_load(o, db, case_no, &d, &s, e)) != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    *ret = query_code_fits(case_no, c->query_code, json_get_text(s->person, "query_hash"));
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
        return code_fits(o, db, c, case_no, ret, e);
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
