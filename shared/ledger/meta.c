#include "ledger/meta.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err meta_read(struct db *db, const char *key, char *out, size_t cap, bool *ret_there,
                   struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT value FROM meta WHERE key = $1");
    enum err err;
    bool row;

    assert(cap);
    out[0] = 0;
    bind_text(st, 1, key);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (row)
        snprintf(out, cap, "%s", col_text(st, 0));
    if (ret_there)
        *ret_there = row;
    db_reset(st);
    return OK;
}

enum err meta_read_u64(struct db *db, const char *key, uint64_t *ret, struct errmsg *e)
{
    char text[24];
    enum err err = meta_read(db, key, text, sizeof text, NULL, e);

    if (err == OK)
        *ret = strtoull(text, NULL, 10);
    return err;
}

enum err meta_write(struct db *db, const char *key, const char *value, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO meta (key, value) VALUES ($1, $2) "
                                  "ON CONFLICT (key) DO UPDATE SET value = excluded.value");

    bind_text(st, 1, key);
    bind_text(st, 2, value);
    return db_run(st, e);
}

enum err meta_write_u64(struct db *db, const char *key, uint64_t value, struct errmsg *e)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return meta_write(db, key, text, e);
}

enum err meta_delete(struct db *db, const char *key, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "DELETE FROM meta WHERE key = $1");

    bind_text(st, 1, key);
    return db_run(st, e);
}

enum err meta_each(struct db *db, const char *prefix, int max,
                   void (*fn)(void *arg, const char *rest), void *arg, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT key FROM meta WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3");
    size_t n = strlen(prefix);
    char end[64];
    enum err err;
    bool row;

    assert(n && n < sizeof end && prefix[n - 1] == '.');
    memcpy(end, prefix, n + 1);
    end[n - 1] = '.' + 1;
    bind_text(st, 1, prefix);
    bind_text(st, 2, end);
    bind_int(st, 3, max);
    while ((err = db_step(st, &row, e)) == OK && row)
        fn(arg, col_text(st, 0) + n);
    return err;
}
