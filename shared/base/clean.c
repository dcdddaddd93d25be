#include "base/clean.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/* White_Space of the Unicode Character Database, without what begins a line. */
static const struct range blanks[] = {
    {0x20, 0x20},     {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};
static const struct range line_ends[] = {{0x85, 0x85}, {0x2028, 0x2029}};
/* Default_Ignorable_Code_Point without variation selectors and what turns the direction, and the
 * blank Braille pattern. */
static const struct range unseen[] = {
    {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2060, 0x2065}, {0x206a, 0x206f}, {0x2800, 0x2800},
    {0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff},
};
static const struct range turning[] = {{0x202a, 0x202e}, {0x2066, 0x2069}};
static const struct range selectors[] = {
    {0x180b, 0x180d}, {0x180f, 0x180f}, {0xfe00, 0xfe0f}, {0xe0100, 0xe01ef}};

#define IN(table, c) in(table, sizeof table / sizeof table[0], c)

static bool in(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

/* The character at *p, which moves behind it; UINT32_MAX: this is no UTF-8 (RFC 3629). */
static uint32_t next(const unsigned char **p)
{
    const unsigned char *s = *p;
    int more = s[0] < 0x80                   ? 0
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 1
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 2
                                             : 3;
    uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];

    if (s[0] >= 0xf5 || (s[0] >= 0x80 && s[0] < 0xc2))
        return UINT32_MAX;
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0xd800 && c <= 0xdfff))
        return UINT32_MAX;
    *p = s + more + 1;
    return c;
}

/* What becomes of one character that is not plain: itself, '\n', ' ', or 0 for nothing. */
static enum clean_fault judge(enum clean_kind kind, uint32_t c, uint32_t *ret)
{
    *ret = c;
    if (IN(turning, c)) {
        *ret = 0;
        return kind == CLEAN_NUMBER ? CLEAN_GOOD : CLEAN_TURNED;
    }
    if (IN(blanks, c))
        *ret = kind == CLEAN_NUMBER ? 0 : ' ';
    else if (IN(unseen, c))
        *ret = 0;
    else if (c == '\n' || c == '\r' || IN(line_ends, c))
        *ret = '\n';
    else if (c == '\t')
        *ret = kind == CLEAN_LINES ? '\t' : kind == CLEAN_LINE ? ' ' : 0;
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return CLEAN_CONTROL;
    return CLEAN_GOOD;
}

static bool at_end(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

/* Line breaks inside count; at the ends they are blanks like others. */
static enum clean_fault trim(enum clean_kind kind, struct buf *out, size_t begin)
{
    size_t skip = begin;

    while (out->len > begin && at_end(out->data[out->len - 1]))
        out->len--;
    while (skip < out->len && at_end(out->data[skip]))
        skip++;
    if (skip > begin) {
        memmove(out->data + begin, out->data + skip, out->len - skip);
        out->len -= skip - begin;
    }
    bool broken = out->len > begin && memchr(out->data + begin, '\n', out->len - begin);
    return broken && kind != CLEAN_LINES ? CLEAN_CONTROL : CLEAN_GOOD;
}

/* Variation selectors alone show nothing. */
static bool sees_nothing(const struct buf *out, size_t begin)
{
    static const unsigned char zero = 0;
    struct buf copy = {0};
    bool nothing = true;

    buf_append(&copy, out->data ? out->data + begin : &zero, out->len - begin);
    buf_putc(&copy, 0);
    for (const unsigned char *p = copy.data; nothing && *p;)
        nothing = IN(selectors, next(&p));
    buf_free(&copy);
    return nothing;
}

enum clean_fault clean_text(enum clean_kind kind, const char *text, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t begin = out->len;
    bool plain = true;

    while (*p) {
        const unsigned char *from = p;
        uint32_t c, kept;
        if (*p > 0x20 && *p < 0x7f) { /* most of it */
            while (*p > 0x20 && *p < 0x7f)
                p++;
            buf_append(out, from, (size_t)(p - from));
            continue;
        }
        if ((c = next(&p)) == UINT32_MAX)
            return CLEAN_NOT_UTF8;
        enum clean_fault fault = judge(kind, c, &kept);
        if (fault != CLEAN_GOOD)
            return fault;
        if (c == '\r' && *p == '\n')
            continue;
        plain = plain && !IN(selectors, c);
        if (kept == c)
            buf_append(out, from, (size_t)(p - from));
        else if (kept)
            buf_putc(out, (char)kept);
    }
    enum clean_fault fault = trim(kind, out, begin);
    if (fault == CLEAN_GOOD && !plain && sees_nothing(out, begin))
        out->len = begin;
    return fault;
}

void clean_like(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '%' || *text == '_' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
}
