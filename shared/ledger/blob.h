/* Documents as files named by what they hold: DIR/ab/<64 hex>. Stored once, durable when it returns
 * OK. Store threads only: these calls wait for the disk. */
#ifndef LEDGER_BLOB_H
#define LEDGER_BLOB_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT_LEN 71 /* "sha256:" and 64 hex digits */

struct blob_dir;
struct blob_writer;

/* "sha256:" and 64 hex digits? NULL is allowed. */
bool digest_valid(const char *digest);

/* Make DIR and DIR/partial when they are not there. */
MUST_USE enum err blob_dir_open(const char *path, struct blob_dir **ret, struct errmsg *e);
void blob_dir_close(struct blob_dir *d);

/* Stream a new document: begin, write, commit (or abort). commit: fsync, rename, fsync of the
 * folder; expected != NULL and another digest: ERR_CORRUPT, nothing kept. The writer is gone after
 * both. */
MUST_USE enum err blob_begin(struct blob_dir *d, struct blob_writer **ret, struct errmsg *e);
MUST_USE enum err blob_write(struct blob_writer *w, const void *p, size_t n, struct errmsg *e);
MUST_USE enum err blob_commit(struct blob_writer *w, const char *expected,
                              char digest[DIGEST_TEXT_LEN + 1], struct errmsg *e);
void blob_abort(struct blob_writer *w); /* NULL is allowed */

/* Is the whole document here? What is no digest is not. */
bool blob_exists(struct blob_dir *d, const char *digest);
/* What nobody names any more; one that is not there is gone already. */
void blob_remove(struct blob_dir *d, const char *digest);
/* *ret_fd belongs to the caller. ERR_NOT_FOUND. */
MUST_USE enum err blob_read(struct blob_dir *d, const char *digest, int *ret_fd, int64_t *ret_size,
                            struct errmsg *e);

/* A document that arrives in pieces and may break off anywhere: the bytes that are there survive.
 */
int64_t blob_partial_size(struct blob_dir *d, const char *digest); /* 0: nothing yet */
/* offset must be the present size (ERR_CONFLICT), so that nothing is written twice or skipped. */
MUST_USE enum err blob_partial_append(struct blob_dir *d, const char *digest, int64_t offset,
                                      const void *p, size_t n, struct errmsg *e);
/* Check the digest and move it to its place. Wrong bytes: dropped, ERR_CORRUPT. */
MUST_USE enum err blob_partial_finish(struct blob_dir *d, const char *digest, struct errmsg *e);

/* Read every document and compare it with its name; ERR_CORRUPT names the first wrong one. */
MUST_USE enum err blob_verify_all(struct blob_dir *d, int64_t *ret_count, struct errmsg *e);

#endif
