/* A document's way to its place: partial file -> fsync -> rename -> fsync of the folder. A crash
 * leaves either nothing, a partial file, or the whole document under its name. */
#include "ledger/blob.h"

#include "base/crypto.h"
#include "base/mem.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob_dir {
    char *path;
};

struct blob_writer {
    struct blob_dir *d;
    struct sha256 *sha;
    char *temp;
    int fd;
};

#define PATH_BYTES 4096

static enum err failed(struct errmsg *e, const char *what, const char *path)
{
    int code = errno;

    errmsg_set(e, "%s %s: %s", what, path, strerror(code));
    return code == ENOSPC || code == EDQUOT ? ERR_FULL : code == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

bool digest_valid(const char *digest)
{
    unsigned char hash[32];

    return digest && strlen(digest) == DIGEST_TEXT_LEN && !strncmp(digest, "sha256:", 7) &&
           hex_decode(digest + 7, hash, 32);
}

static void place(const struct blob_dir *d, const char *digest, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%.2s/%s", d->path, digest + 7, digest + 7);
}

static void partial(const struct blob_dir *d, const char *digest, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/partial/%s", d->path, digest + 7);
}

static enum err make_dir(const char *path, struct errmsg *e)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? OK : failed(e, "make folder", path);
}

static enum err sync_dir(const char *path, struct errmsg *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err err = OK;

    if (fd < 0 || fsync(fd) != 0)
        err = failed(e, "sync folder", path);
    if (fd >= 0)
        close(fd);
    return err;
}

enum err blob_dir_open(const char *path, struct blob_dir **ret, struct errmsg *e)
{
    char sub[PATH_BYTES];
    enum err err;

    snprintf(sub, sizeof sub, "%s/partial", path);
    if ((err = make_dir(path, e)) != OK || (err = make_dir(sub, e)) != OK ||
        (err = sync_dir(path, e)) != OK)
        return err;
    *ret = mem_alloc(sizeof **ret);
    (*ret)->path = mem_strdup(path);
    return OK;
}

void blob_dir_close(struct blob_dir *d)
{
    if (!d)
        return;
    mem_free(d->path);
    mem_free(d);
}

/* Move a synced file to the place of its digest. */
static enum err settle(struct blob_dir *d, const char *from, const char *digest, struct errmsg *e)
{
    char to[PATH_BYTES], folder[PATH_BYTES];
    enum err err;

    place(d, digest, to);
    snprintf(folder, sizeof folder, "%s/%.2s", d->path, digest + 7);
    if ((err = make_dir(folder, e)) != OK || (err = sync_dir(d->path, e)) != OK)
        return err;
    if (rename(from, to) != 0)
        return failed(e, "rename to", to);
    return sync_dir(folder, e);
}

enum err blob_begin(struct blob_dir *d, struct blob_writer **ret, struct errmsg *e)
{
    struct blob_writer *w = mem_alloc(sizeof *w);
    unsigned char name[16];
    char text[33], path[PATH_BYTES];

    crypto_random(name, sizeof name);
    hex_encode(name, sizeof name, text);
    snprintf(path, sizeof path, "%s/partial/new-%s", d->path, text);
    w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        enum err err = failed(e, "create", path);
        mem_free(w);
        return err;
    }
    w->d = d;
    w->temp = mem_strdup(path);
    w->sha = sha256_create();
    *ret = w;
    return OK;
}

static enum err write_all(int fd, const void *p, size_t n, const char *path, struct errmsg *e)
{
    const char *b = p;

    while (n) {
        ssize_t k = write(fd, b, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return failed(e, "write", path);
        b += k;
        n -= (size_t)k;
    }
    return OK;
}

enum err blob_write(struct blob_writer *w, const void *p, size_t n, struct errmsg *e)
{
    sha256_update(w->sha, p, n);
    return write_all(w->fd, p, n, w->temp, e);
}

void blob_abort(struct blob_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    unlink(w->temp);
    sha256_destroy(w->sha);
    mem_free(w->temp);
    mem_free(w);
}

enum err blob_commit(struct blob_writer *w, const char *expected, char digest[DIGEST_TEXT_LEN + 1],
                     struct errmsg *e)
{
    unsigned char hash[32];
    enum err err = OK;

    sha256_final(w->sha, hash);
    memcpy(digest, "sha256:", 7);
    hex_encode(hash, 32, digest + 7);
    if (expected && strcmp(expected, digest)) {
        errmsg_set(e, "document %s expected, %s came", expected, digest);
        err = ERR_CORRUPT;
    }
    if (err == OK && fsync(w->fd) != 0)
        err = failed(e, "sync", w->temp);
    if (err == OK)
        err = settle(w->d, w->temp, digest, e);
    blob_abort(w); /* the temporary name is gone when it was renamed */
    return err;
}

bool blob_exists(struct blob_dir *d, const char *digest)
{
    char path[PATH_BYTES];

    if (!digest_valid(digest))
        return false;
    place(d, digest, path);
    return access(path, F_OK) == 0;
}

void blob_remove(struct blob_dir *d, const char *digest)
{
    char path[PATH_BYTES];

    assert(digest_valid(digest));
    place(d, digest, path);
    (void)unlink(path); /* what stays is found by nobody, and verify counts it */
}

enum err blob_read(struct blob_dir *d, const char *digest, int *ret_fd, int64_t *ret_size,
                   struct errmsg *e)
{
    char path[PATH_BYTES];
    struct stat s;
    int fd;

