/* A growing byte buffer, and a reader that never passes the end. `struct buf b = {0}` is empty. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    unsigned char *data; /* data[0 .. len); NULL as long as nothing was put in; of mem_alloc() */
    size_t len, cap;     /* bytes in it, and room for; len <= cap */
};

/* Room for `more` bytes behind what is in it: the next that many are put in without moving data. */
void buf_reserve(struct buf *b, size_t more);

/* Put behind what is in it. Pointers into data are good until the next of these. What is put in
 * must not be a part of the same buffer. */
void buf_append(struct buf *b, const void *p, size_t n); /* n bytes; p may be NULL when n is 0 */
void buf_puts(struct buf *b, const char *s);             /* a text without its NUL */
void buf_putc(struct buf *b, char c);                    /* one byte */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

void buf_consume(struct buf *b,
                 size_t n);    /* drop n bytes from the front; more than there are: all */
void buf_reset(struct buf *b); /* empty, memory kept */
void buf_free(struct buf *b);  /* empty, memory given back; it can be used again */
char *buf_text(struct buf *b); /* NUL-terminated; good until the next change */

/* Append integers: big-endian of 1, 2, 4, 8 bytes (the low ones of v), and LEB128. */
void buf_u8(struct buf *b, unsigned v);
void buf_u16(struct buf *b, unsigned v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);

/* Begin with {.p = bytes, .left = how many}; the caller keeps the bytes. */
struct reader {
    const unsigned char *p; /* the next byte */
    size_t left;            /* how many there are */
    bool bad;               /* something was missing or not well formed: every read gives 0 now */
};

/* Read and move on, the reverse of buf_u8() and so on. A varint that is longer than it need be, or
 * does not fit 64 bits, is bad. */
unsigned reader_u8(struct reader *r);
unsigned reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint64_t reader_varint(struct reader *r);
const unsigned char *reader_bytes(struct reader *r, size_t n); /* NULL when short */

#endif
