/* Signed heads: what lets a parent prove that a child's past is as it was. */
#include "base/crypto.h"
#include "ledger/chain.h"
#include "ledger/inside.h"

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

enum err witness_check(const unsigned char key[32], const char *origin, uint64_t seq,
                       const unsigned char hash[32], const unsigned char sig[64], struct errmsg *e)
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
        h->key = chain_copy32(st, 0, h->public_key);
        h->signed_seq = col_int(st, 1);
        h->event = chain_copy32(st, 2, h->hash);
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
    err = witness_check(h.public_key, origin, seq, hash, sig, e);
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
