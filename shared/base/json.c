/* JSON values on jansson. The library's names that ours cover are wrapped first, in static
 * functions; after that base/json.h renames them. */
#include <jansson.h>

static json_t *lib_object(void)
{
    return json_object();
}

static json_t *lib_array(void)
{
    return json_array();
}

static json_t *lib_null(void)
{
    return json_null();
}

static json_t *lib_real(double d)
{
    return json_real(d);
}

#undef json_is_object
#undef json_is_array
#undef json_is_null
#include "base/json.h"

#include "base/json_quick.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

/* ---- memory -----------------------------------------------------------------------------------*/

/* jansson asks for memory piece by piece and gives it back so. What is parsed for a batch takes it
 * from the batch's arena instead; a mark before each piece says whose it is. */
struct piece {
    _Alignas(16) bool in_arena;
};

static _Thread_local struct arena *parse_arena;

static void *piece_alloc(size_t n)
{
    struct piece *x = parse_arena ? arena_room(parse_arena, sizeof *x + n) : malloc(sizeof *x + n);

    if (!x)
        return NULL;
    x->in_arena = parse_arena;
    return x + 1;
}

static void piece_free(void *p)
{
    if (p && !((struct piece *)p - 1)->in_arena)
        free((struct piece *)p - 1);
}

static bool pieces;

void json_use_arenas(void)
{
    if (!pieces)
        json_set_alloc_funcs(piece_alloc, piece_free);
    pieces = true;
}

/* `struct json` is jansson's value under our name; nobody outside this file knows. Getters take
 * const because they do not change the value as JSON; reference counts are not part of it. */
static json_t *in(const struct json *j)
{
    return (json_t *)(uintptr_t)j;
}

static struct json *borrowed(json_t *j)
{
    return (struct json *)j;
}

static struct json *made(json_t *j)
{
    if (!j) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return borrowed(j);
}

/* NULL, or what is not taken: too deep, or a number whose canonical text could not be read again.
 */
static const char *unfit(json_t *j, int limit)
{
    const char *key;
    json_t *v;
    size_t i;

    const char *why = NULL;

    double size = json_is_real(j) ? fabs(json_real_value(j)) : 0;
    if (size >= 9e18 &&
        size < 1e21) /* RFC 8785 writes these in full, and they fit no 64-bit integer */
        return "a number between 9e18 and 1e21";
    if (json_typeof(j) != JSON_ARRAY && json_typeof(j) != JSON_OBJECT)
        return NULL;
    if (limit == 0)
        return "nested too deeply";
    json_array_foreach(j, i, v)
    {
        if ((why = unfit(v, limit - 1)))
            return why;
    }
    json_object_foreach(j, key, v)
    {
        if ((why = unfit(v, limit - 1)))
            return why;
    }
    return NULL;
}

enum err json_parse(const char *p, size_t n, struct json **ret, struct errmsg *e)
{
    json_error_t je;
    json_t *j = p ? json_quick(p, n, DEPTH_MAX) : NULL;

    if (j) {
        *ret = made(j);
        return OK;
    }
    j = json_loadb(p ? p : "", p ? n : 0, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
    if (!j) {
        errmsg_set(e, "JSON line %d column %d: %s", je.line, je.column, je.text);
        return ERR_INVALID;
    }
    const char *why = unfit(j, DEPTH_MAX);
    if (why) {
        json_decref(j);
        errmsg_set(e, "JSON: %s (at most %d levels)", why, DEPTH_MAX);
        return ERR_INVALID;
    }
    *ret = made(j);
    return OK;
}

enum err json_parse_in(struct arena *a, const char *p, size_t n, struct json **ret,
                       struct errmsg *e)
{
    struct arena *before = parse_arena;

    assert(a && pieces); /* json_use_arenas() */
    parse_arena = a;
    enum err err = json_parse(p, n, ret, e);
    parse_arena = before;
    return err;
}

void json_free(struct json *j)
{
    json_decref(in(j));
}

struct json *json_ref(const struct json *j)
{
    assert(j);
    return made(json_incref(in(j)));
}

struct json *json_copy(const struct json *j)
{
    assert(j);
    return made(json_deep_copy(in(j)));
}

struct json *json_object(void)
{
    return made(lib_object());
}

struct json *json_array(void)
{
    return made(lib_array());
}

struct json *json_text(const char *s)
{
    json_t *j = json_string(s ? s : "");

