/* How much uploads may use, by client and in total, and the end of what nobody names. */
#ifndef API_UPLOAD_USE_H
#define API_UPLOAD_USE_H

#include "base/problem.h"
#include "net/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct blob_dir;
struct host;
struct loop;
struct store;
struct upload_use;

/**
 * upload_use_create(...):
 * Count uploads within ${limits}, and every ten minutes remove those whose time is over: their rows
 * and bytes, and a paper that no case has named by then, with its row.
 *
 * Order   A paper's bytes go only in a turn after the one that has removed its row for good, and
 *         only where no row names it anew.
 * Owns    Everything given must live on until upload_use_destroy(), which is called before the
 *         store is closed or after. Loop thread.
 */
struct upload_use *upload_use_create(struct loop *loop, struct store *store,
                                     const struct host *host, struct limits *limits,
                                     struct blob_dir *blobs, const char *dir);
void upload_use_destroy(struct upload_use *u); /* NULL is allowed */

/* One more upload of so many bytes from this network. false: p is a 429 (the client has begun as
 * much as it may in a day) or a 503 (all together have). */
bool upload_use_begin(struct upload_use *u, const char *network, int64_t length, struct problem *p);
/* The row of one of so many bytes is gone, or was never made. */
void upload_use_end(struct upload_use *u, int64_t length);

#endif
