/* The walk over every chain. */
#include "ledger/chain.h"
#include "ledger/inside.h"

#include <string.h>

/* Where the walk stands: the origin, its last event and that one's hash. */
struct walk {
    char origin[25];
    uint64_t seq;
    unsigned char hash[32];
};

static enum err broken(struct errmsg *e, const struct event *ev, const char *why)
{
    errmsg_set(e, "origin %s event %llu: %s", ev->origin, (unsigned long long)ev->seq, why);
    return ERR_CORRUPT;
}

/* The next event of the chain, or the first of another origin. */
static enum err follow(struct walk *c, struct stmt *st, const struct event *ev, struct errmsg *e)
{
    unsigned char held[32], want[32];
    struct event_sum sum;

    if (strcmp(c->origin, ev->origin)) {
        memset(c, 0, sizeof *c);
        memcpy(c->origin, ev->origin, strnlen(ev->origin, sizeof c->origin - 1));
    }
    if (!chain_copy32(st, LEDGER_COLUMN_COUNT, held))
        return broken(e, ev, "has no hash");
    if (ev->seq != c->seq + 1)
        return broken(e, ev, "comes after a gap");
    event_sum(ev, &sum);
    event_hash(c->hash, ev->origin, ev->seq, sum.core, want);
    if (memcmp(held, want, 32))
        return broken(e, ev, "is not what was chained");
    memcpy(c->hash, want, 32);
    c->seq = ev->seq;
    return OK;
}

static enum err check_heads(struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "SELECT o.origin, o.seq, o.hash, v.hash, s.public_key, o.signed_seq, "
        "o.signed_hash, o.signature FROM origin o "
        "LEFT JOIN origin s ON s.origin = substr(o.origin, 1, 12) "
        "LEFT JOIN event v ON v.origin = o.origin AND v.seq = o.seq /* full scan on purpose */");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        unsigned char head[32], last[32], key[32], signed_hash[32];
        size_t n = 0;
        const void *sig = col_blob(st, 7, &n);
        const char *origin = col_text(st, 0);
        bool none = col_int(st, 1) == 0;

        if (!none &&
            (!chain_copy32(st, 2, head) || !chain_copy32(st, 3, last) || memcmp(head, last, 32))) {
            errmsg_set(e, "origin %s: the head is not its last event", origin);
            err = ERR_CORRUPT;
        } else if (n == 64 && chain_copy32(st, 4, key) && chain_copy32(st, 6, signed_hash) &&
                   witness_check(key, origin, (uint64_t)col_int(st, 5), signed_hash, sig, e) !=
                       OK) {
            err = ERR_CORRUPT;
        }
        if (err != OK) {
            db_reset(st);
            return err;
        }
    }
    return err;
}

static enum err check_chains(struct db *db, int64_t *ret_chained, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT " LEDGER_COLUMNS("v.") ", v.hash FROM event v "
                                           "JOIN origin o ON o.origin = v.origin WHERE o.seq > 0 "
                                           "ORDER BY v.origin, v.seq /* full scan on purpose */");
    struct walk c = {0};
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        if ((err = follow(&c, st, &ev, e)) != OK) {
            db_reset(st);
            return err;
        }
        ++*ret_chained;
    }
    return err;
}

static enum err count_personal(struct db *db, int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "SELECT count(*) FROM event WHERE personal IS NOT NULL /* full scan on purpose */");
    enum err err;
    bool row;

    if ((err = db_step(st, &row, e)) == OK)
        *ret = row ? col_int(st, 0) : 0;
    db_reset(st);
    return err;
}

enum err ledger_verify(struct db *db, struct ledger_counts *ret, struct errmsg *e)
{
    struct ledger_counts n = {0};
    enum err err = check_chains(db, &n.chained, e);

    if (err == OK)
        err = check_heads(db, e);
    if (err == OK)
        err = count_personal(db, &n.personal, e);
    if (err == OK)
        err = ledger_shells(db, &n.shells, e);
    if (err == OK)
        *ret = n;
    return err;
}
