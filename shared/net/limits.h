/* How much of everything a program takes from outside: one table, one file of an operator's own
 * values (doorstep.conf), one count of what is in use. Loop thread. */
#ifndef NET_LIMITS_H
#define NET_LIMITS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum limit {
    LIMIT_CONNECTIONS,
    LIMIT_CONNECTIONS_PER_CLIENT,
    LIMIT_SYNC_CONNECTIONS,
    LIMIT_HEADER_SECONDS,
    LIMIT_HEADER_BYTES,
    LIMIT_BODY_SECONDS,
    LIMIT_BODY_MEMORY_BYTES,
    LIMIT_IDLE_SECONDS,
    LIMIT_LIVE_SOCKETS,
    LIMIT_LIVE_UNSIGNED,
    LIMIT_LIVE_SIGN_IN_SECONDS,
    LIMIT_LIVE_PING_SECONDS,
    LIMIT_UPLOADS,
    LIMIT_UPLOADS_PER_CLIENT,
    LIMIT_UPLOAD_BYTES,
    LIMIT_UPLOAD_BYTES_PER_CLIENT,
    LIMIT_UNNAMED_PAPER_HOURS,
    LIMIT_FILINGS_PER_PERSON_DAY,
    LIMIT_FILINGS_PER_PHONE_DAY,
    LIMIT_FILINGS_PER_NETWORK_HOUR,
    LIMIT_SIGN_INS_PER_NAME,
    LIMIT_SIGN_INS_PER_NETWORK,
    LIMIT_SIGN_INS_WAITING,
    LIMIT_CODES_PER_CASE,
    LIMIT_CODES_PER_NETWORK,
    LIMIT_COUNT
};

struct limits {
    int64_t max[LIMIT_COUNT];      /* what is taken at most */
    int64_t used[LIMIT_COUNT];     /* of those that are held for a while; else 0 */
    uint64_t refused[LIMIT_COUNT]; /* how often somebody was told "no" since the start */
};

/* The values that ship; many: of a hub. Nothing is in use. */
void limits_init(struct limits *l, bool many);

/**
 * limits_read(l, path, e):
 * Lay the operator's values in the file ${path} over those of ${l}.
 *
 * Shapes  Lines "key = value", the keys of limits_key(), values whole numbers; blank lines and
 *         lines that begin with # count for nothing. A key may stand once.
 * Errors  No such file: OK, nothing changed. ERR_INVALID: an unknown key, a value out of its
 *         range, or a line that is neither; ${e} names the file, the line and what is allowed, and
 *         ${l} is not to be used. ERR_IO: the file cannot be read.
 */
MUST_USE enum err limits_read(struct limits *l, const char *path, struct errmsg *e);

/* The key of doorstep.conf and the label in the metrics, as "connections_per_client". */
const char *limits_key(enum limit x);

/* Take n of it when that leaves at most max in use. false: nothing is taken, and a refusal is
 * counted. What was taken is given back by limits_give(). */
bool limits_take(struct limits *l, enum limit x, int64_t n);
void limits_give(struct limits *l, enum limit x, int64_t n);
/* Somebody was told "no" by a limit that is counted elsewhere. */
void limits_note_refusal(struct limits *l, enum limit x);

/* The rows doorstep_limit, doorstep_limit_used and doorstep_limit_refused_total, in the text form
 * of Prometheus. */
void limits_metrics(const struct limits *l, struct buf *out);

#endif
