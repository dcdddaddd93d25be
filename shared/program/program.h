/* The command line that both programs share, and `run`: site, calls and sockets put together. */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include "api/api.h"
#include "api/static.h"

struct program {
    const char *name; /* "doorstep-node" */
    bool is_hub; /* has children, a sync port, the catalogue; its loop is made for many links */
    api_print_fn *print_certificate, *print_label; /* NULL: this program draws no PDF */
    const struct web_file *web;                    /* the pages: web[0 .. web_count) */
    size_t web_count;
};

/* program_main(p, argc, argv): do what argv says: what main() returns. First thing in the process.
 * Errors  0 done, 1 failed, 2 wrong usage; 1 and 2 with a sentence on stderr. */
int program_main(const struct program *p, int argc, char **argv);

#endif
