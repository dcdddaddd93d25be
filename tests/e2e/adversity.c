/* Preloaded into a program under test: a disk that is full while the file $ADVERSITY_FULL is there,
 * one that cannot sync while $ADVERSITY_SYNC is there, or from which no database can be read while
 * $ADVERSITY_READ is there; and a wall clock that is $ADVERSITY_CLOCK seconds off. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int full(int fd)
{
    const char *flag = getenv("ADVERSITY_FULL");
    struct stat s;

    return flag && !access(flag, F_OK) && !fstat(fd, &s) && S_ISREG(s.st_mode) && fd > 2;
}

ssize_t write(int fd, const void *p, size_t n)
{
    return full(fd) ? (errno = ENOSPC, -1) : REAL(write)(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return full(fd) ? (errno = ENOSPC, -1) : REAL(pwrite)(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return full(fd) ? (errno = ENOSPC, -1) : REAL(pwrite64)(fd, p, n, at);
}

/* The database and its log; not what the program itself is made of. */
static int unreadable(int fd)
{
    const char *flag = getenv("ADVERSITY_READ");
    char link[40], path[4096];
    ssize_t n;

    if (!flag || access(flag, F_OK))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return strstr(path, "doorstep.db") != NULL;
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return unreadable(fd) ? (errno = EIO, -1) : REAL(pread)(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    return unreadable(fd) ? (errno = EIO, -1) : REAL(pread64)(fd, p, n, at);
}

static int stuck(void)
{
    const char *flag = getenv("ADVERSITY_SYNC");

    return flag && !access(flag, F_OK);
}

int fsync(int fd)
{
    return stuck() ? (errno = EIO, -1) : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return stuck() ? (errno = EIO, -1) : REAL(fdatasync)(fd);
}

static long offset(void)
{
    const char *s = getenv("ADVERSITY_CLOCK");

    return s ? atol(s) : 0;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    int rc = REAL(clock_gettime)(id, t);

    if (id == CLOCK_REALTIME)
        t->tv_sec += offset();
    return rc;
}

time_t time(time_t *ret)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *tv, void *zone)
{
    int rc = REAL(gettimeofday)(tv, zone);

    tv->tv_sec += offset();
    return rc;
}
