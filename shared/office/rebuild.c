/* Everything that people read, folded again from the ledger, and a digest to compare it by. */
#include "office/inside.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "ledger/row.h"

#include <stdio.h>
#include <string.h>

static const char *const projections[] = {
    "site",  "account", "case_file", "paper", "certificate",   "delivery",
    "block", "counter", "repair",    "item",  "calendar_year",
};

struct rebuild {
    struct office *o;
    struct db *db;
};

static enum err again(void *arg, const struct event *ev, struct errmsg *e)
{
    struct rebuild *r = arg;
    struct errmsg why = {""};
    enum err err = fact_apply(r->db, ev, &why);

    if (err == ERR_INVALID) /* it was set aside when it came, and is so still */
        return OK;
    if (err != OK)
        *e = why;
    return err;
}

static enum err cases_again(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT DISTINCT dossier FROM event WHERE dossier <> '' /* full scan on purpose */");
    struct arena *a = arena_create();
    struct marks *m = arena_alloc(a, sizeof *m);
    enum err err;
    bool row;

    m->count = 0;
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct case_open c;
        if ((err = case_look(db, col_text(st, 0), &c, e)) != OK)
            break;
        err = case_apply(o, db, &c, m, NULL, e);
        case_close(&c);
        if (err != OK)
            break;
    }
    db_reset(st);
    if (err == OK)
        err = marks_write(db, m, e);
    arena_destroy(a);
    return err;
}

enum err office_rebuild(struct office *o, struct db *db, struct errmsg *e)
{
    struct rebuild r = {.o = o, .db = db};
    char sql[80];
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sizeof projections / sizeof projections[0]; i++) {
        snprintf(sql, sizeof sql, "DELETE FROM %s", projections[i]);
        err = db_exec(db, sql, e);
    }
    /* Every verdict of a case is found anew too. */
    if (err == OK)
        err = db_run(db_stmt(db,
                             "UPDATE event SET state = 'applied', reason = NULL "
                             "WHERE state = 'aside' AND dossier <> '' /* full scan on purpose */"),
                     e);
    if (err == OK)
        err = ledger_each(db, "", again, &r, e);
    return err == OK ? cases_again(o, db, e) : err;
}

static void add_row(struct sha256 *h, struct stmt *st, int columns)
{
    for (int i = 0; i < columns; i++) {
        const char *text = col_text(st, i);
        sha256_update(h, text ? text : "\1", text ? strlen(text) + 1 : 2);
    }
}

enum err office_digest(struct db *db, char out[65], struct errmsg *e)
{
    /* table, its columns, its key */
    static const struct {
        const char *sql;
        int columns;
    } all[] = {
        {"SELECT code, name, tier, public_key, hlc FROM site ORDER BY code", 5},
        {"SELECT username, name, role, site, salt, hash, hlc FROM account ORDER BY username", 7},
        {"SELECT street, case_no, item, item_name, item_name_en, applicant_name, applicant_id, "
         "community, filed_at, "
         "custodian, custody_no, held, state, filed_ms, promised_ms, completed_ms, trips_saved, "
         "person, "
         "certificate FROM case_file ORDER BY street, case_no",
         19},
        {"SELECT street, dossier, digest FROM paper ORDER BY street, dossier, digest", 3},
        {"SELECT street, number, case_no, issuer, issued_ms, state FROM certificate ORDER BY "
         "street, number, case_no",
         6},
        {"SELECT street, id, case_no, method, state, courier, waybill, ordered_ms FROM delivery "
         "ORDER BY street, id",
         8},
        {"SELECT street, kind, holder, first, last, hlc FROM block ORDER BY street, kind, first",
         6},
        {"SELECT street, kind, holder, scope, next FROM counter ORDER BY street, kind, holder, "
         "scope",
         5},
        {"SELECT street, origin, seq, dossier, kind, reason, owner, deadline_ms FROM repair ORDER "
         "BY street, origin, seq",
         8},
        {"SELECT code, version, hlc, state, name, body FROM item ORDER BY code", 6},
        {"SELECT year, hlc, body FROM calendar_year ORDER BY year", 3},
        {"SELECT origin, seq, state, reason FROM event WHERE state <> 'applied' ORDER BY origin, "
         "seq",
         4},
    };
    struct sha256 *h = sha256_create();
    unsigned char sum[32];
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sizeof all / sizeof all[0]; i++) {
        char sql[600];
        snprintf(sql, sizeof sql, "%s /* full scan on purpose */", all[i].sql);
        struct stmt *st = db_stmt(db, sql);
        bool row;
        while ((err = db_step(st, &row, e)) == OK && row)
            add_row(h, st, all[i].columns);
        sha256_update(h, "\2", 1);
    }
    sha256_final(h, sum);
    sha256_destroy(h);
    hex_encode(sum, 32, out);
    return err;
}
