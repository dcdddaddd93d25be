/* One pass over the text, no table of tokens, no stream: jansson spends 120 instructions on a byte,
 * and a hub reads every body of its subtree. Keys must rise strictly, so none comes twice. */
#include "base/json_quick.h"

#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_BYTE(p, bits) ((p) + __builtin_ctzll(bits) / 8)
#else
#define FIRST_BYTE(p, bits) ((void)(bits), (p)) /* look from there on, one by one */
#endif
#define TEXT_MAX 4096 /* a text with escapes in it; longer ones are left to jansson */

struct quick {
    const unsigned char *p, *end;
    char text[TEXT_MAX]; /* the last text that had escapes in it */
};

static json_t *value(struct quick *q, int depth);

static bool eat(struct quick *q, unsigned char c)
{
    if (q->p == q->end || *q->p != c)
        return false;
    q->p++;
    return true;
}

/* How many bytes the UTF-8 sequence at p has; 0: it is none. */
static size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
    unsigned char c = *p;
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    if (!n || (size_t)(end - p) < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
        (c == 0xf4 && p[1] > 0x8f))
        return 0; /* overlong, a surrogate, or beyond Unicode */
    return n;
}

static int escaped(struct quick *q)
{
    static const char from[] = "\"\\bfnrt", to[] = "\"\\\b\f\n\r\t";
    const char *at;

    if (q->p == q->end || !*q->p || !(at = strchr(from, *q->p)))
        return -1; /* \u and \/: rare */
    q->p++;
    return (unsigned char)to[at - from];
}

/* Behind the bytes that stand for themselves, eight at a time: no quote, no backslash, no control
 * character, nothing but ASCII. The last seven of the input are left to the caller. */
static const unsigned char *behind_plain(const unsigned char *p, const unsigned char *end)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;

    while (end - p >= 8) {
        uint64_t w, quote, back, other;
        memcpy(&w, p, 8);
        quote = w ^ ones * '"';
        back = w ^ ones * '\\';
        /* The top bit of a byte says that it is not plain: it had it, or it was too small for what
         * was taken off. Borrowing spoils only the bytes above the first such. */
        other = (w | (w - ones * 0x20) | (quote - ones) | (back - ones)) & tops;
        if (other)
            return FIRST_BYTE(p, other);
        p += 8;
    }
    return p;
}

/* A text behind its first quote: where it stands in the input, or unescaped in q->text. */
static bool text(struct quick *q, const char **ret, size_t *ret_len)
{
    const unsigned char *start = q->p;
    size_t n = 0;
    bool copied = false;

    while (q->p < q->end && *q->p != '"') {
        size_t len = 1;
        if (!copied && (q->p = behind_plain(q->p, q->end)) == q->end)
            break;
        int c = *q->p;
        if (c == '"')
            break;
        if (c < 0x20)
            return false;
        if (c == '\\') {
            if (!copied) {
                n = (size_t)(q->p - start);
                if (n >= TEXT_MAX)
                    return false;
                memcpy(q->text, start, n);
                copied = true;
            }
            q->p++;
            if ((c = escaped(q)) < 0 || n == TEXT_MAX)
                return false;
            q->text[n++] = (char)c;
            continue;
        }
        if (c >= 0x80 && !(len = utf8_len(q->p, q->end)))
            return false;
        if (copied) {
            if (n + len > TEXT_MAX)
                return false;
            memcpy(q->text + n, q->p, len);
            n += len;
        }
        q->p += len;
    }
    *ret = copied ? q->text : (const char *)start;
    *ret_len = copied ? n : (size_t)(q->p - start);
    return eat(q, '"');
}

static json_t *number(struct quick *q)
{
    bool minus = eat(q, '-');
    const unsigned char *start = q->p;
    int64_t n = 0;

    while (q->p < q->end && *q->p >= '0' && *q->p <= '9' && q->p - start < 18)
        n = n * 10 + (*q->p++ - '0');
    /* At most 18 digits, so it cannot overflow; no zero in front, no "-0"; no fraction, no
     * exponent. */
    if (q->p == start || (*start == '0' && (q->p - start > 1 || minus)) ||
        (q->p < q->end && strchr("0123456789.eE", *q->p)))
        return NULL;
    return json_integer(minus ? -n : n);
}

static json_t *list(struct quick *q, int depth)
{
    json_t *a = json_array();

    if (eat(q, ']'))
        return a;
    do {
        json_t *v = value(q, depth);
        if (!v || json_array_append_new(a, v))
            goto fail;
    } while (eat(q, ','));
    if (eat(q, ']'))
        return a;
fail:
    json_decref(a);
    return NULL;
}

static bool rises(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return c < 0 || (!c && a_len < b_len);
}

static json_t *object(struct quick *q, int depth)
{
    json_t *o = json_object();
    const char *before = NULL, *key;
    size_t before_len = 0, len;

    if (eat(q, '}'))
        return o;
    do {
        if (!eat(q, '"') || !text(q, &key, &len) || key == q->text || !eat(q, ':') ||
            (before && !rises(before, before_len, key, len)))
            goto fail; /* a key with an escape in it, or not in order */
        json_t *v = value(q, depth);
        if (!v || json_object_setn_new_nocheck(o, key, len, v))
            goto fail;
        before = key;
        before_len = len;
    } while (eat(q, ','));
    if (eat(q, '}'))
        return o;
fail:
    json_decref(o);
    return NULL;
}

static bool word(struct quick *q, const char *w, size_t n)
{
    if ((size_t)(q->end - q->p) < n || memcmp(q->p, w, n))
        return false;
    q->p += n;
    return true;
}

static json_t *value(struct quick *q, int depth)
{
    const char *s;
    size_t n;

    if (q->p == q->end)
        return NULL;
    switch (*q->p) {
    case '{':
        q->p++;
        return depth ? object(q, depth - 1) : NULL;
    case '[':
        q->p++;
        return depth ? list(q, depth - 1) : NULL;
    case '"':
        q->p++;
        return text(q, &s, &n) ? json_stringn_nocheck(s, n) : NULL;
    case 't':
        return word(q, "true", 4) ? json_true() : NULL;
    case 'f':
        return word(q, "false", 5) ? json_false() : NULL;
    case 'n':
        return word(q, "null", 4) ? json_null() : NULL;
    default:
        return number(q);
    }
}

json_t *json_quick(const char *p, size_t n, int depth_max)
{
    struct quick q;
    json_t *j;

    assert(p && depth_max >= 0);
    q.p = (const unsigned char *)p;
    q.end = q.p + n;
    j = n ? value(&q, depth_max) : NULL;
    if (j && q.p != q.end) {
        json_decref(j);
        j = NULL;
    }
    return j;
}
