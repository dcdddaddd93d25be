/* Raw deflate streams with a preset dictionary, flushed after every piece, and gzip of a whole. */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct deflater;
struct inflater;

/* dict may be NULL with n = 0; both ends need the same one. level 1..9. */
struct deflater *deflater_create(int level, const void *dict, size_t n);
void deflater_destroy(struct deflater *d); /* NULL is allowed */
/* Append to out all that the other side needs to read in[0..n). */
void deflater_run(struct deflater *d, const void *in, size_t n, struct buf *out);

struct inflater *inflater_create(const void *dict, size_t n);
void inflater_destroy(struct inflater *i); /* NULL is allowed */
/* Append to out what in[0..n) holds, at most out_max bytes. ERR_PEER: broken data, or more than
 * out_max; the stream cannot be used again, and out holds no promise beyond its old length. */
MUST_USE enum err inflater_run(struct inflater *i, const void *in, size_t n, struct buf *out,
                               size_t out_max);

void gzip_pack(const void *in, size_t n, struct buf *out);
/* Append what a whole gzip of ours holds. false: it is none, or holds more than out_max bytes; out
 * holds no promise beyond its old length then. */
bool gzip_unpack(const void *in, size_t n, struct buf *out, size_t out_max);

#endif
