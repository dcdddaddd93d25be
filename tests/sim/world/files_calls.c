/* The system calls that the linker sends here: those on "/disk<N>/..." work on files.c, all others
 * are the machine's own. */
#include "files_inside.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_BASE 1000000
#define FDS_MAX 64

static struct open_file {
    struct node *node;
    int disk, flags;
    size_t at;
    char path[100];
} fds[FDS_MAX];

struct fake_dir {
    int disk;
    char path[100];
    int bucket;
    struct name *next;
    struct dirent entry;
};

static int disk_in(const char *path, const char **rest)
{
    if (strncmp(path, "/disk", 5) || path[5] < '0' || path[5] > '9')
        return -1;
    char *end;
    long n = strtol(path + 5, &end, 10);
    if (*end != '/' || n >= DISKS_MAX)
        return -1;
    *rest = end + 1;
    return (int)n;
}

static bool is_child(const char *dir, const char *path)
{
    size_t n = strlen(dir);

    return !strncmp(dir, path, n) && path[n] == '/' && !strchr(path + n + 1, '/');
}

static int fails(int disk, enum disk_call call)
{
    int code = disk_call(disk, call);

    if (call != DISK_READ)
        files_changed(disk);
    if (code)
        errno = code;
    return code ? -1 : 0;
}

static int no(int code)
{
    errno = code;
    return -1;
}

static struct open_file *file_at(int fd)
{
    return fd >= FD_BASE && fd < FD_BASE + FDS_MAX && fds[fd - FD_BASE].node ? &fds[fd - FD_BASE]
                                                                             : NULL;
}

/* ---- the calls --------------------------------------------------------------------------------*/

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    const char *p;
    int disk = disk_in(path, &p), i = 0;
    va_list ap;

    va_start(ap, flags);
    unsigned mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;
    va_end(ap);
    if (disk < 0)
        return __real_open(path, flags, mode);
    while (i < FDS_MAX && fds[i].node)
        i++;
    if (i == FDS_MAX)
        abort(); /* somebody does not close */
    struct node *x = files_node_at(disk, p);
    if (x && flags & O_CREAT && flags & O_EXCL)
        return no(EEXIST);
    if (!x && !(flags & O_CREAT))
        return no(ENOENT);
    if (x && flags & O_DIRECTORY && !x->dir)
        return no(ENOTDIR);
    if (fails(disk, !x ? DISK_MAKE : DISK_READ))
        return -1;
    if (!x) {
        if (!files_parent_is_there(disk, p))
            return no(ENOENT);
        files_set(&files_find(disk, p, true)->now, x = files_node_new(false));
    }
    fds[i] = (struct open_file){.node = files_node_hold(x), .disk = disk, .flags = flags, .at = 0};
    snprintf(fds[i].path, sizeof fds[i].path, "%s", p);
    return FD_BASE + i;
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_close(fd);
    files_node_let_go(f->node);
    f->node = NULL;
    return 0;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_write(fd, p, n);
    if (fails(f->disk, DISK_WRITE))
        return -1;
    struct node *x = f->node;
    size_t at = f->flags & O_APPEND ? x->len : f->at;
    if (at + n > x->cap) {
        x->cap = 2 * (at + n) + 1024;
        x->data = files_there(realloc(x->data, x->cap));
    }
    memcpy(x->data + at, p, n);
    f->at = at + n;
    if (x->synced > at)
        x->synced = at;
    if (x->len < f->at)
        x->len = f->at;
    return (ssize_t)n;
}

ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_pread(fd, p, n, at);
    if (fails(f->disk, DISK_READ))
        return -1;
    size_t have = (size_t)at < f->node->len ? f->node->len - (size_t)at : 0;
    if (n > have)
        n = have;
    if (n)
        memcpy(p, f->node->data + at, n);
    return (ssize_t)n;
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_read(fd, p, n);
    ssize_t got = __wrap_pread(fd, p, n, (off_t)f->at);
    if (got > 0)
        f->at += (size_t)got;
    return got;
}

/* What a guarded build (_FORTIFY_SOURCE) makes of them where it knows how much room there is. */
ssize_t __wrap___pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __wrap___pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
    assert(n <= room);
    return __wrap_pread(fd, p, n, at);
}

