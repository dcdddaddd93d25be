/* SQLite's VFS on these disks. */
#include "disk_inside.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct handle {
    sqlite3_file base;
    struct disk *disk;
    struct file *file;
    bool log;
};

/* ---- sqlite's file methods --------------------------------------------------------------------*/

static int x_close(sqlite3_file *h)
{
    (void)h;
    return SQLITE_OK;
}

static int x_read(sqlite3_file *h, void *p, int n, sqlite3_int64 at)
{
    struct handle *x = (struct handle *)h;

    if (x->disk->stopped)
        return SQLITE_IOERR_READ;
    if (x->disk->read_error) {
        x->disk->read_error = false;
        return SQLITE_IOERR_READ;
    }
    int64_t have = x->file->len - at < n ? x->file->len - at : n;
    if (have > 0)
        memcpy(p, x->file->data + at, (size_t)have);
    if (have == n)
        return SQLITE_OK;
    memset((char *)p + (have > 0 ? have : 0), 0, (size_t)(n - (have > 0 ? have : 0)));
    return SQLITE_IOERR_SHORT_READ;
}

static int write_piece(struct handle *x, const void *p, int n, int64_t at)
{
    struct file *f = x->file;

    if (!disk_count_op(x->disk))
        return SQLITE_IOERR_WRITE;
    if (x->disk->full)
        return SQLITE_FULL;
    disk_file_room(f, at + n);
    disk_file_touch(f, at, n);
    if (at > f->len) /* what lies between was never written */
        memset(f->data + f->len, 0, (size_t)(at - f->len));
    memcpy(f->data + at, p, (size_t)n);
    f->len = at + n > f->len ? at + n : f->len;
    return SQLITE_OK;
}

/* Where the head or the page of a log that stands at `at` ends. */
static int64_t log_piece_end(int64_t at)
{
    enum { HEAD = 32, FRAME_HEAD = 24, PAGE = 4096 };
    int64_t in = at < HEAD ? 0 : (at - HEAD) % (FRAME_HEAD + PAGE);

    return at < HEAD ? HEAD : at - in + (in < FRAME_HEAD ? FRAME_HEAD : FRAME_HEAD + PAGE);
}

/* A log comes in large pieces (shared/db/log_vfs.c), and a disk may stop, fail or fill up in the
 * middle of one. So each is taken apart here into the writes that SQLite made, and each of these
 * counts, and can be the last. */
static int x_write(sqlite3_file *h, const void *p, int n, sqlite3_int64 at)
{
    struct handle *x = (struct handle *)h;
    int rc = SQLITE_OK;

    for (int done = 0, piece; rc == SQLITE_OK && done < n; done += piece) {
        int64_t rest = x->log ? log_piece_end(at + done) - (at + done) : n;
        piece = rest < n - done ? (int)rest : n - done;
        rc = write_piece(x, (const char *)p + done, piece, at + done);
    }
    return rc;
}

static int x_truncate(sqlite3_file *h, sqlite3_int64 len)
{
    struct handle *x = (struct handle *)h;

    if (!disk_count_op(x->disk))
        return SQLITE_IOERR_TRUNCATE;
    if (len < x->file->len) {
        disk_file_touch(x->file, len, x->file->len - len);
        memset(x->file->data + len, 0, (size_t)(x->file->len - len));
        x->file->len = len;
    }
    return SQLITE_OK;
}

static int x_sync(sqlite3_file *h, int flags)
{
    struct handle *x = (struct handle *)h;

    (void)flags;
    if (!disk_count_op(x->disk))
        return SQLITE_IOERR_FSYNC;
    if (x->disk->sync_error) {
        x->disk->sync_error = false;
        return SQLITE_IOERR_FSYNC;
    }
    disk_file_synced(x->file);
    x->file->synced_len = x->file->len;
    return SQLITE_OK;
}

static int x_size(sqlite3_file *h, sqlite3_int64 *ret)
{
    *ret = ((struct handle *)h)->file->len;
    return SQLITE_OK;
}

static int x_lock(sqlite3_file *h, int level)
{
    (void)h;
    (void)level;
    return SQLITE_OK;
}

