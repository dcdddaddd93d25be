#include "api/replay.h"

#include "api/call.h"

#include <string.h>

#define KEEP_MS (7LL * 24 * 3600 * 1000)

enum err replay_find(struct work *w, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT request_hash, status, body FROM idempotency "
                                  "WHERE caller = $caller AND key = $key");
    bind_text(st, "caller", w->caller.user);
    bind_text(st, "key", w->key);
    bool row;
    enum err err = db_step(st, &row, e);
    if (err != OK || !row)
        return err;
    size_t n;
    const void *hash = col_blob(st, 0, &n);
    if (n != 32 || memcmp(hash, w->request_hash, 32)) {
        problem_set(&w->problem, 422, "idempotency-key-reused", "Idempotency-Key",
                    "a new key for a new request", w->key,
                    "同一个 Idempotency-Key 已用于另一个请求。请换一个新的。",
                    "This Idempotency-Key was used for another request. Take a new one.");
        err = ERR_INVALID;
    } else {
        w->status = (int)col_int(st, 1);
        buf_puts(&w->body, col_text(st, 2));
        w->replayed = true;
    }
    db_reset(st);
    return err;
}

enum err replay_keep(struct work *w, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "DELETE FROM idempotency WHERE created_ms < $1");
    bind_int(st, 1, w->started_ms - KEEP_MS);
    enum err err = db_run(st, e);
    if (err != OK)
        return err;
    st =
        db_stmt(db, "INSERT INTO idempotency (caller, key, request_hash, status, body, created_ms) "
                    "VALUES ($caller, $key, $hash, $status, $body, $created)");
    bind_text(st, "caller", w->caller.user);
    bind_text(st, "key", w->key);
    bind_blob(st, "hash", w->request_hash, 32);
    bind_int(st, "status", w->status);
    bind_text(st, "body", buf_text(&w->body));
    bind_int(st, "created", w->started_ms);
    return db_run(st, e);
}
