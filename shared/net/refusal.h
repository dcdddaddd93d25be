/* The refusals of HTTP itself: what is told before any handler has seen a request. Private. */
#ifndef NET_REFUSAL_H
#define NET_REFUSAL_H

#include "net/head.h"
#include "net/http.h"

/* Of a head that cannot be taken; fault is not FAULT_NONE. */
const struct refusal *refusal_of_fault(enum head_fault fault);

/* 431, 408, 413, 400, and 503 where the memory for bodies is used up */
extern const struct refusal refusal_head_too_large, refusal_too_slow, refusal_body_too_large,
    refusal_bad_chunks, refusal_no_memory;

#endif