    if (!digest_valid(digest)) {
        errmsg_set(e, "that is no digest");
        return ERR_NOT_FOUND;
    }
    place(d, digest, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s) != 0) {
        enum err err = failed(e, "open", path);
        if (fd >= 0)
            close(fd);
        return err;
    }
    *ret_fd = fd;
    *ret_size = s.st_size;
    return OK;
}

int64_t blob_partial_size(struct blob_dir *d, const char *digest)
{
    char path[PATH_BYTES];
    struct stat s;

    if (!digest_valid(digest))
        return 0;
    partial(d, digest, path);
    return stat(path, &s) == 0 ? s.st_size : 0;
}

enum err blob_partial_append(struct blob_dir *d, const char *digest, int64_t offset, const void *p,
                             size_t n, struct errmsg *e)
{
    char path[PATH_BYTES];
    enum err err;
    int fd;

    if (!digest_valid(digest)) {
        errmsg_set(e, "that is no digest");
        return ERR_INVALID;
    }
    if (blob_partial_size(d, digest) != offset) {
        errmsg_set(e, "byte %lld is next, %lld came", (long long)blob_partial_size(d, digest),
                   (long long)offset);
        return ERR_CONFLICT;
    }
    partial(d, digest, path);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(e, "open", path);
    err = write_all(fd, p, n, path, e);
    if (err != OK && ftruncate(fd, offset) != 0)
        err = failed(e, "cut back", path);
    close(fd);
    return err;
}

/* SHA-256 of an open file from its beginning, as a digest text. */
static enum err hash_file(int fd, const char *path, char digest[DIGEST_TEXT_LEN + 1],
                          struct errmsg *e)
{
    struct sha256 *sha = sha256_create();
    unsigned char block[65536], hash[32];
    enum err err = OK;
    ssize_t n;

    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err = failed(e, "read", path);
            break;
        }
        sha256_update(sha, block, (size_t)n);
    }
    sha256_final(sha, hash);
    sha256_destroy(sha);
    memcpy(digest, "sha256:", 7);
    hex_encode(hash, 32, digest + 7);
    return err;
}

enum err blob_partial_finish(struct blob_dir *d, const char *digest, struct errmsg *e)
{
    char path[PATH_BYTES], found[DIGEST_TEXT_LEN + 1];
    enum err err;
    int fd;

    if (!digest_valid(digest)) {
        errmsg_set(e, "that is no digest");
        return ERR_INVALID;
    }
    partial(d, digest, path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* an empty document has no partial file */
    if (fd < 0)
        return failed(e, "open", path);
    err = hash_file(fd, path, found, e);
    if (err == OK && strcmp(found, digest)) {
        unlink(path);
        errmsg_set(e, "document %s expected, %s came", digest, found);
        err = ERR_CORRUPT;
    }
    if (err == OK && fsync(fd) != 0)
        err = failed(e, "sync", path);
    close(fd);
    return err == OK ? settle(d, path, digest, e) : err;
}

static enum err verify_folder(const char *path, int64_t *count, struct errmsg *e)
{
    DIR *dir = opendir(path);
    struct dirent *f;
    enum err err = OK;

    if (!dir)
        return failed(e, "open folder", path);
    while (err == OK && (f = readdir(dir))) {
        char file[PATH_BYTES + 260], found[DIGEST_TEXT_LEN + 1];
        int fd;

        if (strlen(f->d_name) != 64)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, f->d_name);
        fd = open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            err = failed(e, "open", file);
            break;
        }
        err = hash_file(fd, file, found, e);
        close(fd);
        if (err == OK && strcmp(found + 7, f->d_name)) {
            errmsg_set(e, "document %s holds other bytes", file);
            err = ERR_CORRUPT;
        }
        ++*count;
    }
    closedir(dir);
    return err;
}

enum err blob_verify_all(struct blob_dir *d, int64_t *ret_count, struct errmsg *e)
{
    int64_t count = 0;

    for (int i = 0; i < 256; i++) {
        char path[PATH_BYTES];
        enum err err;

        snprintf(path, sizeof path, "%s/%02x", d->path, (unsigned)i);
        if (access(path, F_OK) != 0)
            continue;
        if ((err = verify_folder(path, &count, e)) != OK)
            return err;
    }
    *ret_count = count;
    return OK;
}
