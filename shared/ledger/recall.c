/* Where a site stands in getting back a past that it has forgotten: one text in meta. */
#include "ledger/recall.h"

#include "ledger/meta.h"

#include <string.h>

static enum err stands_at(struct db *db, char out[16], struct errmsg *e)
{
    return meta_read(db, "recall", out, 16, NULL, e);
}

enum err ledger_recall_begin(struct db *db, struct errmsg *e)
{
    return meta_write(db, "recall", "asking", e);
}

enum err ledger_recalling(struct db *db, bool *ret, struct errmsg *e)
{
    char at[16];
    enum err err = stands_at(db, at, e);

    *ret = err == OK && at[0];
    return err;
}

enum err ledger_recall_agreed(struct db *db, struct errmsg *e)
{
    bool recalling;
    enum err err = ledger_recalling(db, &recalling, e);

    return err == OK && recalling ? meta_write(db, "recall", "agreed", e) : err;
}

enum err ledger_recall_takes(struct db *db, bool *ret, struct errmsg *e)
{
    char at[16];
    enum err err = stands_at(db, at, e);

    *ret = err == OK && !strcmp(at, "agreed");
    return err;
}

enum err ledger_recall_end(struct db *db, uint64_t numbers_after, struct errmsg *e)
{
    enum err err = numbers_after ? meta_write_u64(db, "numbers_after", numbers_after, e) : OK;

    return err == OK ? meta_delete(db, "recall", e) : err;
}
