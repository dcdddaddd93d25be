/* `run`: serve a site until SIGTERM or SIGINT. */
#ifndef PROGRAM_SERVE_H
#define PROGRAM_SERVE_H

#include "program/program.h"

#include <stddef.h>

struct network;

struct serve_options {
    const char *listen;            /* "ADDRESS:PORT", port 0: any */
    const char *sync_listen;       /* likewise; NULL: no children here */
    const char *web_dir;           /* pages from a folder; NULL: the packed ones */
    const struct network *trusted; /* proxies whose word on a client's address is taken */
    size_t trusted_count;          /* how many */
};

/* Serve the site in the folder dir, within the limits of dir/doorstep.conf. Prints
 * "ready http=PORT sync=PORT" on stdout. */
MUST_USE enum err serve_run(const struct program *p, const char *dir, const struct serve_options *o,
                            struct errmsg *e);

#endif
