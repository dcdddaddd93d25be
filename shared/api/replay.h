/* Answers kept for the Idempotency-Key that they were given under. Store thread. */
#ifndef API_REPLAY_H
#define API_REPLAY_H

#include "base/err.h"

#include <stdbool.h>

struct db;
struct work;

#define REPLAY_KEY_MAX 128 /* characters */

/* Is there an answer for w->key? Then w->body, w->status and w->replayed are set. ERR_INVALID and
 * w->problem: the key meant another request. */
MUST_USE enum err replay_find(struct work *w, struct db *db, struct errmsg *e);
/* Keep the answer of w, for a week; those that are older go. */
MUST_USE enum err replay_keep(struct work *w, struct db *db, struct errmsg *e);

#endif
