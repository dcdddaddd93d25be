#include "files.h"

#include "disk.h"

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

struct node {
    int refs; /* names, now or durably, and open descriptors */
    bool dir;
    unsigned char *data;
    size_t len, cap;
    size_t synced; /* bytes that are safe */
};

/* A path, and what it names: now, and after a power failure if it comes now. */
struct name {
    struct name *next;
    uint64_t hash;
    struct node *now, *safe;
    char path[100]; /* below /disk<N>/ */
};

#define BUCKETS 128
static struct name *names[DISKS_MAX][BUCKETS];
static int unsafe[DISKS_MAX]; /* something may be at risk: only a hint */

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

/* ---- nodes and names --------------------------------------------------------------------------*/

static void *there(void *p)
{
    if (!p)
        abort();
    return p;
}

static struct node *hold(struct node *x)
{
    if (x)
        x->refs++;
    return x;
}

static void let_go(struct node *x)
{
    if (!x || --x->refs)
        return;
    free(x->data);
    free(x);
}

static void set(struct node **slot, struct node *x)
{
    struct node *old = *slot;

    *slot = hold(x);
    let_go(old);
}

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

static struct name *find(int disk, const char *path, bool make)
{
    uint64_t h = 1469598103934665603ULL;

    for (const char *p = path; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    for (struct name *x = names[disk][h % BUCKETS]; x; x = x->next)
        if (x->hash == h && !strcmp(x->path, path))
            return x;
    if (!make)
        return NULL;
    struct name *x = there(calloc(1, sizeof *x));
    x->hash = h;
    if (strlen(path) >= sizeof x->path)
        abort();
    strcpy(x->path, path);
    x->next = names[disk][h % BUCKETS];
    return names[disk][h % BUCKETS] = x;
}

static struct node *node_at(int disk, const char *path)
{
    struct name *x = find(disk, path, false);

    return x ? x->now : NULL;
}

static bool parent_is_there(int disk, const char *path)
{
    char up[100];
    const char *slash = strrchr(path, '/');

    if (!slash)
        return true;
    snprintf(up, sizeof up, "%.*s", (int)(slash - path), path);
    struct node *x = node_at(disk, up);
    return x && x->dir;
}

static bool is_child(const char *dir, const char *path)
{
    size_t n = strlen(dir);

    return !strncmp(dir, path, n) && path[n] == '/' && !strchr(path + n + 1, '/');
}

static struct node *new_node(bool dir)
{
    struct node *x = there(calloc(1, sizeof *x));

