/* Signed heads, and the walk over every chain: what lets a parent prove that a child's past is as
 * it was. */
#include "base/crypto.h"
#include "ledger/ledger.h"

#include <string.h>

static void head_text(const char *origin, uint64_t seq, const unsigned char hash[32],
                      struct buf *out)
{
    buf_puts(out, "doorstep.head.1");
    buf_puts(out, origin);
    buf_u64(out, seq);
    buf_append(out, hash, 32);
}

void ledger_sign_head(const unsigned char seed[32], const char *origin, uint64_t seq,
                      const unsigned char hash[32], unsigned char sig[64])
{
    struct buf b = {0};

    head_text(origin, seq, hash, &b);
    crypto_sign(seed, b.data, b.len, sig);
    buf_free(&b);
}

enum err ledger_key_set(struct db *db, const char *site, const unsigned char key[32],
                        struct errmsg *e)
{
    static const unsigned char zeros[32];
    struct stmt *st =
        db_stmt(db, "INSERT INTO origin (origin, seq, hash, public_key) "
                    "VALUES ($1, 0, $2, $3) "
                    "ON CONFLICT (origin) DO UPDATE SET public_key = excluded.public_key");
    /* A site made anew has another key: what it signed with the old one, in whichever epoch, proves
     * nothing under the new. */
    struct stmt *forget =
        db_stmt(db, "UPDATE origin SET signed_seq = 0, signed_hash = NULL, signature = NULL "
                    "WHERE substr(origin, 1, 12) = $1 AND EXISTS "
                    "(SELECT 1 FROM origin s WHERE s.origin = $1 AND s.public_key <> $2)");
    bind_text(forget, 1, site);
    bind_blob(forget, 2, key, 32);
    enum err err = db_run(forget, e);
    if (err != OK)
        return err;

    bind_text(st, 1, site);
    bind_blob(st, 2, zeros, 32);
    bind_blob(st, 3, key, 32);
    return db_run(st, e);
}

/* Copy a 32-byte column; false when it is not there. */
static bool copy32(struct stmt *st, int i, unsigned char out[32])
{
    size_t n;
    const void *p = col_blob(st, i, &n);

    if (n != 32)
        return false;
    memcpy(out, p, 32);
    return true;
}

static enum err check_signature(const unsigned char key[32], const char *origin, uint64_t seq,
                                const unsigned char hash[32], const unsigned char sig[64],
                                struct errmsg *e)
{
    struct buf b = {0};
    bool good;

    head_text(origin, seq, hash, &b);
    good = crypto_verify(key, b.data, b.len, sig);
    buf_free(&b);
    if (good)
        return OK;
    errmsg_set(e, "origin %s: the signature over event %llu is wrong", origin,
               (unsigned long long)seq);
    return ERR_PEER;
}

/* What is known here of an origin and of one of its events. */
struct held {
    bool origin, key, event;
    unsigned char public_key[32], hash[32];
    int64_t signed_seq;
};

static enum err read_held(struct db *db, const char *origin, uint64_t seq, struct held *h,
                          struct errmsg *e)
{
    /* The key is the site's, in all its epochs. */
    struct stmt *st = db_stmt(db, "SELECT s.public_key, o.signed_seq, v.hash FROM origin o "
                                  "LEFT JOIN origin s ON s.origin = substr(o.origin, 1, 12) "
                                  "LEFT JOIN event v ON v.origin = o.origin AND v.seq = $2 "
                                  "WHERE o.origin = $1");
    enum err err;

    memset(h, 0, sizeof *h);
    bind_text(st, 1, origin);
    bind_int(st, 2, (int64_t)seq);
    err = db_step(st, &h->origin, e);
    if (err == OK && h->origin) {
        h->key = copy32(st, 0, h->public_key);
        h->signed_seq = col_int(st, 1);
        h->event = copy32(st, 2, h->hash);
    }
    db_reset(st);
    return err;
}

enum err ledger_witness(struct db *db, const char *origin, uint64_t seq,
                        const unsigned char hash[32], const unsigned char sig[64], struct errmsg *e)
{
    struct held h;
    struct stmt *st;
    enum err err = read_held(db, origin, seq, &h, e);

    if (err != OK || !h.key)
        return err;
    err = check_signature(h.public_key, origin, seq, hash, sig, e);
    if (err != OK)
        return err;
    if (!h.event || memcmp(h.hash, hash, 32) != 0) {
        errmsg_set(e, "origin %s: the signed head does not fit event %llu as held here", origin,
                   (unsigned long long)seq);
        return ERR_PEER;
    }
    if ((int64_t)seq <= h.signed_seq)
        return OK;
    st = db_stmt(db, "UPDATE origin SET signed_seq = $2, signed_hash = $3, signature = $4 "
                     "WHERE origin = $1");
    bind_text(st, 1, origin);
    bind_int(st, 2, (int64_t)seq);
    bind_blob(st, 3, hash, 32);
    bind_blob(st, 4, sig, 64);
    return db_run(st, e);
}

struct chain {
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
static enum err follow(struct chain *c, struct stmt *st, const struct event *ev, struct errmsg *e)
{
    unsigned char held[32], want[32];

    if (strcmp(c->origin, ev->origin)) {
        memset(c, 0, sizeof *c);
        memcpy(c->origin, ev->origin, strnlen(ev->origin, sizeof c->origin - 1));
    }
    if (!copy32(st, 8, held))
        return broken(e, ev, "has no hash");
    if (ev->seq != c->seq + 1)
        return broken(e, ev, "comes after a gap");
    event_hash(c->hash, ev, want);
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

        if (!none && (!copy32(st, 2, head) || !copy32(st, 3, last) || memcmp(head, last, 32))) {
            errmsg_set(e, "origin %s: the head is not its last event", origin);
            err = ERR_CORRUPT;
        } else if (n == 64 && copy32(st, 4, key) && copy32(st, 6, signed_hash) &&
                   check_signature(key, origin, (uint64_t)col_int(st, 5), signed_hash, sig, e) !=
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

enum err ledger_verify(struct db *db, int64_t *ret_events, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT v.origin, v.seq, v.hlc, v.kind, v.case_no, v.street, v.actor, "
                    "v.body, v.hash FROM event v JOIN origin o ON o.origin = v.origin "
                    "WHERE o.seq > 0 ORDER BY v.origin, v.seq /* full scan on purpose */");
    struct chain c = {0};
    int64_t n = 0;
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        struct event ev = ledger_row(st, 0);
        if ((err = follow(&c, st, &ev, e)) != OK) {
            db_reset(st);
            return err;
        }
        n++;
    }
    if (err == OK)
        err = check_heads(db, e);
    if (err == OK)
        *ret_events = n;
    return err;
}
