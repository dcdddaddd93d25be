/* Files and folders in memory for whoever makes plain system calls on "/disk<N>/..." (documents):
 * the linker sends open(), write(), fsync(), rename() ... of our own objects here (FILES_WRAP in
 * the Makefile). What was not synced is at risk when the power fails: bytes are safe by fsync of
 * the file, names by fsync of their folder. Each change is one operation of its disk (disk.h): the
 * disk stops, fails and is full for files and database alike. */
#ifndef SIM_FILES_H
#define SIM_FILES_H

#include <stdbool.h>
#include <stdint.h>

void files_wipe(int n);  /* an empty disk */
void *files_copy(int n); /* a backup of them; free with files_copy_free() */
void files_put(int n, const void *copy);
void files_copy_free(void *copy);
bool files_at_risk(int n); /* are there bytes that are not synced? */
void files_power_cycle(int n, uint64_t (*dice)(uint64_t below)); /* see disk_power_cycle() */
/* Walk the names of the whole files below a folder ("blobs"); partial/ is left out. */
void files_each(int n, void (*fn)(void *arg, const char *name), void *arg);

#endif
