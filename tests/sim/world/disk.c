/* The files of the disks, their copies, and what goes wrong with them. */
#include "disk_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct disk disks[DISKS_MAX], kept[2][DISKS_MAX];

void *disk_more(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        abort();
    return p;
}

struct disk *disk_of(const char *path, const char **rest)
{
    int n = 0, used = 0;

    if (!path || sscanf(path, "/disk%d/%n", &n, &used) != 1 || !used || n < 0 || n >= DISKS_MAX)
        return NULL;
    *rest = path + used;
    return &disks[n];
}

struct file *disk_file(struct disk *d, const char *name, bool make)
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

void disk_file_synced(struct file *f)
{
    for (int i = 0; i < f->dirty_count; i++)
        f->dirty_map[f->dirty[i].at / 8] &= (unsigned char)~(1u << (f->dirty[i].at % 8));
    f->dirty_count = 0;
}

void disk_file_drop_shm(struct file *f)
{
    for (int i = 0; i < SHM_MAX; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
}

/* Its memory stays for the next file in its place. */
void disk_file_drop(struct file *f)
{
    disk_file_synced(f);
    disk_file_drop_shm(f);
    f->len = f->synced_len = 0;
    f->there = false;
}

static void free_file(struct file *f)
{
    disk_file_drop(f);
    free(f->data);
    free(f->dirty);
    free(f->dirty_map);
    memset(f, 0, sizeof *f);
}

/* One more write, sync or truncation; false: the machine has stopped. */
bool disk_count_op(struct disk *d)
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
    if (!disk_count_op(d))
        return EIO;
    if (d->full && (call == DISK_WRITE || call == DISK_MAKE))
        return ENOSPC;
    if (call == DISK_SYNC && d->sync_error) {
        d->sync_error = false;
        return EIO;
    }
    return 0;
}

void disk_file_room(struct file *f, int64_t len)
{
    if (len > f->cap) {
        int64_t cap = f->cap ? f->cap : 65536;
        while (cap < len)
            cap *= 2;
        f->data = disk_more(f->data, (size_t)cap);
        f->cap = cap;
        f->dirty_map = disk_more(f->dirty_map, (size_t)(cap / SECTOR / 8 + 1));
        memset(f->dirty_map + f->map_cap, 0, (size_t)(cap / SECTOR / 8 + 1 - f->map_cap));
        f->map_cap = cap / SECTOR / 8 + 1;
    }
}

void disk_file_touch(struct file *f, int64_t from, int64_t n)
{
    for (int64_t s = from / SECTOR; s <= (from + n - 1) / SECTOR; s++) {
        if (f->dirty_map[s / 8] & 1u << (s % 8))
            continue;
        f->dirty_map[s / 8] |= (unsigned char)(1u << (s % 8));
        if (f->dirty_count == f->dirty_cap) {
            f->dirty_cap = f->dirty_cap ? f->dirty_cap * 2 : 64;
            f->dirty = disk_more(f->dirty, sizeof *f->dirty * (size_t)f->dirty_cap);
        }
        struct sector *x = &f->dirty[f->dirty_count++];
        x->at = s;
        int64_t had = f->len - s * SECTOR; /* behind the end there was nothing */
        had = had < 0 ? 0 : had > SECTOR ? SECTOR : had;
        memcpy(x->old, f->data + s * SECTOR, (size_t)had);
        memset(x->old + had, 0, (size_t)(SECTOR - had));
    }
}

void disk_register(void)
{
    disk_vfs_register();
    for (int i = 0; i < DISKS_MAX; i++)
        disks[i].stop_at = disks[i].error_at = disks[i].full_at = -1;
}

/* ---- copies -----------------------------------------------------------------------------------*/

static void copy_disk(struct disk *to, const struct disk *from)
{
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *a = &to->files[i];
        const struct file *b = &from->files[i];
        disk_file_synced(a);
        disk_file_drop_shm(a);
        a->there = b->there;
        a->len = a->synced_len = 0;
        if (b->there) {
            memcpy(a->name, b->name, sizeof a->name);
            disk_file_room(a, b->len);
            if (b->len)
                memcpy(a->data, b->data, (size_t)b->len);
            a->len = a->synced_len = b->len;
        }
    }
    to->stop_at = to->error_at = to->full_at = -1;
    to->stopped = to->full = to->read_error = to->sync_error = false;
}

void disk_snapshot(int which)
{
    for (int i = 0; i < DISKS_MAX; i++)
        copy_disk(&kept[which][i], &disks[i]);
}

void disk_restore_snapshot(int which)
{
    for (int i = 0; i < DISKS_MAX; i++) {
        copy_disk(&disks[i], &kept[which][i]);
        disks[i].ops = 0;
    }
}

void disk_wipe(int n)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (disks[n].files[i].there)
            disk_file_drop(&disks[n].files[i]);
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
            f->len = f->synced_len;
        }
        for (int k = 0; k < f->dirty_count; k++) {
            uint64_t fate = dice(8);
            int64_t at = f->dirty[k].at * SECTOR;
            if (fate < 4)
                memcpy(f->data + at, f->dirty[k].old, SECTOR);
            else if (fate == 4)
                /* Never what was not written: power-safe overwrite. */
                for (int b = 0; b < SECTOR && at + b < f->len; b++)
                    if (f->data[at + b] != f->dirty[k].old[b])
                        f->data[at + b] = (unsigned char)dice(256);
        }
        disk_file_synced(f);
        f->synced_len = f->len;
        disk_file_drop_shm(f);
    }
    d->stopped = d->full = d->read_error = d->sync_error = false;
    d->stop_at = d->error_at = d->full_at = -1;
}