    x->dir = dir;
    return x;
}

static int fails(int disk, enum disk_call call)
{
    int code = disk_call(disk, call);

    if (call != DISK_READ)
        unsafe[disk] = 1;
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
    struct node *x = node_at(disk, p);
    if (x && flags & O_CREAT && flags & O_EXCL)
        return no(EEXIST);
    if (!x && !(flags & O_CREAT))
        return no(ENOENT);
    if (x && flags & O_DIRECTORY && !x->dir)
        return no(ENOTDIR);
    if (fails(disk, !x ? DISK_MAKE : DISK_READ))
        return -1;
    if (!x) {
        if (!parent_is_there(disk, p))
            return no(ENOENT);
        set(&find(disk, p, true)->now, x = new_node(false));
    }
    fds[i] = (struct open_file){.node = hold(x), .disk = disk, .flags = flags, .at = 0};
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
    let_go(f->node);
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
        x->data = there(realloc(x->data, x->cap));
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
        for (struct name *x = names[f->disk][b]; x; x = x->next)
            if (is_child(f->path, x->path))
                set(&x->safe, x->now);
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
    if (node_at(disk, p))
        return no(EEXIST);
    if (!parent_is_there(disk, p))
        return no(ENOENT);
    if (fails(disk, DISK_MAKE))
        return -1;
    struct name *x = find(disk, p, true);
    set(&x->now, new_node(true));
    if (!strchr(p, '/')) /* the data folder itself: made and synced by others */
        set(&x->safe, x->now);
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
    struct name *x = find(disk, p, false);
    if (!x || !x->now)
        return no(ENOENT);
    if (fails(disk, DISK_REMOVE))
        return -1;
    set(&x->now, NULL);
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
    struct name *x = find(disk, p, false);
    if (!x || !x->now || !parent_is_there(disk, q))
        return no(ENOENT);
    if (fails(disk, DISK_MAKE))
        return -1;
    set(&find(disk, q, true)->now, x->now);
    set(&x->now, NULL);
    return 0;
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    const char *p;
    int disk = disk_in(path, &p);

    return disk < 0 ? __real_access(path, mode) : node_at(disk, p) ? 0 : no(ENOENT);
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
    struct node *x = node_at(disk, p);
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
    struct node *x = node_at(disk, p);
    if (!x || !x->dir) {
        errno = ENOENT;
        return NULL;
    }
    if (fails(disk, DISK_READ))
        return NULL;
    reading = (struct fake_dir){.disk = disk, .next = names[disk][0]};
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
            r->next = names[r->disk][r->bucket];
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

/* ---- the whole disk ---------------------------------------------------------------------------*/

void files_wipe(int n)
{
    for (int b = 0; b < BUCKETS; b++)
        while (names[n][b]) {
            struct name *x = names[n][b];
            names[n][b] = x->next;
            let_go(x->now);
            let_go(x->safe);
            free(x);
        }
    unsafe[n] = 0;
}

struct copy {
    struct name *names;
};

void *files_copy(int n)
{
    struct copy *c = there(calloc(1, sizeof *c));

    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = names[n][b]; x; x = x->next) {
            if (!x->now)
                continue;
            struct name *y = there(calloc(1, sizeof *y));
            struct node *z = new_node(x->now->dir);
            memcpy(y->path, x->path, sizeof y->path);
            z->len = z->cap = z->synced = x->now->len;
            if (z->len) {
                z->data = there(malloc(z->len));
                memcpy(z->data, x->now->data, z->len);
            }
            y->now = hold(z);
            y->next = c->names;
            c->names = y;
        }
    return c;
}

void files_put(int n, const void *copy)
{
    const struct copy *c = copy;

    files_wipe(n);
    for (struct name *y = c->names; y; y = y->next) {
        struct name *x = find(n, y->path, true);
        struct node *z = new_node(y->now->dir);
        z->len = z->cap = z->synced = y->now->len;
        if (z->len) {
            z->data = there(malloc(z->len));
            memcpy(z->data, y->now->data, z->len);
        }
        set(&x->now, z);
        set(&x->safe, z);
    }
}

void files_copy_free(void *copy)
{
    struct copy *c = copy;

    while (c && c->names) {
        struct name *y = c->names;
        c->names = y->next;
        let_go(y->now);
        free(y);
    }
    free(c);
}

bool files_at_risk(int n)
{
    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = names[n][b]; x; x = x->next)
            if (x->now && x->now->synced < x->now->len)
                return true;
    return false;
}

/* Each name that was not synced is new or old, each file's unsynced end is there, cut, or holes of
 * zeros. */
void files_power_cycle(int n, uint64_t (*dice)(uint64_t below))
{
    if (!unsafe[n])
        return;
    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = names[n][b]; x; x = x->next) {
            if (x->now != x->safe && dice(2))
                set(&x->now, x->safe);
            struct node *y = x->now;
            if (y && y->synced < y->len) {
                uint64_t fate = dice(3);
                size_t from = y->synced + (size_t)dice(y->len - y->synced + 1);
                if (fate == 1)
                    y->len = from;
                else if (fate == 2)
                    memset(y->data + from, 0, y->len - from);
                y->synced = y->len;
            }
            set(&x->safe, x->now);
        }
    for (int pass = 0; pass < 2; pass++) /* with a folder goes what is in it */
        for (int b = 0; b < BUCKETS; b++)
            for (struct name *x = names[n][b]; x; x = x->next)
                if (x->now && !parent_is_there(n, x->path)) {
                    set(&x->now, NULL);
                    set(&x->safe, NULL);
                }
    unsafe[n] = 0;
}

void files_each(int n, void (*fn)(void *arg, const char *name), void *arg)
{
    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = names[n][b]; x; x = x->next) {
            const char *name = strrchr(x->path, '/');
            if (x->now && !x->now->dir && name && strlen(name + 1) == 64 &&
                !strstr(x->path, "partial/"))
                fn(arg, name + 1);
        }
}
