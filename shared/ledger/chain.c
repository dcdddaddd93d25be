/* Where each chain ends. */
#include "ledger/chain.h"

#include "ledger/inside.h"

#include <string.h>

enum err ledger_head(struct db *db, const char *origin, uint64_t *ret_seq, unsigned char hash[32],
                     struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT seq, hash FROM origin WHERE origin = $1");
    enum err err;
    bool row;

    *ret_seq = 0;
    memset(hash, 0, 32);
    bind_text(st, 1, origin);
    if ((err = db_step(st, &row, e)) != OK || !row)
        return err;
    *ret_seq = (uint64_t)col_int(st, 0);
    chain_copy32(st, 1, hash);
    db_reset(st);
    return OK;
}

enum err chain_set_head(struct db *db, const char *origin, uint64_t seq,
                        const unsigned char hash[32], struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO origin (origin, seq, hash) VALUES ($1, $2, $3) "
                                  "ON CONFLICT (origin) DO UPDATE SET seq = excluded.seq, "
                                  "hash = excluded.hash");

    bind_text(st, 1, origin);
    bind_int(st, 2, (int64_t)seq);
    bind_blob(st, 3, hash, 32);
    return db_run(st, e);
}

enum err ledger_hash_at(struct db *db, const char *origin, uint64_t seq, unsigned char hash[32],
                        struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT hash FROM event WHERE origin = $1 AND seq = $2");
    enum err err;
    bool row;

    memset(hash, 0, 32);
    if (!seq)
        return OK;
    bind_text(st, 1, origin);
    bind_int(st, 2, (int64_t)seq);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (!row || !chain_copy32(st, 0, hash))
        err = ERR_NOT_FOUND;
    db_reset(st);
    return err;
}

bool chain_copy32(struct stmt *st, int i, unsigned char out[32])
{
    size_t n;
    const void *p = col_blob(st, i, &n);

    if (n != 32)
        return false;
    memcpy(out, p, 32);
    return true;
}
