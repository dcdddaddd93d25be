#include "net/listen.h"

#include "net/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MAX 1024 /* connections that wait for accept */

static int port_of(const struct sockaddr_storage *at)
{
    return at->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)at)->sin6_port)
                                     : ntohs(((const struct sockaddr_in *)at)->sin_port);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    struct address x, y;

    return a->ss_family == b->ss_family && address_of((const struct sockaddr *)a, &x) &&
           address_of((const struct sockaddr *)b, &y) && !memcmp(&x, &y, sizeof x) &&
           (!port_of(a) || port_of(a) == port_of(b));
}

static enum err why_not(const char *text, const char *option, struct errmsg *e)
{
    int was = errno;

    if (was == EADDRNOTAVAIL) {
        errmsg_set(e, "%s %s: this machine has no such address", option, text);
        return ERR_INVALID;
    }
    errmsg_set(e, "%s %s: %s", option, text,
               was == EADDRINUSE ? "the port is in use: another program listens there"
                                 : strerror(was));
    return ERR_IO;
}

static bool set_options(int fd, const struct sockaddr_storage *at)
{
    int on = 1, off = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        return false;
    /* [::] is every address of both kinds, on any machine, whatever its settings are. */
    return at->ss_family != AF_INET6 ||
           !setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
}

enum err listen_open(const char *text, const char *option, int *ret_fd, int *ret_port,
                     struct errmsg *e)
{
    struct sockaddr_storage at, bound = {0};
    socklen_t len = 0, bound_len = sizeof bound;
    enum err err = address_resolve(text, option, &at, &len, e);

    if (err != OK)
        return err;
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return why_not(text, option, e);
    if (!set_options(fd, &at) || bind(fd, (struct sockaddr *)&at, len) || listen(fd, WAITING_MAX) ||
        getsockname(fd, (struct sockaddr *)&bound, &bound_len)) {
        err = why_not(text, option, e);
        close(fd);
        return err;
    }
    if (!same_address(&at, &bound)) {
        errmsg_set(e, "%s %s: the system bound another address than was asked", option, text);
        close(fd);
        return ERR_CORRUPT;
    }
    *ret_fd = fd;
    *ret_port = port_of(&bound);
    return OK;
}
