/* Options of a command: --name value, --name=value, --flag, and behind them words. */
#ifndef PROGRAM_ARGS_H
#define PROGRAM_ARGS_H

#include "base/err.h"

/* Every option there is; what each takes stands in args.c. */
enum args_option {
    ARGS_DATA,
    ARGS_SITE,
    ARGS_NAME,
    ARGS_PARENT,
    ARGS_INVITATION,
    ARGS_CASE_NUMBERS,
    ARGS_LISTEN,
    ARGS_SYNC_LISTEN,
    ARGS_WEB_DIR,
    ARGS_TRUSTED_PROXY,
    ARGS_JSON,
    ARGS_USERNAME,
    ARGS_ROLE,
    ARGS_PASSWORD_STDIN,
    ARGS_LOST,
    ARGS_COUNT
};

#define ARGS_BIT(option) (1u << (option))

#define ARGS_MANY_MAX 16

struct args {
    const char *value[ARGS_COUNT]; /* NULL: not given; "" for a flag; the last one given counts */
    const char *trusted[ARGS_MANY_MAX]; /* every --trusted-proxy, in order */
    int trusted_count;                  /* how many of trusted are given */
    char **words;                       /* words[0 .. word_count): what stands behind the options */
    int word_count;
};

/* args_read(argc, argv, allowed, ret, e):
 * Read argv[1 .. argc); argv[0] is the command and is passed over.
 *
 * Shapes  allowed: ARGS_BIT() of each option that the command knows.
 * Owns    What *ret points to stands in argv.
 * Errors  ERR_INVALID: an option that is unknown, not whole, shortened, has a value too many or
 *         none, stands behind a word, or was given too often; e names it and what the command knows.
 */
MUST_USE enum err args_read(int argc, char **argv, unsigned allowed, struct args *ret,
                            struct errmsg *e);

/* "--data" */
const char *args_name(enum args_option option);

#endif
