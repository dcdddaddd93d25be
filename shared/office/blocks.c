/* Numbers come from blocks that were leased ahead of time, so a site gives them out offline. The
 * next one is one more than the highest that an event of the holder names: nothing is kept beside
 * the ledger. */
#include "base/time.h"
#include "ledger/meta.h"
#include "office/inside.h"

#include <stdio.h>
#include <string.h>

enum err number_leased(struct db *db, const struct event *ev, const struct json *b,
                       struct errmsg *e)
{
    const char *kind = json_get_text(b, "kind"), *holder = json_get_text(b, "holder");

    if (!kind || !holder || strlen(holder) != 12) {
        errmsg_set(e, "a block without kind or holder");
        return ERR_INVALID;
    }
    struct stmt *st = db_stmt(db, "INSERT INTO block (street, kind, holder, first, last, hlc) "
                                  "VALUES ($1, $2, $3, $4, $5, $6) "
                                  "ON CONFLICT (street, kind, first) DO NOTHING");
    bind_text(st, 1, ev->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, holder);
    bind_int(st, 4, json_get_int(b, "first", 0));
    bind_int(st, 5, json_get_int(b, "last", -1));
    bind_int(st, 6, (int64_t)ev->hlc);
    return db_run(st, e);
}

enum err number_used(struct db *db, const char *street, const char *kind, const char *holder,
                     const char *scope, int64_t n, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO counter (street, kind, holder, scope, next) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (street, kind, holder, scope) DO UPDATE SET "
            "next = max(counter.next, excluded.next)");

    bind_text(st, 1, street);
    bind_text(st, 2, kind);
    bind_text(st, 3, holder);
    bind_text(st, 4, scope);
    bind_int(st, 5, n + 1);
    return db_run(st, e);
}

/* Waybills are one space for the whole district: each street's hundred thousand begins where its
 * code says, or at the next free place (upwards: a holder's numbers only rise). Above 90000000 they
 * are the district's. */
enum err number_waybill_block(struct db *db, int64_t wanted, int64_t size, int64_t *ret_first,
                              struct errmsg *e)
{
    for (int64_t first = wanted; first + size <= 90000000; first += size) {
        struct stmt *st = db_stmt(
            db,
            "SELECT 1 FROM block WHERE kind = 'waybill' AND first <= $2 AND last >= $1 LIMIT 1");
        bool row;
        bind_int(st, 1, first);
        bind_int(st, 2, first + size - 1);
        enum err err = db_step(st, &row, e);
        db_reset(st);
        if (err != OK || !row) {
            *ret_first = first;
            return err;
        }
    }
    errmsg_set(e, "no waybill numbers are left");
    return ERR_CONFLICT;
}

enum err number_lease_anew(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    static const char *const kinds[] = {"case", "certificate", "waybill"};
    enum err err = OK;

    for (int i = 0; err == OK && i < 3; i++) {
        struct stmt *st = db_stmt(db, "SELECT max(last - first + 1), max(first), max(last) FROM "
                                      "block WHERE kind = $1 AND holder = $2");
        bool row;
        bind_text(st, 1, kinds[i]);
        bind_text(st, 2, child);
        if ((err = db_step(st, &row, e)) != OK)
            break;
        int64_t size = row ? col_int(st, 0) : 0, first = row ? col_int(st, 1) : 0,
                last = row ? col_int(st, 2) : 0;
        db_reset(st);
        if (!size)
            continue;
        if (o->tier == TIER_STREET)
            err = number_lease_next(o, db, kinds[i], child, size, e);
        else if (strcmp(kinds[i], "waybill")) /* a street has no more than its half: the upper part
                                                 of what is left of it */
            err = number_lease(o, db, kinds[i], child, first + (last - first + 1) / 2, last, e);
        else if ((err = number_waybill_block(db, last + 1, size, &first, e)) == OK)
            err = number_lease(o, db, kinds[i], child, first, first + size - 1, e);
    }
    return err;
}

