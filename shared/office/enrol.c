/* Founding, taking in, letting go; and what this program is. */
#include "office/enrol.h"

#include "base/crypto.h"
#include "base/text.h"
#include "ledger/chain.h"
#include "ledger/link_rows.h"
#include "ledger/recall.h"
#include "office/blocks.h"
#include "office/equipped.h"
#include "office/say.h"
#include "office/sites.h"
#include "office/welcome.h"

#define PROGRAM "doorstep 1" /* raised with every release */

static enum err say_enrolled(struct office *o, struct db *db, const char *site, const char *name,
                             const char *key, struct errmsg *e)
{
    struct json *b = json_object();
    char street[13];
    int64_t rev;
    enum err err = site_next_rev(db, site, &rev, e);

    division_street(site, street);
    json_set_text(b, "site", site);
    json_set_text(b, "name", name);
    json_set_text(b, "public_key", key);
    json_set_int(b, "rev", rev);
    if (err == OK)
        return office_say_fact(o, db, "site.enrolled/1", street, NULL, b, e);
    json_free(b);
    return err;
}

enum err office_found(struct office *o, struct db *db, struct errmsg *e)
{
    unsigned char pub[32];
    char key[65];
    enum err err = OK;

    if (o->tier == TIER_COMMUNITY)
        return OK; /* all comes from the parent */
    crypto_public(o->seed, pub);
    hex_encode(pub, 32, key);
    if (o->tier == TIER_DISTRICT)
        err = say_enrolled(o, db, o->site, o->name, key, e);
    return err == OK ? blocks_found(o, db, e) : err;
}

static enum err forget_link(struct db *db, const char *child, struct errmsg *e)
{
    static const char *const sql[] = {"DELETE FROM outbox WHERE peer = $1",
                                      "DELETE FROM link WHERE peer = $1"};

    for (int i = 0; i < 2; i++) {
        struct stmt *st = db_stmt(db, sql[i]);
        bind_text(st, 1, child);
        enum err err = db_run(st, e);
        if (err != OK)
            return err;
    }
    return OK;
}

enum err office_enrol(struct office *o, struct db *db, const char *site, const char *name,
                      const char *key, int64_t case_numbers, struct errmsg *e)
{
    unsigned char raw[32];
    enum err err;

    if (!hex_decode(key, raw, 32)) {
        errmsg_set(e, "the public key is not 64 hex digits");
        return ERR_INVALID;
    }
    /* A site that is made anew has a new outbox; it gets everything again. */
    if ((err = forget_link(db, site, e)) != OK ||
        (err = link_add(db, site, "child", o->host, e)) != OK ||
        (err = ledger_key_set(db, site, raw, e)) != OK ||
        (err = say_enrolled(o, db, site, name, key, e)) != OK ||
        (err = blocks_begin(o, db, site, case_numbers, e)) != OK)
        return err;
    return welcome(o, db, site, e);
}

/* Its name and key, as they are known: what it has signed and issued is checked all the same. */
static enum err copy_names(struct db *db, const char *site, struct json *to, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT name, public_key FROM site WHERE code = $1");
    bool row;

    bind_text(st, 1, site);
    enum err err = db_step(st, &row, e);
    if (err == OK && row) {
        json_set_text(to, "name", col_text(st, 0));
        json_set_text(to, "public_key", col_text(st, 1));
    }
    db_reset(st);
    return err;
}

enum err office_revoke(struct office *o, struct db *db, const char *site, bool lost,
                       struct errmsg *e)
{
    struct json *b;
    char street[13];
    int64_t rev;
    enum err err = link_revoke(db, site, e);

    if (err != OK || (err = site_next_rev(db, site, &rev, e)) != OK)
        return err;
    division_street(site, street);
    b = json_object();
    if ((err = copy_names(db, site, b, e)) != OK) {
        json_free(b);
        return err;
    }
    json_set_text(b, "site", site);
    json_set_text(b, "how", lost ? "lost" : "revoked");
    json_set_int(b, "rev", rev);
    return office_say_fact(o, db, "site.revoked/1", street, NULL, b, e);
}

enum err office_announce(struct office *o, struct db *db, struct errmsg *e)
{
    struct equipment said, own = {.program = PROGRAM};
    bool recalling;
    enum err err = ledger_recalling(db, &recalling, e);

    if (err != OK || recalling || (err = equipment_of(db, o->site, &said, e)) != OK)
        return err;
    equipment_own(o, &own);
    if (said.said && text_is(said.program, own.program) && text_is(said.types, own.types) &&
        text_is(said.critical, own.critical))
        return OK;
    if ((err = blocks_grow(o, db, e)) != OK)
        return err;
    struct json *b = json_object();
    json_set_text(b, "site", o->site);
    json_set_text(b, "program", own.program);
    json_set_text(b, "types", own.types);
    json_set_text(b, "critical", own.critical);
    return office_say_fact(o, db, "site.equipped/1", o->street, NULL, b, e);
}
