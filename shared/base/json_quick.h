/* A quick reader for the JSON that our own sites write (RFC 8785, whole numbers): every body in a
 * ledger. It takes a subset of what json_parse() takes and makes the same value of it; everything
 * else it leaves to that. */
#ifndef BASE_JSON_QUICK_H
#define BASE_JSON_QUICK_H

#include <stddef.h>

struct json_t; /* jansson's */

/* json_quick(p, n, depth_max): the value whose text is p[0 .. n), or NULL: not in the subset (which
 * says nothing about whether it is JSON), or deeper than depth_max.
 * Owns  The caller, by json_decref(). */
struct json_t *json_quick(const char *p, size_t n, int depth_max);

#endif