    return made(j ? j : json_string(""));
}

struct json *json_int(int64_t n)
{
    return made(json_integer(n));
}

struct json *json_real(double d)
{
    assert(isfinite(d));
    return made(lib_real(d));
}

struct json *json_bool(bool b)
{
    return made(b ? json_true() : json_false());
}

struct json *json_null(void)
{
    return made(lib_null());
}

void json_set(struct json *o, const char *key, struct json *steal)
{
    assert(o && key && steal && o != steal);
    int bad = json_object_set_new(in(o), key, in(steal));
    assert(!bad); /* not an object, a key that is not UTF-8, or a value inside itself */
}

void json_set_text(struct json *o, const char *key, const char *s)
{
    if (s)
        json_set(o, key, json_text(s));
}

void json_set_int(struct json *o, const char *key, int64_t n)
{
    json_set(o, key, json_int(n));
}

void json_set_bool(struct json *o, const char *key, bool b)
{
    json_set(o, key, json_bool(b));
}

void json_del(struct json *o, const char *key)
{
    assert(json_is_object(o));
    json_object_del(in(o), key);
}

void json_push(struct json *a, struct json *steal)
{
    assert(a && steal && a != steal);
    int bad = json_array_append_new(in(a), in(steal));
    assert(!bad); /* not an array, or a value inside itself */
}

void json_push_text(struct json *a, const char *s)
{
    json_push(a, json_text(s));
}

struct json *json_get(const struct json *o, const char *key)
{
    return borrowed(json_object_get(in(o), key));
}

const char *json_get_text(const struct json *o, const char *key)
{
    return json_value_text(json_get(o, key));
}

int64_t json_get_int(const struct json *o, const char *key, int64_t def)
{
    struct json *v = json_get(o, key);

    return json_is_int(v) ? json_value_int(v) : def;
}

bool json_get_bool(const struct json *o, const char *key, bool def)
{
    struct json *v = json_get(o, key);

    return json_is_bool(v) ? json_value_bool(v) : def;
}

enum json_kind json_kind(const struct json *j)
{
    static const enum json_kind kind[] = {
        [JSON_OBJECT] = JSON_KIND_OBJECT, [JSON_ARRAY] = JSON_KIND_ARRAY,
        [JSON_STRING] = JSON_KIND_TEXT,   [JSON_INTEGER] = JSON_KIND_INT,
        [JSON_REAL] = JSON_KIND_REAL,     [JSON_TRUE] = JSON_KIND_TRUE,
        [JSON_FALSE] = JSON_KIND_FALSE,   [JSON_NULL] = JSON_KIND_NULL,
    };

    assert(j);
    return kind[json_typeof(in(j))];
}

static bool is(const struct json *j, json_type type)
{
    return j && json_typeof(in(j)) == type;
}

bool json_is_object(const struct json *j)
{
    return is(j, JSON_OBJECT);
}

bool json_is_array(const struct json *j)
{
    return is(j, JSON_ARRAY);
}

bool json_is_text(const struct json *j)
{
    return is(j, JSON_STRING);
}

bool json_is_int(const struct json *j)
{
    return is(j, JSON_INTEGER);
}

bool json_is_bool(const struct json *j)
{
    return is(j, JSON_TRUE) || is(j, JSON_FALSE);
}

bool json_is_null(const struct json *j)
{
    return is(j, JSON_NULL);
}

const char *json_value_text(const struct json *j)
{
    return json_string_value(in(j));
}

int64_t json_value_int(const struct json *j)
{
    return json_integer_value(in(j));
}

double json_value_real(const struct json *j)
{
    return json_real_value(in(j));
}

bool json_value_bool(const struct json *j)
{
    return is(j, JSON_TRUE);
}

size_t json_count(const struct json *j)
{
    return is(j, JSON_OBJECT) ? json_object_size(in(j)) : json_array_size(in(j));
}

struct json *json_at(const struct json *a, size_t i)
{
    return borrowed(json_array_get(in(a), i));
}

void *json_iter(const struct json *o)
{
    return json_object_iter(in(o));
}

void *json_iter_next(const struct json *o, void *i)
{
    return json_object_iter_next(in(o), i);
}

const char *json_iter_key(void *i)
{
    assert(i);
    return json_object_iter_key(i);
}

struct json *json_iter_value(void *i)
{
    assert(i);
    return borrowed(json_object_iter_value(i));
}
