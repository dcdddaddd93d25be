#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 64;

    assert(b->len <= b->cap && more <= SIZE_MAX / 2 - b->len);
    if (b->cap - b->len >= more)
        return;
    while (cap - b->len < more)
        cap *= 2;
    b->data = mem_realloc(b->data, cap);
    b->cap = cap;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
    if (!n)
        return;
    assert(p);
    buf_reserve(b, n);
    memcpy(b->data + b->len, p, n);
    b->len += n;
}

void buf_puts(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    assert(fmt);
    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    buf_reserve(b, (size_t)n + 1);
    vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
}

void buf_free(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){0};
}

char *buf_text(struct buf *b)
{
    buf_reserve(b, 1);
    b->data[b->len] = 0;
    return (char *)b->data;
}

void buf_u8(struct buf *b, unsigned v)
{
    assert(v <= 0xff);
    buf_putc(b, (char)v);
}

static void put_be(struct buf *b, uint64_t v, int bytes)
{
    while (bytes--)
        buf_u8(b, (unsigned)(v >> (8 * bytes)) & 0xff);
}

void buf_u16(struct buf *b, unsigned v)
{
    assert(v <= 0xffff);
    put_be(b, v, 2);
}

void buf_u32(struct buf *b, uint32_t v)
{
    put_be(b, v, 4);
}

void buf_u64(struct buf *b, uint64_t v)
{
    put_be(b, v, 8);
}

void buf_varint(struct buf *b, uint64_t v)
{
    while (v >= 0x80) {
        buf_u8(b, (unsigned)(v & 0x7f) | 0x80);
        v >>= 7;
    }
    buf_u8(b, (unsigned)v);
}

const unsigned char *reader_bytes(struct reader *r, size_t n)
{
    const unsigned char *p = r->p;

    assert(p || !r->left);
    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    r->left -= n;
    return p;
}

static uint64_t get_be(struct reader *r, int bytes)
{
    const unsigned char *p = reader_bytes(r, (size_t)bytes);
    uint64_t v = 0;

    assert(bytes >= 1 && bytes <= 8);
    for (int i = 0; p && i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

unsigned reader_u8(struct reader *r)
{
    return (unsigned)get_be(r, 1);
}

unsigned reader_u16(struct reader *r)
{
    return (unsigned)get_be(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)get_be(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
    return get_be(r, 8);
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        unsigned c = reader_u8(r);
        if (r->bad || (shift == 63 && c > 1) || (shift && !c))
            break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return v;
    }
    r->bad = true;
    return 0;
}
