/* `run`: serve a site until SIGTERM or SIGINT. */
#ifndef PROGRAM_SERVE_H
#define PROGRAM_SERVE_H

#include "program/program.h"

/* listen and sync_listen: "ADDR:PORT", port 0 = any; sync_listen NULL: no children here. Prints
 * "ready http=PORT sync=PORT" on stdout. web_dir: pages from a folder, or NULL. */
MUST_USE enum err serve_run(const struct program *p, const char *dir, const char *listen,
                            const char *sync_listen, const char *web_dir, struct errmsg *e);

#endif