static int x_reserved(sqlite3_file *h, int *ret)
{
    (void)h;
    *ret = 0;
    return SQLITE_OK;
}

static int x_control(sqlite3_file *h, int op, void *arg)
{
    (void)h;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int x_sector(sqlite3_file *h)
{
    (void)h;
    return SECTOR;
}

static int x_traits(sqlite3_file *h)
{
    (void)h;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int x_shm_map(sqlite3_file *h, int page, int size, int extend, void volatile **ret)
{
    struct file *f = ((struct handle *)h)->file;

    *ret = NULL;
    if (page >= SHM_MAX)
        return SQLITE_NOMEM;
    if (!f->shm[page] && extend) {
        f->shm[page] = disk_more(NULL, (size_t)size);
        memset(f->shm[page], 0, (size_t)size);
    }
    *ret = f->shm[page];
    return SQLITE_OK;
}

static int x_shm_lock(sqlite3_file *h, int offset, int n, int flags)
{
    (void)h;
    (void)offset;
    (void)n;
    (void)flags;
    return SQLITE_OK;
}

static void x_shm_barrier(sqlite3_file *h)
{
    (void)h;
}

static int x_shm_unmap(sqlite3_file *h, int delete_it)
{
    struct file *f = ((struct handle *)h)->file;

    if (delete_it)
        disk_file_drop_shm(f);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_lock,
    .xCheckReservedLock = x_reserved,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_traits,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

static sqlite3_vfs *real;

static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *h, int flags, int *ret_flags)
{
    struct handle *x = (struct handle *)h;
    const char *name;
    struct disk *d = disk_of(path, &name);

    (void)v;
    x->base.pMethods = NULL;
    if (!d || d->stopped)
        return SQLITE_CANTOPEN;
    x->disk = d;
    x->log = flags & SQLITE_OPEN_WAL;
    x->file = disk_file(d, name, flags & SQLITE_OPEN_CREATE);
    if (!x->file)
        return SQLITE_CANTOPEN;
    x->base.pMethods = &methods;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *v, const char *path, int sync)
{
    const char *name;
    struct disk *d = disk_of(path, &name);
    struct file *f = d ? disk_file(d, name, false) : NULL;

    (void)v;
    (void)sync;
    if (d && !disk_count_op(d))
        return SQLITE_IOERR_DELETE;
    if (f)
        disk_file_drop(f);
    return SQLITE_OK;
}

static int v_access(sqlite3_vfs *v, const char *path, int flags, int *ret)
{
    const char *name;
    struct disk *d = disk_of(path, &name);
    struct file *f = d ? disk_file(d, name, false) : NULL;

    (void)v;
    *ret = f && (flags != SQLITE_ACCESS_EXISTS || f->len > 0);
    return SQLITE_OK;
}

static int v_full(sqlite3_vfs *v, const char *path, int n, char *out)
{
    (void)v;
    snprintf(out, (size_t)n, "%s", path);
    return SQLITE_OK;
}

static int v_random(sqlite3_vfs *v, int n, char *out)
{
    (void)v;
    memset(out, 7, (size_t)n); /* the same on every run */
    return n;
}

static int v_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return us;
}

static int v_time(sqlite3_vfs *v, double *ret)
{
    (void)v;
    *ret = 2461000.5;
    return SQLITE_OK;
}

static int v_time64(sqlite3_vfs *v, sqlite3_int64 *ret)
{
    (void)v;
    *ret = (sqlite3_int64)(2461000.5 * 86400000.0);
    return SQLITE_OK;
}

void disk_vfs_register(void)
{
    static sqlite3_vfs v;

    /* One thread; and SQLite's memory needs no statistics. */
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    real = sqlite3_vfs_find(NULL);
    v = (sqlite3_vfs){.iVersion = 2,
                      .szOsFile = sizeof(struct handle),
                      .mxPathname = 256,
                      .zName = "sim",
                      .xOpen = v_open,
                      .xDelete = v_delete,
                      .xAccess = v_access,
                      .xFullPathname = v_full,
                      .xRandomness = v_random,
                      .xSleep = v_sleep,
                      .xCurrentTime = v_time,
                      .xCurrentTimeInt64 = v_time64};
    sqlite3_vfs_register(&v, 1);
}