ssize_t __wrap___read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __wrap___read_chk(int fd, void *p, size_t n, size_t room)
{
    assert(n <= room);
    return __wrap_read(fd, p, n);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_fsync(fd);
    if (fails(f->disk, DISK_SYNC))
        return -1;
    f->node->synced = f->node->len;
    for (int b = 0; f->node->dir && b < BUCKETS; b++)
        for (struct name *x = files_names[f->disk][b]; x; x = x->next)
            if (is_child(f->path, x->path))
                files_set(&x->safe, x->now);
    return 0;
}

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_ftruncate(fd, len);
    if (fails(f->disk, DISK_WRITE))
        return -1;
    if ((size_t)len < f->node->len)
        f->node->len = (size_t)len;
    if (f->node->synced > f->node->len)
        f->node->synced = f->node->len;
    return 0;
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    const char *p;
    int disk = disk_in(path, &p);

    if (disk < 0)
        return __real_mkdir(path, mode);
    if (files_node_at(disk, p))
        return no(EEXIST);
    if (!files_parent_is_there(disk, p))
        return no(ENOENT);
    if (fails(disk, DISK_MAKE))
        return -1;
    struct name *x = files_find(disk, p, true);
    files_set(&x->now, files_node_new(true));
    if (!strchr(p, '/')) /* the data folder itself: made and synced by others */
        files_set(&x->safe, x->now);
    return 0;
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    const char *p;
    int disk = disk_in(path, &p);

    if (disk < 0)
        return __real_unlink(path);
    struct name *x = files_find(disk, p, false);
    if (!x || !x->now)
        return no(ENOENT);
    if (fails(disk, DISK_REMOVE))
        return -1;
    files_set(&x->now, NULL);
    return 0;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    const char *p, *q;
    int disk = disk_in(from, &p);

    if (disk < 0 || disk_in(to, &q) != disk)
        return __real_rename(from, to);
    struct name *x = files_find(disk, p, false);
    if (!x || !x->now || !files_parent_is_there(disk, q))
        return no(ENOENT);
    if (fails(disk, DISK_MAKE))
        return -1;
    files_set(&files_find(disk, q, true)->now, x->now);
    files_set(&x->now, NULL);
    return 0;
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    const char *p;
    int disk = disk_in(path, &p);

    return disk < 0 ? __real_access(path, mode) : files_node_at(disk, p) ? 0 : no(ENOENT);
}

static void describe(const struct node *x, struct stat *s)
{
    memset(s, 0, sizeof *s);
    s->st_size = (off_t)x->len;
    s->st_mode = x->dir ? S_IFDIR | 0700 : S_IFREG | 0600;
}

int __real_stat(const char *path, struct stat *s);
int __wrap_stat(const char *path, struct stat *s);
int __wrap_stat(const char *path, struct stat *s)
{
    const char *p;
    int disk = disk_in(path, &p);

    if (disk < 0)
        return __real_stat(path, s);
    struct node *x = files_node_at(disk, p);
    if (!x)
        return no(ENOENT);
    describe(x, s);
    return 0;
}

int __real_fstat(int fd, struct stat *s);
int __wrap_fstat(int fd, struct stat *s);
int __wrap_fstat(int fd, struct stat *s)
{
    struct open_file *f = file_at(fd);

    if (!f)
        return __real_fstat(fd, s);
    describe(f->node, s);
    return 0;
}

/* A folder that is being read; one at a time. */
static struct fake_dir reading;

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
    const char *p;
    int disk = disk_in(path, &p);

    if (disk < 0)
        return __real_opendir(path);
    struct node *x = files_node_at(disk, p);
    if (!x || !x->dir) {
        errno = ENOENT;
        return NULL;
    }
    if (fails(disk, DISK_READ))
        return NULL;
    reading = (struct fake_dir){.disk = disk, .next = files_names[disk][0]};
    snprintf(reading.path, sizeof reading.path, "%s", p);
    return (DIR *)(void *)&reading;
}

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d)
{
    struct fake_dir *r = &reading;

    if ((void *)d != (void *)r)
        return __real_readdir(d);
    for (;;) {
        while (!r->next) {
            if (++r->bucket >= BUCKETS)
                return NULL;
            r->next = files_names[r->disk][r->bucket];
        }
        struct name *x = r->next;
        r->next = x->next;
        if (!x->now || !is_child(r->path, x->path))
            continue;
        snprintf(r->entry.d_name, sizeof r->entry.d_name, "%s", x->path + strlen(r->path) + 1);
        return &r->entry;
    }
}

int __real_closedir(DIR *d);
int __wrap_closedir(DIR *d);
int __wrap_closedir(DIR *d)
{
    return (void *)d == (void *)&reading ? 0 : __real_closedir(d);
}
