/* SQLite writes each page of its write-ahead log with two calls, 24 bytes and 4,096 bytes. This
 * layer over a VFS gathers those that follow each other and hands them to the file below as one.
 *
 *   SQLite --xWrite----------> gathered --one xWrite--> the file below
 *          --sync, read, ...--> first what is gathered, then the call
 *
 * It is not a cache: nothing is kept once it is written, and nothing is read from here. Of the
 * database file three methods are watched; all else, and all other files, are the VFS's own.
 *
 * Why it is safe. To its own connection the log looks as if every write had been made at once: what
 * is gathered is handed down before a write elsewhere, a read of the same bytes, a sync, a
 * truncation, a look at the size. Other connections read only frames that shared memory names: it
 * names those of a transaction after its sync (synchronous=FULL), and in any case behind a barrier,
 * which hands down what it finds.
 *
 * A write that the disk refuses fails in the call that handed it down, with the code from below.
 * What is gathered stays: SQLite was told that it is written, and may go on behind it (SQLITE_FULL
 * may undo no more than a statement), so the next call tries again, and no COMMIT gets past a hole.
 * Who undoes the transaction gives back the lock on writing. Then what is gathered is dropped: it
 * was never committed, must not be now, and would soon lie over another connection's frames. */
#include "db/log_vfs.h"

#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* A file is opened by the VFS below and stays its file; only the table of methods is replaced by a
 * copy of its own, some of them ours, with what we know of the file behind it. */
struct log {
    sqlite3_io_methods methods; /* first: file->pMethods */
    const sqlite3_io_methods *below;
    struct main *main;
    unsigned char *bytes; /* gathered; room for LOG_VFS_BYTES, from the first write on */
    int len;
    sqlite3_int64 at; /* where in the file */
};

/* The database file of the same connection. */
struct main {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *below;
    sqlite3_file *log; /* NULL: not open */
};

static struct log *log_of(sqlite3_file *f)
{
    return (struct log *)f->pMethods;
}

static struct main *main_of(sqlite3_file *f)
{
    return (struct main *)f->pMethods;
}

/* ---- the log ----------------------------------------------------------------------------------*/

static int hand_down(sqlite3_file *f)
{
    struct log *l = log_of(f);
    assert(l->len >= 0 && l->len <= LOG_VFS_BYTES && (l->bytes || !l->len));
    int rc = l->len ? l->below->xWrite(f, l->bytes, l->len, l->at) : SQLITE_OK;

    if (rc == SQLITE_OK)
        l->len = 0;
    return rc;
}

static int log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct log *l = log_of(f);
    int rc;

    assert(n <= LOG_VFS_BYTES); /* a page can have as much */
    if ((at != l->at + l->len || n > LOG_VFS_BYTES - l->len) && (rc = hand_down(f)) != SQLITE_OK)
        return rc;
    if (!l->bytes)
        l->bytes = mem_alloc(LOG_VFS_BYTES);
    if (!l->len)
        l->at = at;
    memcpy(l->bytes + l->len, p, (size_t)n);
    l->len += n;
    return SQLITE_OK;
}

/* A page that was written before its COMMIT is read again; a read of others does not disturb. */
static int log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    struct log *l = log_of(f);
    int rc = at < l->at + l->len && l->at < at + n ? hand_down(f) : SQLITE_OK;

    return rc == SQLITE_OK ? l->below->xRead(f, p, n, at) : rc;
}

static int log_sync(sqlite3_file *f, int flags)
{
    int rc = hand_down(f);

    return rc == SQLITE_OK ? log_of(f)->below->xSync(f, flags) : rc;
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 len)
{
    int rc = hand_down(f);

    return rc == SQLITE_OK ? log_of(f)->below->xTruncate(f, len) : rc;
}

static int log_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    int rc = hand_down(f);

    return rc == SQLITE_OK ? log_of(f)->below->xFileSize(f, ret) : rc;
}

static int log_control(sqlite3_file *f, int op, void *arg)
{
    int rc = hand_down(f);

    return rc == SQLITE_OK ? log_of(f)->below->xFileControl(f, op, arg) : rc;
}

