/* Leases on clocks that a wall clock cannot move. The child believes the parent's clock to be
 * further than it can be; the parent waits longer than it must. */
#include "office/lease.h"

#include "base/text.h"
#include "ledger/link_rows.h"
#include "ledger/meta.h"

#include <stdlib.h>

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
    enum err err;

    bind_text(st, 1, child);
    bind_int(st, 2, now);
    bind_int(st, 3, o->lease_length_ms);
    if ((err = db_run(st, e)) != OK ||
        (err = meta_write_u64(db, "lease_clock", (uint64_t)now, e)) != OK ||
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
enum err lease_held(struct office *o, struct db *db, bool *ret, struct errmsg *e)
{
    char text[160], boot[64];
    long long asked, now, until;
    unsigned long long pos;
    struct link_state link;
    enum err err = OK;

    *ret = o->tier != TIER_COMMUNITY; /* from a street no case is taken back */
    if (*ret || (err = meta_read(db, "lease", text, sizeof text, NULL, e)) != OK)
        return err;
    if (sscanf(text, "%60s %lld %lld %lld %llu", boot, &asked, &now, &until, &pos) != 5 ||
        strcmp(boot, o->boot))
        return OK;
    long long passed = host_mono_ms(o->host) - asked;
    if (passed < 0 || now + passed + passed / 100 + 1 >= until)
        return OK;
    if ((err = link_read(db, o->parent, &link, e)) == OK)
        *ret = link.recv_pos >= pos;
    return err == ERR_NOT_FOUND ? OK : err;
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

/* Has the event that opened it left this site at most into a closed link? */
static enum err never_sent(struct db *db, const struct dossier *d, bool *ret, struct errmsg *e)
{
    char text[24];
    bool row;
    enum err err = meta_read(db, "maybe_sent", text, sizeof text, NULL, e);

    *ret = false;
    if (err != OK || text_is(text, "all") || !d->opening)
        return err;
    struct stmt *st = db_stmt(db, "SELECT up_pos FROM event WHERE origin = $1 AND seq = $2");
    bind_text(st, 1, d->opening->ev.origin);
    bind_int(st, 2, (int64_t)d->opening->ev.seq);
    if ((err = db_step(st, &row, e)) == OK && row)
        *ret = col_int(st, 0) > strtoll(text, NULL, 10);
    db_reset(st);
    return err;
}

enum err lease_covers(struct office *o, struct db *db, const struct dossier *d, bool *ret,
                      struct errmsg *e)
{
    enum err err = lease_held(o, db, ret, e);

    return err == OK && !*ret ? never_sent(db, d, ret, e) : err;
}

static enum err lease_renew_all(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO lease (child, promised_ms, length_ms) SELECT peer, $1, $2 FROM link "
            "WHERE role = 'child' ON CONFLICT (child) DO UPDATE SET "
            "promised_ms = excluded.promised_ms, length_ms = excluded.length_ms");

    bind_int(st, 1, clock_now(o));
    bind_int(st, 2, o->lease_length_ms);
    return db_run(st, e);
}

static int64_t with_margin(const struct office *o, int64_t promised, int64_t length)
{
    return promised + length + length / 100 + o->lease_margin_ms;
}

/* The promise to the child; *ret_made false: there is none that this database knows of. */
static enum err promised_until(struct office *o, struct db *db, const char *child, bool *ret_made,
                               int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT promised_ms, length_ms FROM lease WHERE child = $1");

    bind_text(st, 1, child);
    enum err err = db_step(st, ret_made, e);
    if (err == OK && *ret_made)
        *ret = with_margin(o, col_int(st, 0), col_int(st, 1));
    db_reset(st);
    return err;
}

enum err lease_over(struct office *o, struct db *db, const char *child, bool *ret, struct errmsg *e)
{
    uint64_t floor = 0;
    int64_t until = 0;
    bool made;
    enum err err = promised_until(o, db, child, &made, &until, e);

    /* What an earlier life of this site has promised, it does not know. */
    if (err == OK && !made && (err = meta_read_u64(db, "lease_floor", &floor, e)) == OK)
        until = floor ? with_margin(o, (int64_t)floor, o->lease_length_ms) : 0;
    *ret = err == OK && clock_now(o) > until;
    return err;
}

enum err lease_stands(struct office *o, struct db *db, const char *child, bool *ret,
                      struct errmsg *e)
{
    int64_t until = 0;
    bool made;
    enum err err = promised_until(o, db, child, &made, &until, e);

    *ret = err == OK && made && clock_now(o) <= until;
    return err;
}

enum err lease_forgotten(struct office *o, struct db *db, struct errmsg *e)
{
    enum err err = meta_write_u64(db, "lease_floor", (uint64_t)clock_now(o) + 1, e);

    return err == OK ? lease_renew_all(o, db, e) : err;
}

enum err lease_open(struct office *o, struct db *db, struct errmsg *e)
{
    uint64_t clock = 0;
    enum err err = meta_read_u64(db, "lease_clock", &clock, e);

    o->lease_base_ms = (int64_t)clock;
    o->lease_base_mono_ms = host_mono_ms(o->host);
    if (!o->lease_length_ms)
        o->lease_length_ms = LEASE_LENGTH_MS;
    if (!o->lease_margin_ms)
        o->lease_margin_ms = LEASE_MARGIN_MS;
    return err;
}
