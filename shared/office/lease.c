/* Leases on clocks that a wall clock cannot move. The child believes the parent's clock to be
 * further than it can be; the parent waits longer than it must. */
#include "office/inside.h"

#include "ledger/link_rows.h"
#include "ledger/meta.h"
#include "ledger/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t clock_now(const struct office *o)
{
    return o->lease_base_ms + host_mono_ms(o->host) - o->lease_base_mono_ms;
}

enum err lease_promise(struct office *o, struct db *db, const char *child,
                       struct lease_promise *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "INSERT INTO lease (child, promised_ms, length_ms) VALUES ($1, $2, $3) "
                    "ON CONFLICT (child) DO UPDATE SET promised_ms = excluded.promised_ms, "
                    "length_ms = excluded.length_ms");
    struct link_state link;
    int64_t now = clock_now(o);
    char text[24];
    enum err err;

    bind_text(st, 1, child);
    bind_int(st, 2, now);
    bind_int(st, 3, o->lease_length_ms);
    snprintf(text, sizeof text, "%lld", (long long)now);
    if ((err = db_run(st, e)) != OK || (err = meta_write(db, "lease_clock", text, e)) != OK ||
        (err = link_read(db, child, &link, e)) != OK)
        return err;
    *ret = (struct lease_promise){now, now, o->lease_length_ms, link.head_pos};
    return OK;
}

enum err lease_keep(struct office *o, struct db *db, int64_t asked, const struct lease_promise *p,
                    struct errmsg *e)
{
    char text[160];

    snprintf(text, sizeof text, "%s %lld %lld %lld %llu", o->boot, (long long)asked,
             (long long)p->now_ms, (long long)(p->promised_ms + p->length_ms),
             (unsigned long long)p->pos);
    return meta_write(db, "lease", text, e);
}

/* protocol.md 6: "decides only while that is before *promised + length*, and only once it holds the
 * parent's outbox up to *position*, where it ended at the promise." */
bool lease_held(struct office *o, struct db *db)
{
    char text[160], boot[64];
    long long asked, now, until;
    unsigned long long pos;
    struct link_state link;
    struct errmsg e;

    if (o->tier != TIER_COMMUNITY)
        return true; /* from a street no case is taken back */
    if (meta_read(db, "lease", text, sizeof text, NULL, NULL) != OK ||
        sscanf(text, "%60s %lld %lld %lld %llu", boot, &asked, &now, &until, &pos) != 5 ||
        strcmp(boot, o->boot))
        return false;
    long long passed = host_mono_ms(o->host) - asked;
    if (passed < 0 || now + passed + passed / 100 + 1 >= until)
        return false;
    return link_read(db, o->parent, &link, &e) == OK && link.recv_pos >= pos;
}

enum err lease_link_opens(struct db *db, struct errmsg *e)
{
    return meta_write(db, "maybe_sent", "all", e);
}

enum err lease_link_closed(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT head_pos FROM link WHERE peer = $1");
    char text[24];
    bool row;
    enum err err;

    bind_text(st, 1, o->parent);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    snprintf(text, sizeof text, "%lld", row ? (long long)col_int(st, 0) : 0LL);
    db_reset(st);
    return meta_write(db, "maybe_sent", text, e);
}

/* Has the event that filed the case left this site at most into a closed link? */
static bool never_sent(struct db *db, const char *case_no)
{
    char text[24];
    struct stmt *st;
    struct errmsg e;
    bool row, unseen = false;

    if (meta_read(db, "maybe_sent", text, sizeof text, NULL, NULL) != OK || !strcmp(text, "all"))
        return false;
    st = db_stmt(db, "SELECT up_pos FROM event WHERE dossier = $1 AND kind = 'case.filed/1'");
    bind_text(st, 1, case_no);
    if (db_step(st, &row, &e) == OK && row)
        unseen = col_int(st, 0) > strtoll(text, NULL, 10);
    db_reset(st);
    return unseen;
}

bool lease_covers(struct office *o, struct db *db, const char *case_no)
{
    return lease_held(o, db) || never_sent(db, case_no);
}

enum err lease_renew_all(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO lease (child, promised_ms, length_ms) SELECT peer, $1, $2 FROM link "
            "WHERE role = 'child' ON CONFLICT (child) DO UPDATE SET "
            "promised_ms = excluded.promised_ms, length_ms = excluded.length_ms");

    bind_int(st, 1, clock_now(o));
    bind_int(st, 2, o->lease_length_ms);
    return db_run(st, e);
}

bool lease_over(struct office *o, struct db *db, const char *child)
{
    struct stmt *st = db_stmt(db, "SELECT promised_ms, length_ms FROM lease WHERE child = $1");
    struct errmsg e;
    bool row, over = false;

    bind_text(st, 1, child);
    if (db_step(st, &row, &e) == OK) /* never promised: never had a case to decide under a lease */
        over = !row || clock_now(o) > col_int(st, 0) + col_int(st, 1) + col_int(st, 1) / 100 +
                                          o->lease_margin_ms;
    db_reset(st);
    return over;
}

static enum err open_clock(struct office *o, struct db *db)
{
    char text[24];
    enum err err = meta_read(db, "lease_clock", text, sizeof text, NULL, NULL);

    o->lease_base_ms = strtoll(text, NULL, 10);
    o->lease_base_mono_ms = host_mono_ms(o->host);
    if (!o->lease_length_ms)
        o->lease_length_ms = LEASE_LENGTH_MS;
    if (!o->lease_margin_ms)
        o->lease_margin_ms = LEASE_MARGIN_MS;
    return err;
}

enum err office_open(struct office *o, struct db *db, struct errmsg *e)
{
    enum err err;

    if (!division_tier(o->site, &o->tier)) {
        errmsg_set(e, "%s is not the code of a site", o->site);
        return ERR_INVALID;
    }
    division_street(o->site, o->street);
    if ((err = ledger_open(&o->ledger, db, o->site, o->host, e)) != OK ||
        (err = open_clock(o, db)) != OK)
        return err;
    memcpy(o->ledger.parent, o->parent, sizeof o->ledger.parent);
    o->ledger.apply = office_apply;
    o->ledger.route = office_route;
    o->ledger.arg = o;
    return OK;
}

void office_close(struct office *o)
{
    calendar_destroy(o->calendar);
    o->calendar = NULL;
}