/* By then the lock on writing is given back (unless locking_mode is EXCLUSIVE): nothing is left. */
static int log_close(sqlite3_file *f)
{
    struct log *l = log_of(f);
    int rc;

    (void)hand_down(f);
    assert(l->main->log == f);
    l->main->log = NULL;
    f->pMethods = l->below;
    rc = l->below->xClose(f);
    mem_free(l->bytes);
    mem_free(l);
    return rc;
}

/* ---- the database file ------------------------------------------------------------------------*/

/* Frames are made known to other connections behind it. */
static void main_barrier(sqlite3_file *f)
{
    struct main *m = main_of(f);
    int rc = m->log ? hand_down(m->log) : SQLITE_OK;

    assert(rc == SQLITE_OK); /* with synchronous=FULL the sync has handed down all */
    m->below->xShmBarrier(f);
}

/* The first lock is that on writing. */
static int main_shm_lock(sqlite3_file *f, int first, int n, int flags)
{
    struct main *m = main_of(f);

    if (m->log && first == 0 && flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE))
        log_of(m->log)->len = 0;
    return m->below->xShmLock(f, first, n, flags);
}

static int main_close(sqlite3_file *f)
{
    struct main *m = main_of(f);
    int rc;

    assert(!m->log);
    f->pMethods = m->below;
    rc = m->below->xClose(f);
    mem_free(m);
    return rc;
}

/* ---- opening ----------------------------------------------------------------------------------*/

static void over_main(sqlite3_file *f)
{
    if (f->pMethods->iVersion < 2 || !f->pMethods->xShmLock)
        return; /* it can have no log that others read */
    struct main *m = mem_alloc(sizeof *m);
    m->below = f->pMethods;
    m->methods = *m->below;
    m->methods.xShmLock = main_shm_lock;
    m->methods.xShmBarrier = main_barrier;
    m->methods.xClose = main_close;
    f->pMethods = &m->methods;
}

static void over_log(sqlite3_file *f, sqlite3_file *main_file)
{
    if (main_file->pMethods->xClose != main_close)
        return;
    struct log *l = mem_alloc(sizeof *l);
    l->below = f->pMethods;
    l->methods = *l->below;
    l->methods.iVersion = 1; /* a log is not mapped and has no shared memory of its own */
    l->methods.xWrite = log_write;
    l->methods.xRead = log_read;
    l->methods.xSync = log_sync;
    l->methods.xTruncate = log_truncate;
    l->methods.xFileSize = log_size;
    l->methods.xFileControl = log_control;
    l->methods.xClose = log_close;
    l->main = main_of(main_file);
    assert(!l->main->log); /* one log a connection */
    l->main->log = f;
    f->pMethods = &l->methods;
}

struct log_vfs {
    sqlite3_vfs vfs; /* a copy of the one below, but for name and xOpen */
    sqlite3_vfs *below;
    char name[64];
};

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
    sqlite3_vfs *below = ((struct log_vfs *)vfs)->below;
    int rc = below->xOpen(below, path, f, flags, ret_flags);

    if (rc == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB)
        over_main(f);
    if (rc == SQLITE_OK && flags & SQLITE_OPEN_WAL)
        over_log(f, sqlite3_database_file_object(path));
    return rc;
}

const char *log_vfs_name(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    struct log_vfs *v;
    char name[sizeof v->name];
    int rc = SQLITE_OK;

    snprintf(name, sizeof name, "log over %s", below->zName);
    pthread_mutex_lock(&lock);
    v = (struct log_vfs *)sqlite3_vfs_find(name);
    if (!v) {
        v = mem_alloc(sizeof *v);
        v->vfs = *below;
        v->vfs.zName = strcpy(v->name, name);
        v->vfs.xOpen = open_file;
        v->below = below;
        rc = sqlite3_vfs_register(&v->vfs, 0);
    }
    pthread_mutex_unlock(&lock);
    assert(rc == SQLITE_OK && v->below == below);
    return v->name;
}
