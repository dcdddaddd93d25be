/* What was answered, and how fast. Pure. */
#ifndef NET_HTTP_STATS_H
#define NET_HTTP_STATS_H

#include "base/buf.h"

#include <stdint.h>

#define HTTP_STATS_STEPS 12

/* Since the start; all zero at the beginning. */
struct http_stats {
    uint64_t answers[6];               /* by the first digit of the status */
    uint64_t within[HTTP_STATS_STEPS]; /* answers that took at most so long: http_stats.c */
    uint64_t count;                    /* of all */
    double seconds;                    /* that all took together */
};

/* One more answer: from the last byte of a head to the last of its answer. */
void http_stats_note(struct http_stats *s, int status, int64_t us);
/* doorstep_http_answers_total and the histogram doorstep_http_seconds, in the text form of
 * Prometheus. */
void http_stats_metrics(const struct http_stats *s, struct buf *out);

#endif
