/* A layer between SQLite and its default VFS that hands the write-ahead log to the disk in large
 * pieces. */
#ifndef DB_LOG_VFS_H
#define DB_LOG_VFS_H

/* For sqlite3_open_v2(): the layer over the VFS that is the default now, registered at its first
 * use. A connection opened through it must have synchronous=FULL (db_open() sees to it): with less,
 * an error of the disk may have no call left to come out of, and asserts. */
const char *log_vfs_name(void);

/* That a connection may have gathered: 15 pages. Twice as much brings nothing that can be measured,
 * and SQLite's VFS for Unix takes no more than 0x1ffff bytes in a call. */
#define LOG_VFS_BYTES (64 * 1024)
_Static_assert(LOG_VFS_BYTES <= 0x1ffff, "a call would be cut");

#endif
