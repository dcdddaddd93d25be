#include "disk.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512
#define FILES_MAX 12
#define SHM_MAX 8

struct sector {
    int64_t at; /* sector number */
    unsigned char old[SECTOR];
};

struct file {
    char name[64];
    unsigned char *data;
    int64_t len, cap, synced_len;
    int64_t high; /* behind it all is zero */
    struct sector *dirty;
    int dirty_count, dirty_cap;
    unsigned char *dirty_map; /* a bit per sector */
    int64_t map_cap;
    void *shm[SHM_MAX];
    bool there;
};

struct disk {
    struct file files[FILES_MAX];
    int64_t ops, stop_at, error_at, full_at; /* -1: never */
    bool stopped, full, read_error, sync_error;
};

static struct disk disks[DISKS_MAX], kept[DISKS_MAX];

struct handle {
    sqlite3_file base;
    struct disk *disk;
    struct file *file;
};

static void *more(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        abort();
    return p;
}

static struct disk *disk_of(const char *path, const char **rest)
{
    int n = 0, used = 0;

    if (!path || sscanf(path, "/disk%d/%n", &n, &used) != 1 || !used || n < 0 || n >= DISKS_MAX)
        return NULL;
    *rest = path + used;
    return &disks[n];
}

static struct file *file_of(struct disk *d, const char *name, bool make)
{
    struct file *spare = NULL;

    for (int i = 0; i < FILES_MAX; i++) {
        if (d->files[i].there && !strcmp(d->files[i].name, name))
            return &d->files[i];
        if (!d->files[i].there && !spare)
            spare = &d->files[i];
    }
    if (!make || !spare)
        return NULL;
    snprintf(spare->name, sizeof spare->name, "%s", name);
    spare->there = true;
    spare->len = spare->synced_len = 0;
    spare->dirty_count = 0;
    return spare;
}

static void zero_behind(struct file *f, int64_t len);

static void forget_dirty(struct file *f)
{
    for (int i = 0; i < f->dirty_count; i++)
        f->dirty_map[f->dirty[i].at / 8] &= (unsigned char)~(1u << (f->dirty[i].at % 8));
    f->dirty_count = 0;
}

