/* How much of something one caller has had in this window of time. Pure; one thread at a time. */
#ifndef API_TALLY_H
#define API_TALLY_H

#include <stdint.h>

struct tally;

/* A fixed table; where it is full, the window that began longest ago gives way. */
struct tally *tally_create(void);
void tally_destroy(struct tally *t);

/* What was added under kind and whose in the window of window_ms that began with its first
 * addition; 0 once that is over. */
int64_t tally_of(const struct tally *t, const char *kind, const char *whose, int64_t window_ms,
                 int64_t now_ms);
void tally_add(struct tally *t, const char *kind, const char *whose, int64_t window_ms,
               int64_t now_ms, int64_t n);

#endif
