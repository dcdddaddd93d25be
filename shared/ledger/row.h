/* The row of an event, as it is read back. */
#ifndef LEDGER_ROW_H
#define LEDGER_ROW_H

#include "db/db.h"
#include "ledger/event.h"

/* What ledger_row() reads, in its order, for a SELECT; v is "" or the table's alias and a dot. */
#define LEDGER_COLUMNS(v)                                                                          \
    v "origin, " v "seq, " v "hlc, " v "kind, " v "dossier, " v "street, " v "actor, " v           \
      "flags, " v "record, " v "more, " v "personal, " v "salt, " v "personal_digest, " v          \
      "signature"
#define LEDGER_COLUMN_COUNT 14

/**
 * ledger_row(st, first):
 * The event in the LEDGER_COLUMNS from column ${first} on. One whose personal part is not here
 * comes out in form DIGEST.
 *
 * Owns    Texts and bytes are the statement's: good until its next step or reset.
 */
struct event ledger_row(struct stmt *st, int first);

/**
 * ledger_each(db, dossier, fn, arg, e):
 * Call ${fn} for the events of ${dossier} ("": for those of none) that are held here, in whatever
 * state, in the order (hlc, origin, seq).
 *
 * Owns    The event's texts are good until ${fn} returns.
 * Errors  Of the store; an error of ${fn} ends the walk and is returned.
 */
MUST_USE enum err ledger_each(struct db *db, const char *dossier,
                              enum err (*fn)(void *arg, const struct event *ev, struct errmsg *e),
                              void *arg, struct errmsg *e);

/**
 * ledger_fill(db, ev, sum, ret_filled, e):
 * The event ${ev}, which is held already, has come again with its personal part. If it is held
 * here without, and both have the same core, take salt and text into the row: *ret_filled. Else
 * nothing is changed. Who may fill is anybody: only the text that was said fits the digest.
 *
 * Shapes  ${ev} is in form HERE, ${sum} is its sum.
 * Order   Whoever has filled folds the dossier again.
 * Source  protocol.md 2: "A shell is filled by anybody who shows salt and text that fit"
 */
MUST_USE enum err ledger_fill(struct db *db, const struct event *ev, const struct event_sum *sum,
                              bool *ret_filled, struct errmsg *e);

/* How many events are held here without the text of their personal part. */
MUST_USE enum err ledger_shells(struct db *db, int64_t *ret, struct errmsg *e);

#endif
