/* Raw deflate streams with a preset dictionary, flushed after every piece, and gzip of a whole. The
 * only room of zlib. */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct deflater;
struct inflater;

/* dict may be NULL with n = 0; both ends need the same one, and it is copied. level 1..9. */
struct deflater *deflater_create(int level, const void *dict, size_t n);
void deflater_destroy(struct deflater *d); /* NULL is allowed */
/* Append to out all that the other side needs to read in[0 .. n); n < 4 GiB. Small pieces are packed as
 * well as can be, whatever the level: that costs little. */
void deflater_run(struct deflater *d, const void *in, size_t n, struct buf *out);

/* The reading end of a stream that began with this dictionary. */
struct inflater *inflater_create(const void *dict, size_t n);
void inflater_destroy(struct inflater *i); /* NULL is allowed */
/* inflater_run(i, in, n, out, out_max): append to out what in[0 .. n) holds, at most out_max bytes.
 * Errors  ERR_PEER: broken data, or more than out_max; out is as long as it was, and every later
 *         call fails too. */
MUST_USE enum err inflater_run(struct inflater *i, const void *in, size_t n, struct buf *out,
                               size_t out_max);

/* Append in[0 .. n), n < 4 GiB, as one gzip file at level 6. */
void gzip_pack(const void *in, size_t n, struct buf *out);
/* Append what a whole gzip of ours holds. false: it is none, or holds more than out_max bytes; out
 * holds no promise beyond its old length then. */
bool gzip_unpack(const void *in, size_t n, struct buf *out, size_t out_max);

#endif
