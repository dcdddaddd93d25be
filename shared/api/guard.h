/* Counts failed sign-ins per name and address, so that passwords cannot be tried at speed. */
#ifndef API_GUARD_H
#define API_GUARD_H

#include <stdint.h>

struct guard;

#define GUARD_FREE_TRIES 8           /* failures before a pause is asked for */
#define GUARD_PAUSE_MS (30LL * 1000) /* after the first of them; doubles with each, up to ... */
#define GUARD_PAUSE_MS_MAX (900LL * 1000)
#define GUARD_FORGET_MS (3600LL * 1000)

struct guard *guard_create(void);
void guard_destroy(struct guard *g);
/* Milliseconds until the next try is heard; 0: now. now_ms is monotonic. */
int64_t guard_wait_ms(const struct guard *g, const char *username, const char *ip, int64_t now_ms);
void guard_failed(struct guard *g, const char *username, const char *ip, int64_t now_ms);
void guard_passed(struct guard *g, const char *username, const char *ip);

#endif
