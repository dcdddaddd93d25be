/* Options of a command: --name value, --flag, and words. */
#ifndef PROGRAM_ARGS_H
#define PROGRAM_ARGS_H

#include "base/err.h"

#include <stdbool.h>

#define ARGS_MAX 24

struct args {
    const char *name[ARGS_MAX], *value[ARGS_MAX]; /* value NULL: a flag */
    int count;
    char **words;
    int word_count;
};

/* allowed: " --data= --json " (with '=': takes a value). ERR_INVALID: e names the wrong one. */
MUST_USE enum err args_read(int argc, char **argv, const char *allowed, struct args *ret,
                            struct errmsg *e);
const char *args_get(const struct args *a, const char *name); /* NULL: not given; "" for a flag */
/* The nth value of an option that may stand more than once, from 0; NULL: there are fewer. */
const char *args_get_nth(const struct args *a, const char *name, int n);

#endif
