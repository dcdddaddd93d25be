/* Who may see what: an agent the cases of his community, a street's people those of the street, a
 * district's those of the district, a resident the one whose query code he holds. Checked here, on
 * the server, for every case and paper. */
#include "office/inside.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

static bool role_is(const struct caller *c, const char *roles)
{
    char padded[24];

    snprintf(padded, sizeof padded, " %.20s ", c->role);
    return c->role[0] && strstr(roles, padded);
}

bool caller_handles(const struct caller *c)
{
    return role_is(c, " agent clerk reviewer supervisor admin ");
}

static void hash_text(const char *what, const char *a, const char *b, char out[65])
{
    unsigned char sum[32];
    char text[160];

    snprintf(text, sizeof text, "%s\n%.40s\n%.40s", what, a, b);
    crypto_sha256(text, strlen(text), sum);
    hex_encode(sum, 32, out);
}

void query_hash(const char *case_no, const char *code, char out[65])
{
    hash_text("doorstep.query.1", case_no, code, out);
}

/* Follows from the query code, so that the resident's page can show it and no table holds it. */
void pickup_code(const char *case_no, const char *query_code, char out[7])
{
    unsigned char sum[32];
    uint32_t n;

    crypto_hmac(query_code, strlen(query_code), case_no, strlen(case_no), sum);
    n = ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3]) %
        1000000;
    snprintf(out, 7, "%06u", n);
}

void pickup_hash(const char *case_no, const char *code, char out[65])
{
    hash_text("doorstep.pickup.1", case_no, code, out);
}

const char *caller_scope(const struct caller *c)
{
    if (role_is(c, " agent "))
        return "(community = $scope OR filed_at = $scope OR held LIKE '% ' || $scope || ' %')";
    if (role_is(c, " clerk dispatcher reviewer supervisor admin "))
        return "(substr(street, 1, length($scope)) = $scope)";
    return NULL;
}

void caller_bind_scope(struct stmt *st, const struct caller *c)
{
    char scope[13];
    enum tier tier = TIER_COMMUNITY;

    COPY_TEXT(scope, c->site);
    if (!role_is(c, " agent ") &&
        division_tier(c->site, &tier)) /* everything below the caller's site */
        scope[tier == TIER_DISTRICT ? 6 : 9] = 0;
    bind_text(st, "scope", scope);
}

bool caller_sees(const struct caller *c, const char *case_no, const char *hash,
                 const char *community, const char *filed_at, const char *held, const char *street)
{
    char given[65], padded[16];

    if (!c->user[0]) {
        if (!c->query_code || !c->query_code[0] || !hash)
            return false;
        query_hash(case_no, c->query_code, given);
        return strlen(hash) == 64 && crypto_equal(given, hash, 64);
    }
    snprintf(padded, sizeof padded, " %s ", c->site);
    if (role_is(c, " agent "))
        return !strcmp(community, c->site) || !strcmp(filed_at, c->site) || strstr(held, padded);
    return role_is(c, " clerk dispatcher reviewer supervisor admin ") &&
           division_within(street, c->site);
}

bool case_visible(struct office *o, struct db *db, const struct caller *c, const char *case_no)
{
    struct stmt *st;
    struct errmsg e;
    bool row, sees = false;

    (void)o;
    if (!c->user[0]) {
        struct case_open k;
        if (case_load(db, case_no, &k, &e) != OK)
            return false;
        sees = k.state.filed &&
               caller_sees(c, case_no, json_get_text(k.state.filing, "query_hash"), "", "", "", "");
        case_close(&k);
        return sees;
    }
    st = db_stmt(db, "SELECT community, filed_at, held, street FROM case_file WHERE case_no = $1");
    bind_text(st, 1, case_no);
    if (db_step(st, &row, &e) == OK && row)
        sees = caller_sees(c, case_no, NULL, col_text(st, 0), col_text(st, 1), col_text(st, 2),
                           col_text(st, 3));
    db_reset(st);
    return sees;
}

bool document_visible(struct office *o, struct db *db, const struct caller *c, const char *digest,
                      const char *case_no)
{
    struct stmt *st =
        db_stmt(db, "SELECT dossier FROM paper WHERE digest = $1 AND ($2 = '' OR dossier = $2)");
    struct errmsg e;
    bool row, sees = false;

    bind_text(st, 1, digest);
    bind_text(st, 2, case_no);
    while (!sees && db_step(st, &row, &e) == OK && row)
        sees = case_visible(o, db, c, col_text(st, 0));
    db_reset(st);
    return sees;
}
