/* Events as rows: stored, read back, filled. */
#include "ledger/row.h"

#include "ledger/inside.h"

#include <assert.h>
#include <string.h>

enum err row_store(struct db *db, const struct event *ev, const unsigned char *hash,
                   const char *from, uint64_t up_pos, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "INSERT INTO event (street, origin, seq, hlc, kind, dossier, actor, flags, record, "
            "personal, salt, personal_digest, more, signature, hash, state, from_peer, up_pos) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'applied', "
            "$16, $17)");
    bool here = ev->form == EVENT_FORM_HERE, shell = ev->form == EVENT_FORM_DIGEST;

    lend_text(st, 1, ev->street, strlen(ev->street));
    lend_text(st, 2, ev->origin, strlen(ev->origin));
    bind_int(st, 3, (int64_t)ev->seq);
    bind_int(st, 4, (int64_t)ev->hlc);
    lend_text(st, 5, ev->kind, strlen(ev->kind));
    lend_text(st, 6, ev->dossier, strlen(ev->dossier));
    lend_text(st, 7, ev->actor, strlen(ev->actor));
    bind_int(st, 8, ev->flags);
    lend_text(st, 9, ev->record, ev->record_len);
    if (here) {
        lend_text(st, 10, ev->personal, ev->personal_len);
        lend_blob(st, 11, ev->salt, EVENT_SALT_BYTES);
    }
    if (shell)
        lend_blob(st, 12, ev->personal_digest, 32);
    if (ev->more_len)
        lend_blob(st, 13, ev->more, ev->more_len);
    if (ev->signature)
        lend_blob(st, 14, ev->signature, 64);
    if (hash)
        lend_blob(st, 15, hash, 32);
    if (from)
        lend_text(st, 16, from, strlen(from));
    if (up_pos)
        bind_int(st, 17, (int64_t)up_pos);
    return db_run(st, e);
}

enum err row_state(struct db *db, const struct event *ev, const char *state, const char *reason,
                   struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2");

    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_text(st, 3, state);
    bind_text(st, 4, reason);
    return db_run(st, e);
}

/* n bytes of a column; NULL when it does not hold exactly so many. */
static const unsigned char *column_of(struct stmt *st, int i, size_t n)
{
    size_t len;
    const unsigned char *p = col_blob(st, i, &len);

    return len == n ? p : NULL;
}

struct event ledger_row(struct stmt *st, int first)
{
    static const unsigned char zeros[64]; /* for what was spoilt: verify finds it */
    struct event ev = {.origin = col_text(st, first),
                       .seq = (uint64_t)col_int(st, first + 1),
                       .hlc = (uint64_t)col_int(st, first + 2),
                       .kind = col_text(st, first + 3),
                       .dossier = col_text(st, first + 4),
                       .street = col_text(st, first + 5),
                       .actor = col_text(st, first + 6),
                       .flags = (unsigned)col_int(st, first + 7) & EVENT_FLAGS_ALL,
                       .record = col_text(st, first + 8)};

    ev.record_len = strlen(ev.record);
    if (!col_is_null(st, first + 9))
        ev.more = col_blob(st, first + 9, &ev.more_len);
    if (ev.flags & EVENT_PERSONAL) {
        ev.personal = col_text(st, first + 10);
        ev.salt = ev.personal ? column_of(st, first + 11, EVENT_SALT_BYTES) : NULL;
        ev.form = ev.salt ? EVENT_FORM_HERE : EVENT_FORM_DIGEST;
    }
    if (ev.form == EVENT_FORM_HERE) {
        ev.personal_len = strlen(ev.personal);
    } else if (ev.form == EVENT_FORM_DIGEST) {
        ev.personal = NULL;
        ev.personal_digest = column_of(st, first + 12, 32);
        if (!ev.personal_digest)
            ev.personal_digest = zeros;
    }
    if (ev.flags & EVENT_SIGNED) {
        ev.signature = column_of(st, first + 13, 64);
        if (!ev.signature)
            ev.signature = zeros;
    }
    return ev;
}

enum err ledger_each(struct db *db, const char *dossier,
                     enum err (*fn)(void *arg, const struct event *, struct errmsg *), void *arg,
                     struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE dossier = $1 "
                                                               "ORDER BY hlc, origin, seq");
    enum err err;
    bool row;

    bind_text(st, 1, dossier);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        if ((err = fn(arg, &ev, e)) != OK) {
            db_reset(st);
            return err;
        }
    }
    return err;
}

/* ---- shells -----------------------------------------------------------------------------------*/

/* Is the event held without its personal part, and is it this one in all the rest? */
static enum err fits(struct db *db, const struct event *ev, const struct event_sum *sum, bool *ret,
                     struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE origin = $1 AND seq = $2");
    enum err err;
    bool row;

    *ret = false;
    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    if ((err = db_step(st, &row, e)) != OK || !row)
        return err;
    struct event held = ledger_row(st, 0);
    if (held.form == EVENT_FORM_DIGEST) {
        struct event_sum own;
        event_sum(&held, &own);
        *ret = !memcmp(own.core, sum->core, 32);
    }
    db_reset(st);
    return OK;
}

enum err ledger_fill(struct db *db, const struct event *ev, const struct event_sum *sum,
                     bool *ret_filled, struct errmsg *e)
{
    struct stmt *st;
    enum err err;

    assert(ev->form == EVENT_FORM_HERE && sum->made);
    if ((err = fits(db, ev, sum, ret_filled, e)) != OK || !*ret_filled)
        return err;
    st = db_stmt(db, "UPDATE event SET personal = $3, salt = $4, personal_digest = NULL "
                     "WHERE origin = $1 AND seq = $2");
    bind_text(st, 1, ev->origin);
    bind_int(st, 2, (int64_t)ev->seq);
    bind_text(st, 3, ev->personal);
    bind_blob(st, 4, ev->salt, EVENT_SALT_BYTES);
    return db_run(st, e);
}

enum err ledger_shells(struct db *db, int64_t *ret, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT count(*) FROM event WHERE personal_digest IS NOT NULL "
                    "/* full scan: of an index that holds nothing but what is counted */");
    enum err err;
    bool row;

    if ((err = db_step(st, &row, e)) == OK)
        *ret = row ? col_int(st, 0) : 0;
    db_reset(st);
    return err;
}
