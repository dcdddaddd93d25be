/* A disk in memory that SQLite works on: it knows what was synced, and can crash, be full, or fail
 * to read. Paths are "/disk<N>/...": each site has its own. Registered as the default VFS. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISKS_MAX 16

void disk_register(void);
/* Remember all files of all disks, and go back to that state later: one of two, 0 or 1. */
void disk_snapshot(int which);
void disk_restore_snapshot(int which);
void disk_wipe(int n); /* a new disk, empty and well */
/* A copy of one disk's files, as a backup; and back. */
void *disk_backup(int n);
void disk_restore(int n, const void *backup);
void disk_backup_free(void *backup);

/* After `ops` more writes, syncs or truncations every call fails: the machine has stopped.
 * -1: never. */
void disk_stop_after(int n, int64_t ops);
/* The operation after `ops` more fails once with an I/O error, or is the first of a full disk. */
void disk_error_after(int n, int64_t ops);
void disk_full_after(int n, int64_t ops);
/* One call of a file of this disk that is not SQLite's (files.c): 0, EIO or ENOSPC. */
enum disk_call { DISK_READ, DISK_WRITE, DISK_MAKE, DISK_REMOVE, DISK_SYNC };
int disk_call(int n, enum disk_call call);
bool disk_stopped(int n);
int64_t disk_ops(int n); /* writes, syncs, truncations so far */
/* Full: writes fail. read_error/sync_error: the next read or sync fails once. */
void disk_set_full(int n, bool full);
void disk_fail_read(int n);
void disk_fail_sync(int n);
void disk_heal(int n); /* no fault that has not struck yet will strike */
/* The power returns: each sector written since its last sync is kept, lost or spoiled by dice();
 * then the disk works again. Everything open on it must be closed before. */
void disk_power_cycle(int n, uint64_t (*dice)(uint64_t below));

#endif
