/* The bytes and the row of one upload. */
#include "api/upload_file.h"

#include "catalogue/filetype.h"
#include "base/crypto.h"
#include "office/office.h"
#include "db/db.h"
#include "ledger/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define RESERVE_BYTES (32LL << 20)
#define PIECE_BYTES 65536

void upload_file_init(struct upload_file *f, const char *dir, struct blob_dir *blobs)
{
    memset(f, 0, sizeof *f);
    f->dir = dir;
    f->blobs = blobs;
    f->fd = -1;
}

void upload_file_close(struct upload_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

bool upload_file_set_id(struct upload_file *f, const char *id)
{
    unsigned char raw[16];
    if (!id || !hex_decode(id, raw, sizeof raw))
        return false;
    hex_encode(raw, sizeof raw, f->id);
    return true;
}

bool upload_file_expect(struct upload_file *f, const char *text)
{
    size_t name = strcspn(text, " "), want;
    if (!strncasecmp(text, "sha1", name) && name == 4) {
        f->sum = UPLOAD_SUM_SHA1;
        want = 20;
    } else if (!strncasecmp(text, "sha256", name) && name == 6) {
        f->sum = UPLOAD_SUM_SHA256;
        want = 32;
    } else {
        return false;
    }
    struct buf raw = {0};
    const char *value = text + name + strspn(text + name, " ");
    bool good = base64_decode(value, strlen(value), &raw) && raw.len == want;
    if (good)
        memcpy(f->expected, raw.data, want);
    buf_free(&raw);
    return good;
}

void upload_file_metadata(struct upload_file *f, const char *text)
{
    for (const char *p = text; p && *p;) {
        p += strspn(p, " ,");
        size_t len = strcspn(p, ","), name = strcspn(p, " ,");
        if (name == 8 && !strncmp(p, "filename", 8) && len > 9) {
            struct buf raw = {0};
            size_t value = len - 9;
            while (value && p[9 + value - 1] == ' ')
                value--;
            if (base64_decode(p + 9, value, &raw) && raw.len < sizeof f->name &&
                !memchr(raw.data, 0, raw.len)) {
                memcpy(f->name, raw.data, raw.len);
                f->name[raw.len] = 0;
            }
            buf_free(&raw);
        }
        p += len;
    }
}

bool upload_file_room(const struct upload_file *f)
{
    struct statvfs disk;
    if (statvfs(f->dir, &disk))
        return true;
    return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize > f->length + RESERVE_BYTES;
}

void upload_file_http_date(int64_t ms, char out[40])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(out, 40, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void path_of(const char *dir, const char *id, char out[4200])
{
    snprintf(out, 4200, "%s/%s", dir, id);
}

static enum err world_failed(struct errmsg *e, const char *what)
{
    errmsg_set(e, "%s: %s", what, strerror(errno));
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
}

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && !fsync(fd);
    if (fd >= 0)
        close(fd);
    return good;
}

enum err upload_file_create(struct upload_file *f, struct db *db, struct errmsg *e)
{
    char path[4200];
    path_of(f->dir, f->id, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return world_failed(e, "make the file of an upload");
    close(fd);
    if (!sync_dir(f->dir))
        return world_failed(e, "sync the folder of uploads");
    struct stmt *st = db_stmt(db, "INSERT INTO upload (id, length, name, created_ms, expires_ms) "
                                  "VALUES ($id, $length, $name, $created, $expires)");
    bind_text(st, "id", f->id);
    bind_int(st, "length", f->length);
    bind_text(st, "name", f->name);
    bind_int(st, "created", f->created_ms);
    bind_int(st, "expires", f->expires_ms);
    return db_run(st, e);
}

static enum err gone(struct upload_file *f, struct problem *p)
{
    problem_set(p, 404, "no-upload", "id", NULL, f->id, "没有这个上传，可能已过期，请重新上传。",
                "There is no such upload; it may have expired. Start it again.");
    return ERR_NOT_FOUND;
}

enum err upload_file_load(struct upload_file *f, struct db *db, struct problem *p, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT length, name, created_ms, expires_ms, digest, media_type "
                                  "FROM upload WHERE id = $id");
    bind_text(st, "id", f->id);
    bool row;
    enum err err = db_step(st, &row, e);
    if (err != OK)
        return err;
    if (!row)
        return gone(f, p);
    f->length = col_int(st, 0);
    snprintf(f->name, sizeof f->name, "%s", col_text(st, 1));
    f->created_ms = col_int(st, 2);
    f->expires_ms = col_int(st, 3);
    if (!col_is_null(st, 4)) {
        snprintf(f->digest, sizeof f->digest, "%s", col_text(st, 4));
        snprintf(f->media_type, sizeof f->media_type, "%s", col_text(st, 5));
        f->recorded = true;
    }
    db_reset(st);
    if (f->recorded) {
        f->offset = f->length;
        return OK;
    }
    char path[4200];
    path_of(f->dir, f->id, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? gone(f, p) : world_failed(e, "open an upload");
    struct stat s;
    bool good = !fsync(fd) && !fstat(fd, &s);
    if (good)
        f->offset = s.st_size;
    else
        err = world_failed(e, "sync an upload");
    close(fd);
    return err;
}

enum err upload_file_open(struct upload_file *f, struct errmsg *e)
{
    char path[4200];
    path_of(f->dir, f->id, path);
    f->fd = open(path, O_RDWR | O_CLOEXEC);
    f->start = f->offset;
    return f->fd < 0 ? world_failed(e, "open an upload") : OK;
}

enum err upload_file_write(struct upload_file *f, const void *p, size_t n, struct problem *problem,
                           struct errmsg *e)
{
    if ((int64_t)n > f->length - f->offset) {
        problem_set(problem, 413, "upload-too-long", "body", "no more than Upload-Length", NULL,
                    "收到的内容超过了声明的大小。", "More came than Upload-Length announced.");
        return ERR_INVALID;
    }
    for (const char *at = p; n;) {
        ssize_t put = pwrite(f->fd, at, n, f->offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return world_failed(e, "write an upload");
        f->offset += put;
        at += put;
        n -= (size_t)put;
    }
    return OK;
}

/* Read [from, offset) in pieces; each goes where it is wanted. */
static enum err read_through(const struct upload_file *f, int64_t from, struct sha1 *s1,
                             struct sha256 *s256, struct blob_writer *blob, struct errmsg *e)
{
    unsigned char piece[PIECE_BYTES];
    while (from < f->offset) {
        ssize_t n = pread(f->fd, piece, sizeof piece, from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return world_failed(e, "read an upload");
        if (s1)
            sha1_update(s1, piece, (size_t)n);
        if (s256)
            sha256_update(s256, piece, (size_t)n);
        enum err err = blob ? blob_write(blob, piece, (size_t)n, e) : OK;
        if (err != OK)
            return err;
        from += n;
    }
    return OK;
}

static enum err check_sum(struct upload_file *f, struct problem *p, struct errmsg *e)
{
    unsigned char sum[32];
    size_t size = f->sum == UPLOAD_SUM_SHA1 ? 20 : 32;
    enum err err;
    if (f->sum == UPLOAD_SUM_SHA1) {
        struct sha1 *s = sha1_create();
        err = read_through(f, f->start, s, NULL, NULL, e);
        sha1_final(s, sum);
        sha1_destroy(s);
    } else {
        struct sha256 *s = sha256_create();
        err = read_through(f, f->start, NULL, s, NULL, e);
        sha256_final(s, sum);
        sha256_destroy(s);
    }
    if (err != OK || !memcmp(sum, f->expected, size))
        return err;
    f->offset = f->start;
    if (ftruncate(f->fd, f->start) || fsync(f->fd))
        return world_failed(e, "take back a spoiled piece");
    problem_set(p, 460, "checksum-mismatch", "Upload-Checksum", "the checksum of the body", NULL,
                "这一段在传输中损坏，请从原位置重传。",
                "This piece was spoiled on the way. Send it again from the same offset.");
    return ERR_INVALID;
}

static enum err become_blob(struct upload_file *f, struct errmsg *e)
{
    struct blob_writer *blob = NULL;
    enum err err = blob_begin(f->blobs, &blob, e);
    if (err != OK)
        return err;
    err = read_through(f, 0, NULL, NULL, blob, e);
    if (err != OK) {
        blob_abort(blob);
        return err;
    }
    return blob_commit(blob, NULL, f->digest, e);
}

enum err upload_file_finish(struct upload_file *f, struct problem *p, struct errmsg *e)
{
    enum err err = OK;
    if (f->fd < 0)
        err = upload_file_open(f, e);
    if (err == OK && fsync(f->fd))
        err = world_failed(e, "sync an upload");
    if (err == OK && f->sum != UPLOAD_SUM_NONE)
        err = check_sum(f, p, e);
    if (err != OK || f->offset < f->length)
        return err;
    unsigned char head[FILETYPE_HEAD_BYTES];
    ssize_t n = pread(f->fd, head, sizeof head, 0);
    if (n < 0)
        return world_failed(e, "read an upload");
    const char *type = filetype_of(head, (size_t)n);
    if (!type) {
        problem_set(
            p, 415, "file-kind", "body", "JPEG, PNG, WebP or PDF", "content of no such kind",
            "文件内容不是可接收的类型（按内容判断，与文件名无关），请上传照片或 PDF。",
            "The content (not the name) is of no kind that is taken. Upload a photograph or "
            "a PDF.");
        return ERR_INVALID;
    }
    snprintf(f->media_type, sizeof f->media_type, "%s", type);
    return become_blob(f, e);
}

enum err upload_file_record(struct upload_file *f, struct office *office, struct db *db,
                            struct errmsg *e)
{
    if (!blob_exists(f->blobs, f->digest)) {
        errmsg_set(e, "the paper was swept away");
        return ERR_BUSY;
    }
    struct stmt *st = db_stmt(db, "UPDATE upload SET digest = $digest, media_type = $type "
                                  "WHERE id = $id");
    bind_text(st, "digest", f->digest);
    bind_text(st, "type", f->media_type);
    bind_text(st, "id", f->id);
    enum err err = db_run(st, e);
    if (err != OK)
        return err;
    st = db_stmt(
        db, "INSERT INTO document (digest, street, dossier, size, media_type, state, hlc, name) "
            "VALUES ($digest, $street, '', $size, $type, 'here', 0, $name) "
            "ON CONFLICT (digest) DO UPDATE SET state = 'here', size = excluded.size, "
            "media_type = excluded.media_type");
    bind_text(st, "digest", f->digest);
    bind_text(st, "street", office->street);
    bind_int(st, "size", f->length);
    bind_text(st, "type", f->media_type);
    bind_text(st, "name", f->name);
    err = db_run(st, e);
    f->recorded = err == OK;
    return err;
}

enum err upload_file_forget(struct upload_file *f, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "DELETE FROM upload WHERE id = $id RETURNING length");
    bool row;
    bind_text(st, "id", f->id);
    enum err err = db_step(st, &row, e);
    if (err != OK)
        return err;
    f->length = row ? col_int(st, 0) : 0;
    if (row)
        db_reset(st);
    return OK;
}

void upload_file_remove_bytes(struct upload_file *f)
{
    char path[4200];
    path_of(f->dir, f->id, path);
    unlink(path); /* what stays is removed by the sweep */
}
