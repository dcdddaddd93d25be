/* The canonical text of a value, RFC 8785: the same bytes for the same value, on every machine. It
 * knows values only by json.h. */
#include "base/json.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool stands_as_it_is(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void put_text(const char *s, struct buf *out)
{
    static const char short_of[] = "btn\0fr"; /* 8 .. 13; 11 has none */

    buf_putc(out, '"');
    while (*s) {
        const char *start = s;
        while (stands_as_it_is((unsigned char)*s))
            s++;
        buf_append(out, start, (size_t)(s - start));
        unsigned char c = (unsigned char)*s;
        if (!c)
            break;
        if (c == '"' || c == '\\') {
            buf_putc(out, '\\');
            buf_putc(out, (char)c);
        } else if (c >= 8 && c <= 13 && c != 11) {
            buf_putc(out, '\\');
            buf_putc(out, short_of[c - 8]);
        } else {
            buf_printf(out, "\\u%04x", c);
        }
        s++;
    }
    buf_putc(out, '"');
}

/* ECMAScript's Number to text: the shortest digits that read back as the same number. */
static void put_real(double d, struct buf *out)
{
    char text[40], digits[24];
    int count = 0, exponent;

    assert(isfinite(d));
    if (d == 0) {
        buf_putc(out, '0');
        return;
    }
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(d));
        if (strtod(text, NULL) == fabs(d))
            break;
    }
    for (const char *p = text; *p != 'e'; p++)
        if (*p != '.') {
            assert(count < (int)sizeof digits);
            digits[count++] = *p;
        }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    exponent = atoi(strchr(text, 'e') + 1) + 1; /* value = 0.digits * 10^exponent */
    if (d < 0)
        buf_putc(out, '-');
    if (count <= exponent && exponent <= 21) {
        buf_append(out, digits, (size_t)count);
        for (int i = count; i < exponent; i++)
            buf_putc(out, '0');
    } else if (0 < exponent && exponent <= 21) {
        buf_append(out, digits, (size_t)exponent);
        buf_putc(out, '.');
        buf_append(out, digits + exponent, (size_t)(count - exponent));
    } else if (-6 < exponent && exponent <= 0) {
        buf_puts(out, "0.");
        for (int i = exponent; i < 0; i++)
            buf_putc(out, '0');
        buf_append(out, digits, (size_t)count);
    } else {
        buf_putc(out, digits[0]);
        if (count > 1) {
            buf_putc(out, '.');
            buf_append(out, digits + 1, (size_t)(count - 1));
        }
        buf_printf(out, "e%c%d", exponent > 0 ? '+' : '-', abs(exponent - 1));
    }
}

/* UTF-16 order is UTF-8 byte order, but that U+10000 and above (lead byte F0..F4) are surrogates
 * and so stand before U+E000..U+FFFF (lead byte EE, EF). */
static int key_order(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a;
    const unsigned char *y = *(const unsigned char *const *)b;

    while (*x && *x == *y)
        x++, y++;
    if (*x >= 0xee && *y >= 0xee && (*x >= 0xf0) != (*y >= 0xf0))
        return *x >= 0xf0 ? -1 : 1;
    return (int)*x - (int)*y;
}

static void put_object(const struct json *j, struct buf *out)
{
    size_t n = json_count(j), i = 0;
    const char **keys = mem_alloc(n * sizeof *keys);

    for (void *it = json_iter(j); it; it = json_iter_next(j, it))
        keys[i++] = json_iter_key(it);
    assert(i == n);
    qsort(keys, n, sizeof *keys, key_order);
    buf_putc(out, '{');
    for (i = 0; i < n; i++) {
        if (i)
            buf_putc(out, ',');
        put_text(keys[i], out);
        buf_putc(out, ':');
        json_canonical(json_get(j, keys[i]), out);
    }
    buf_putc(out, '}');
    mem_free(keys);
}

void json_canonical(const struct json *j, struct buf *out)
{
    switch (json_kind(j)) {
    case JSON_KIND_OBJECT:
        put_object(j, out);
        break;
    case JSON_KIND_ARRAY:
        buf_putc(out, '[');
        for (size_t i = 0; i < json_count(j); i++) {
            if (i)
                buf_putc(out, ',');
            json_canonical(json_at(j, i), out);
        }
        buf_putc(out, ']');
        break;
    case JSON_KIND_TEXT:
        put_text(json_value_text(j), out);
        break;
    case JSON_KIND_INT:
        buf_printf(out, "%lld", (long long)json_value_int(j));
        break;
    case JSON_KIND_REAL:
        put_real(json_value_real(j), out);
        break;
    case JSON_KIND_TRUE:
        buf_puts(out, "true");
        break;
    case JSON_KIND_FALSE:
        buf_puts(out, "false");
        break;
    case JSON_KIND_NULL:
        buf_puts(out, "null");
        break;
    }
}
