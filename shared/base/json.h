/* JSON values. `struct json *` is reference counted: json_free() drops one reference; json_set()
 * and json_push() take the reference given; what json_get() and json_at() return is borrowed. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

/* Names that the library underneath also exports: ours get a prefix of their own in the program. */
#define json_object ds_json_object
#define json_array ds_json_array
#define json_real ds_json_real
#define json_null ds_json_null
#define json_copy ds_json_copy
#define json_is_object ds_json_is_object
#define json_is_array ds_json_is_array
#define json_is_null ds_json_is_null
#define json_int ds_json_int
#define json_text ds_json_text
#define json_bool ds_json_bool

/* What a value is. */
enum json_kind {
    JSON_KIND_OBJECT,
    JSON_KIND_ARRAY,
    JSON_KIND_TEXT,
    JSON_KIND_INT,  /* written without fraction and exponent, and fits 64 bits */
    JSON_KIND_REAL, /* every other number */
    JSON_KIND_TRUE,
    JSON_KIND_FALSE,
    JSON_KIND_NULL
};

/* Say once, before the first value is made, that this program uses json_parse_in(). */
void json_use_arenas(void);

/* json_parse(p, n, ret, e): the value whose text is p[0 .. n).
 * Owns    The caller frees *ret. p may be NULL with n = 0 (which is no JSON).
 * Errors  ERR_INVALID with the place or the reason: what is no JSON in UTF-8, duplicate keys, text
 *         after the value, depth over 64, and numbers from 9e18 to 1e21 (whose canonical text no
 *         64-bit integer holds). */
MUST_USE enum err json_parse(const char *p, size_t n, struct json **ret, struct errmsg *e);
/* The same in the memory of an arena: half the time. The value lives as long as the arena, whatever
 * json_free() is told; it must not be changed, nor become a part of what lives longer (json_copy()
 * it). The program has called json_use_arenas(). */
MUST_USE enum err json_parse_in(struct arena *a, const char *p, size_t n, struct json **ret,
                                struct errmsg *e);
void json_free(struct json *j);               /* drop one reference; NULL is allowed */
struct json *json_ref(const struct json *j);  /* the same value, one reference more */
struct json *json_copy(const struct json *j); /* a value of its own, all the way down */

/* New values, one reference each. */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_text(const char *s); /* NULL, and text that is not UTF-8, become "" */
struct json *json_int(int64_t n);
struct json *json_real(double d); /* finite */
struct json *json_bool(bool b);
struct json *json_null(void);

/* Change the object o, or the array a; that it is one, and the key UTF-8, is the caller's business
 * (assert). A key that is there already gets the new value. */
void json_set(struct json *o, const char *key, struct json *steal);
void json_set_text(struct json *o, const char *key, const char *s); /* NULL: not set */
void json_set_int(struct json *o, const char *key, int64_t n);
void json_set_bool(struct json *o, const char *key, bool b);
void json_del(struct json *o, const char *key); /* not there: nothing */
void json_push(struct json *a, struct json *steal);
void json_push_text(struct json *a, const char *s);

/* Getters allow a NULL or foreign value and then say "not there": NULL, false, 0 or def. What they
 * return lives as long as the value they were asked of is not changed. */
struct json *json_get(const struct json *o, const char *key);
const char *json_get_text(const struct json *o, const char *key); /* or NULL */
int64_t json_get_int(const struct json *o, const char *key, int64_t def);
bool json_get_bool(const struct json *o, const char *key, bool def);
bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
bool json_is_text(const struct json *j);
bool json_is_int(const struct json *j);
bool json_is_bool(const struct json *j);
bool json_is_null(const struct json *j);
const char *json_value_text(const struct json *j); /* or NULL */
int64_t json_value_int(const struct json *j);
double json_value_real(const struct json *j);
bool json_value_bool(const struct json *j);
size_t json_count(const struct json *j); /* members of an array or object */
struct json *json_at(const struct json *a, size_t i);
enum json_kind json_kind(const struct json *j); /* not of NULL (assert) */

/* for (void *i = json_iter(o); i; i = json_iter_next(o, i)): the members of an object, in any
 * order; nothing of what is no object. It must not be changed meanwhile. */
void *json_iter(const struct json *o);
void *json_iter_next(const struct json *o, void *i);
const char *json_iter_key(void *i);
struct json *json_iter_value(void *i);

/* json_canonical(j, out): append the value in the canonical form of RFC 8785: keys in UTF-16 order,
 * no blanks, numbers as ECMAScript writes them. The only text we make of a value. */
void json_canonical(const struct json *j, struct buf *out);

#endif