static enum err next_number(struct office *o, struct db *db, const char *kind, const char *scope,
                            int64_t *ret, struct problem *p)
{
    struct errmsg e = {""};
    struct stmt *st = db_stmt(
        db,
        "SELECT next FROM counter WHERE street = $1 AND kind = $2 AND holder = $3 AND scope = $4");
    int64_t next = 0;
    uint64_t after;
    bool row;
    enum err err;

    bind_text(st, 1, o->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, o->site);
    bind_text(st, 4, scope);
    if ((err = db_step(st, &row, &e)) != OK)
        return err;
    if (row)
        next = col_int(st, 0);
    db_reset(st);
    /* A site with a forgotten past uses only what was leased after it came back. */
    if ((err = meta_read_u64(db, "numbers_after", &after, &e)) != OK)
        return err;
    st = db_stmt(
        db,
        "SELECT first FROM block WHERE street = $1 AND kind = $2 AND holder = $3 AND last >= $4 "
        "AND hlc > $5 ORDER BY first LIMIT 1");
    bind_text(st, 1, o->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, o->site);
    bind_int(st, 4, next);
    bind_int(st, 5, (int64_t)after);
    if ((err = db_step(st, &row, &e)) != OK)
        return err;
    if (!row) {
        problem_set(p, 409, "numbers-used-up", kind, "a block of numbers from the parent office",
                    NULL, "本站的号段已用完，请连上上级站点后重试，系统会自动领取新号段。",
                    "This site has used up its numbers. Connect to the parent office; new ones "
                    "come by themselves.");
        return ERR_CONFLICT;
    }
    *ret = col_int(st, 0) > next ? col_int(st, 0) : next;
    db_reset(st);
    return OK;
}

enum err number_case(struct office *o, struct db *db, int64_t now_ms, char out[22],
                     struct problem *p)
{
    char day[7];
    int64_t n;

    time_yymmdd(now_ms, day);
    enum err err = next_number(o, db, "case", day, &n, p);
    if (err == OK)
        case_number_make(o->street, day, (unsigned)n, out);
    return err;
}

enum err number_certificate(struct office *o, struct db *db, const char *prefix, int64_t now_ms,
                            char out[40], struct problem *p)
{
    char date[11];
    int64_t n;

    time_date(now_ms, date);
    enum err err = next_number(o, db, "certificate", "", &n, p);
    if (err == OK)
        snprintf(out, 40, "%.12s%.4s%.9s%06d", prefix, date, o->street, (int)n);
    return err;
}

enum err number_waybill(struct office *o, struct db *db, char out[14], struct problem *p)
{
    char digits[16];
    int64_t n;
    enum err err = next_number(o, db, "waybill", "", &n, p);

    if (err == OK) {
        snprintf(digits, sizeof digits, "%08d", (int)n);
        s10_make("EA", digits, "CN", out);
    }
    return err;
}

enum err number_lease(struct office *o, struct db *db, const char *kind, const char *holder,
                      int64_t first, int64_t last, struct errmsg *e)
{
    struct json *b = json_object();
    char street[13];

    division_street(holder, street);
    json_set_text(b, "kind", kind);
    json_set_text(b, "holder", holder);
    json_set_int(b, "first", first);
    json_set_int(b, "last", last);
    return office_say(o, db, "block.leased/1", "", street, NULL, b, e);
}

enum err number_lease_next(struct office *o, struct db *db, const char *kind, const char *holder,
                           int64_t size, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT max(last) FROM block WHERE street = $1 AND kind = $2 AND holder <> $3");
    int64_t end = strcmp(kind, "case") ? 500000 : 50000,
            first = 0; /* the street keeps the upper half */
    enum err err;
    bool row;

    bind_text(st, 1, o->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, o->site);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (row && !col_is_null(st, 0))
        first = col_int(st, 0) + 1;
    db_reset(st);
    if (first >= end)
        return OK; /* all are given out; what is used shows when somebody runs out */
    return number_lease(o, db, kind, holder, first, first + size > end ? end - 1 : first + size - 1,
                        e);
}

/* Has the child used four fifths of what it holds of this kind (of cases: today)? */
static enum err top_up(struct office *o, struct db *db, const char *child, const char *kind,
                       const char *scope, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT max(b.last) - coalesce(max(c.next), 0), max(b.last - b.first + 1) "
            "FROM block b LEFT JOIN counter c ON c.street = b.street AND c.kind = b.kind AND "
            "c.holder = b.holder AND c.scope = $4 WHERE b.street = $1 AND b.kind = $2 AND b.holder "
            "= $3");
    enum err err;
    bool row;

    bind_text(st, 1, o->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, child);
    bind_text(st, 4, scope);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    int64_t left = row ? col_int(st, 0) : 0,
            size = row ? col_int(st, 1) : 0; /* size 0: it holds none */
    db_reset(st);
    return left * 5 < size ? number_lease_next(o, db, kind, child, size, e) : OK;
}

enum err office_top_up(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    char day[7];
    enum err err;

    if (o->tier != TIER_STREET)
        return OK;
    time_yymmdd(host_wall_ms(o->host), day);
    if ((err = top_up(o, db, child, "certificate", "", e)) != OK)
        return err;
    return top_up(o, db, child, "case", day, e);
}