/* Its memory stays for the next file in its place. */
static void drop_file(struct file *f)
{
    forget_dirty(f);
    for (int i = 0; i < SHM_MAX; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
    zero_behind(f, 0);
    f->len = f->synced_len = 0;
    f->there = false;
}

static void free_file(struct file *f)
{
    drop_file(f);
    free(f->data);
    free(f->dirty);
    free(f->dirty_map);
    memset(f, 0, sizeof *f);
}

/* One more write, sync or truncation; false: the machine has stopped. */
static bool count_op(struct disk *d)
{
    if (d->stop_at >= 0 && d->ops >= d->stop_at)
        d->stopped = true;
    if (d->full_at >= 0 && d->ops >= d->full_at)
        d->full = true;
    if (!d->stopped)
        d->ops++;
    if (d->error_at >= 0 && d->ops > d->error_at) {
        d->error_at = -1;
        return false;
    }
    return !d->stopped;
}

int disk_call(int n, enum disk_call call)
{
    struct disk *d = &disks[n];

    if (call == DISK_READ) {
        bool fails = d->stopped || d->read_error;
        d->read_error = false;
        return fails ? EIO : 0;
    }
    if (!count_op(d))
        return EIO;
    if (d->full && (call == DISK_WRITE || call == DISK_MAKE))
        return ENOSPC;
    if (call == DISK_SYNC && d->sync_error) {
        d->sync_error = false;
        return EIO;
    }
    return 0;
}

static void grow(struct file *f, int64_t len)
{
    if (len > f->cap) {
        int64_t cap = f->cap ? f->cap : 65536;
        while (cap < len)
            cap *= 2;
        f->data = more(f->data, (size_t)cap);
        memset(f->data + f->cap, 0, (size_t)(cap - f->cap));
        f->cap = cap;
        f->dirty_map = more(f->dirty_map, (size_t)(cap / SECTOR / 8 + 1));
        memset(f->dirty_map + f->map_cap, 0, (size_t)(cap / SECTOR / 8 + 1 - f->map_cap));
        f->map_cap = cap / SECTOR / 8 + 1;
    }
    if (len > f->len)
        f->len = len;
    if (len > f->high)
        f->high = len;
}

static void zero_behind(struct file *f, int64_t len)
{
    if (f->high > len)
        memset(f->data + len, 0, (size_t)(f->high - len));
    f->high = len;
}

static void touch(struct file *f, int64_t from, int64_t n)
{
    for (int64_t s = from / SECTOR; s <= (from + n - 1) / SECTOR; s++) {
        if (f->dirty_map[s / 8] & 1u << (s % 8))
            continue;
        f->dirty_map[s / 8] |= (unsigned char)(1u << (s % 8));
        if (f->dirty_count == f->dirty_cap) {
            f->dirty_cap = f->dirty_cap ? f->dirty_cap * 2 : 64;
            f->dirty = more(f->dirty, sizeof *f->dirty * (size_t)f->dirty_cap);
        }
        struct sector *x = &f->dirty[f->dirty_count++];
        x->at = s;
        memcpy(x->old, f->data + s * SECTOR, SECTOR);
    }
}

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

static int x_write(sqlite3_file *h, const void *p, int n, sqlite3_int64 at)
{
    struct handle *x = (struct handle *)h;

    if (!count_op(x->disk))
        return SQLITE_IOERR_WRITE;
    if (x->disk->full)
        return SQLITE_FULL;
    grow(x->file, at + n);
    touch(x->file, at, n);
    memcpy(x->file->data + at, p, (size_t)n);
    return SQLITE_OK;
}

static int x_truncate(sqlite3_file *h, sqlite3_int64 len)
{
    struct handle *x = (struct handle *)h;

    if (!count_op(x->disk))
        return SQLITE_IOERR_TRUNCATE;
    if (len < x->file->len) {
        touch(x->file, len, x->file->len - len);
        memset(x->file->data + len, 0, (size_t)(x->file->len - len));
        x->file->len = len;
    }
    return SQLITE_OK;
}

static int x_sync(sqlite3_file *h, int flags)
{
    struct handle *x = (struct handle *)h;

    (void)flags;
    if (!count_op(x->disk))
        return SQLITE_IOERR_FSYNC;
    if (x->disk->sync_error) {
        x->disk->sync_error = false;
        return SQLITE_IOERR_FSYNC;
    }
    forget_dirty(x->file);
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
        f->shm[page] = more(NULL, (size_t)size);
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
        for (int i = 0; i < SHM_MAX; i++) {
            free(f->shm[i]);
            f->shm[i] = NULL;
        }
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
    x->file = file_of(d, name, flags & SQLITE_OPEN_CREATE);
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
    struct file *f = d ? file_of(d, name, false) : NULL;

    (void)v;
    (void)sync;
    if (d && !count_op(d))
        return SQLITE_IOERR_DELETE;
    if (f)
        drop_file(f);
    return SQLITE_OK;
}

static int v_access(sqlite3_vfs *v, const char *path, int flags, int *ret)
{
    const char *name;
    struct disk *d = disk_of(path, &name);
    struct file *f = d ? file_of(d, name, false) : NULL;

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

void disk_register(void)
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
    for (int i = 0; i < DISKS_MAX; i++)
        disks[i].stop_at = disks[i].error_at = disks[i].full_at = -1;
}

/* ---- copies -----------------------------------------------------------------------------------*/

static void copy_disk(struct disk *to, const struct disk *from)
{
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *a = &to->files[i];
        const struct file *b = &from->files[i];
        forget_dirty(a);
        for (int k = 0; k < SHM_MAX; k++) {
            free(a->shm[k]);
            a->shm[k] = NULL;
        }
        a->there = b->there;
        a->len = a->synced_len = 0;
        if (b->there) {
            memcpy(a->name, b->name, sizeof a->name);
            grow(a, b->len);
            if (b->len)
                memcpy(a->data, b->data, (size_t)b->len);
            a->len = a->synced_len = b->len;
        }
        zero_behind(a, a->len);
    }
    to->stop_at = to->error_at = to->full_at = -1;
    to->stopped = to->full = to->read_error = to->sync_error = false;
}

