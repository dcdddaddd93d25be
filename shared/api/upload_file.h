/* One upload on the disk and in its row. No request here: store threads may call everything except
 * where said. */
#ifndef API_UPLOAD_FILE_H
#define API_UPLOAD_FILE_H

#include "base/err.h"
#include "base/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob_dir;
struct db;
struct office;

enum upload_sum { UPLOAD_SUM_NONE, UPLOAD_SUM_SHA1, UPLOAD_SUM_SHA256 };

struct upload_file {
    const char *dir;        /* borrowed */
    struct blob_dir *blobs; /* borrowed */
    /* its name in the folder, 32 hex digits, and what the sender called it */
    char id[33];
    char name[256];
    int64_t length, offset;         /* bytes announced, bytes there */
    int64_t start;                  /* offset when this piece began */
    int64_t created_ms, expires_ms; /* wall */
    char digest[72];                /* "sha256:<hex>" once finished */
    char media_type[64];            /* by content */
    bool recorded;                  /* the row names the digest */
    /* the open file while a piece is received, else -1; what the piece must sum up to */
    int fd;
    enum upload_sum sum;
    unsigned char expected[32];
};

/* Zero but for the two it borrows; upload_file_close() ends it, also when nothing is open. */
void upload_file_init(struct upload_file *f, const char *dir, struct blob_dir *blobs);
void upload_file_close(struct upload_file *f);
bool upload_file_set_id(struct upload_file *f, const char *id); /* 32 hex digits */
/* "sha1 BASE64" or "sha256 BASE64" of the piece that follows. */
bool upload_file_expect(struct upload_file *f, const char *upload_checksum);
/* "filename BASE64,filetype BASE64": the name is kept, the type is not believed. NULL is allowed.
 */
void upload_file_metadata(struct upload_file *f, const char *upload_metadata);
bool upload_file_room(const struct upload_file *f); /* on the disk, with a reserve */
void upload_file_http_date(int64_t ms, char out[40]);

/* The empty file and its row. */
MUST_USE enum err upload_file_create(struct upload_file *f, struct db *db, struct errmsg *e);
/* The row and the offset, made durable; a gone or expired one: ERR_NOT_FOUND and a problem. */
MUST_USE enum err upload_file_load(struct upload_file *f, struct db *db, struct problem *p,
                                   struct errmsg *e);
MUST_USE enum err upload_file_open(struct upload_file *f, struct errmsg *e);
MUST_USE enum err upload_file_write(struct upload_file *f, const void *p, size_t n,
                                    struct problem *problem, struct errmsg *e);
/* Make the piece durable and check it; a whole file becomes a blob with a digest and a type. A
 * piece that fails its checksum is taken back (460); a file that is no paper: 415. */
MUST_USE enum err upload_file_finish(struct upload_file *f, struct problem *p, struct errmsg *e);
/* The row names the digest. ERR_BUSY: the paper was swept away meanwhile; finish again. */
MUST_USE enum err upload_file_record(struct upload_file *f, struct office *office, struct db *db,
                                     struct errmsg *e);
/* The row goes; f->length is what it had announced, 0: there was none. */
MUST_USE enum err upload_file_forget(struct upload_file *f, struct db *db, struct errmsg *e);
void upload_file_remove_bytes(struct upload_file *f);

#endif
