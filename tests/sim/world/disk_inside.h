/* What disk.c and disk_vfs.c know of each other: a disk is a handful of files, and a file knows
 * which of its sectors were written since its last sync, and what was there before. */
#ifndef SIM_DISK_INSIDE_H
#define SIM_DISK_INSIDE_H

#include "disk.h"

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

struct disk *disk_of(const char *path, const char **rest);
struct file *disk_file(struct disk *d, const char *name, bool make);
bool disk_count_op(struct disk *d);                            /* one more; false: it fails */
void disk_file_room(struct file *f, int64_t len);              /* memory for so much */
void disk_file_touch(struct file *f, int64_t from, int64_t n); /* before it is written there */
void disk_file_synced(struct file *f);                         /* all that was written is safe */
void disk_file_drop(struct file *f);
void disk_file_drop_shm(struct file *f);
void *disk_more(void *p, size_t n); /* realloc() that does not fail */

/* disk_vfs.c */
void disk_vfs_register(void);

#endif
