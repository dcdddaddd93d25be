/* A listening socket that is bound to what was asked, and to nothing else. Plain sockets. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/err.h"

/**
 * listen_open(text, option, ret_fd, ret_port, e):
 * Listen on "HOST:PORT" (address_resolve()), and look at what the system has bound.
 *
 * Owns    *ret_fd is the caller's; it does not block and is closed on exec.
 * Errors  ERR_INVALID: the text is none, or this machine has no such address; ERR_IO: the port is
 *         taken or may not be used; ERR_CORRUPT: the system bound another address than was asked.
 *         e says which, with the option's name. Nothing is open then.
 */
MUST_USE enum err listen_open(const char *text, const char *option, int *ret_fd, int *ret_port,
                              struct errmsg *e);

#endif