void disk_snapshot(void)
{
    for (int i = 0; i < DISKS_MAX; i++)
        copy_disk(&kept[i], &disks[i]);
}

void disk_restore_snapshot(void)
{
    for (int i = 0; i < DISKS_MAX; i++) {
        copy_disk(&disks[i], &kept[i]);
        disks[i].ops = 0;
    }
}

void disk_wipe(int n)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (disks[n].files[i].there)
            drop_file(&disks[n].files[i]);
    disks[n].stopped = disks[n].full = disks[n].read_error = disks[n].sync_error = false;
    disks[n].stop_at = disks[n].error_at = disks[n].full_at = -1;
}

void *disk_backup(int n)
{
    struct disk *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    copy_disk(d, &disks[n]);
    return d;
}

void disk_restore(int n, const void *backup)
{
    copy_disk(&disks[n], backup);
}

void disk_backup_free(void *backup)
{
    struct disk *d = backup;

    for (int i = 0; d && i < FILES_MAX; i++)
        free_file(&d->files[i]);
    free(d);
}

/* ---- faults -----------------------------------------------------------------------------------*/

void disk_stop_after(int n, int64_t ops)
{
    disks[n].stop_at = ops < 0 ? -1 : disks[n].ops + ops;
}

void disk_error_after(int n, int64_t ops)
{
    disks[n].error_at = ops < 0 ? -1 : disks[n].ops + ops;
}

void disk_full_after(int n, int64_t ops)
{
    disks[n].full_at = ops < 0 ? -1 : disks[n].ops + ops;
}

bool disk_stopped(int n)
{
    return disks[n].stopped;
}

int64_t disk_ops(int n)
{
    return disks[n].ops;
}

void disk_set_full(int n, bool full)
{
    disks[n].full = full;
}

void disk_fail_read(int n)
{
    disks[n].read_error = true;
}

void disk_fail_sync(int n)
{
    disks[n].sync_error = true;
}

void disk_heal(int n)
{
    disks[n].full = disks[n].read_error = disks[n].sync_error = false;
    disks[n].error_at = disks[n].full_at = -1;
    if (!disks[n].stopped)
        disks[n].stop_at = -1;
}

void disk_power_cycle(int n, uint64_t (*dice)(uint64_t below))
{
    struct disk *d = &disks[n];

    for (int i = 0; i < FILES_MAX; i++) {
        struct file *f = &d->files[i];
        if (!f->there)
            continue;
        if (f->len != f->synced_len && dice(2)) {
            if (f->synced_len < f->len)
                memset(f->data + f->synced_len, 0, (size_t)(f->len - f->synced_len));
            grow(f, f->synced_len);
            f->len = f->synced_len;
        }
        for (int k = 0; k < f->dirty_count; k++) {
            uint64_t fate = dice(8);
            int64_t at = f->dirty[k].at * SECTOR;
            if (fate < 4)
                memcpy(f->data + at, f->dirty[k].old, SECTOR);
            else if (fate == 4)
                /* Never what was not written: power-safe overwrite. */
                for (int b = 0; b < SECTOR; b++)
                    if (f->data[at + b] != f->dirty[k].old[b])
                        f->data[at + b] = (unsigned char)dice(256);
        }
        forget_dirty(f);
        zero_behind(f, f->len);
        f->synced_len = f->len;
        for (int k = 0; k < SHM_MAX; k++) {
            free(f->shm[k]);
            f->shm[k] = NULL;
        }
    }
    d->stopped = d->full = d->read_error = d->sync_error = false;
    d->stop_at = d->error_at = d->full_at = -1;
}
