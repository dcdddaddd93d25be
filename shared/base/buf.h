/* A growing byte buffer, and a reader that never passes the end. `struct buf b = {0}` is empty. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    unsigned char *data;
    size_t len, cap;
};

void buf_reserve(struct buf *b, size_t more);
void buf_append(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_consume(struct buf *b, size_t n); /* drop n bytes from the front */
void buf_reset(struct buf *b);             /* empty, memory kept */
void buf_free(struct buf *b);
char *buf_text(struct buf *b); /* NUL-terminated; good until the next change */

/* Big-endian integers and LEB128 varints. */
void buf_u8(struct buf *b, unsigned v);
void buf_u16(struct buf *b, unsigned v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);

/* Once something was missing, `bad` is set and every read gives zero. */
struct reader {
    const unsigned char *p;
    size_t left;
    bool bad;
};

unsigned reader_u8(struct reader *r);
unsigned reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint64_t reader_varint(struct reader *r);
const unsigned char *reader_bytes(struct reader *r, size_t n); /* NULL when short */

#endif
