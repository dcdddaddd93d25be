/* Options of a command, by getopt_long(). */
#include "program/args.h"

#include <assert.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int has_value; /* of <getopt.h> */
} known[] = {
    [ARGS_DATA] = {"--data", required_argument},
    [ARGS_SITE] = {"--site", required_argument},
    [ARGS_NAME] = {"--name", required_argument},
    [ARGS_PARENT] = {"--parent", required_argument},
    [ARGS_INVITATION] = {"--invitation", required_argument},
    [ARGS_CASE_NUMBERS] = {"--case-numbers", required_argument},
    [ARGS_LISTEN] = {"--listen", required_argument},
    [ARGS_SYNC_LISTEN] = {"--sync-listen", required_argument},
    [ARGS_WEB_DIR] = {"--web-dir", required_argument},
    [ARGS_TRUSTED_PROXY] = {"--trusted-proxy", required_argument},
    [ARGS_JSON] = {"--json", no_argument},
    [ARGS_USERNAME] = {"--username", required_argument},
    [ARGS_ROLE] = {"--role", required_argument},
    [ARGS_PASSWORD_STDIN] = {"--password-stdin", no_argument},
    [ARGS_LOST] = {"--lost", no_argument},
};
_Static_assert(sizeof known / sizeof known[0] == ARGS_COUNT, "a row for each option");

const char *args_name(enum args_option option)
{
    assert(option < ARGS_COUNT);
    return known[option].name;
}

static enum err unknown(const char *word, unsigned allowed, struct errmsg *e)
{
    char list[400] = "";
    size_t len = 0;

    for (unsigned i = 0; i < ARGS_COUNT; i++)
        if (allowed & ARGS_BIT(i))
            len += (size_t)snprintf(list + len, sizeof list - len, " %s%s", known[i].name,
                                    known[i].has_value ? "=" : "");
    assert(len < sizeof list);
    errmsg_set(e, "unknown option %.100s; this command knows%s", word, list);
    return ERR_INVALID;
}

enum err args_read(int argc, char **argv, unsigned allowed, struct args *ret, struct errmsg *e)
{
    struct option list[ARGS_COUNT + 1] = {{0}};
    int n = 0;

    assert(argc >= 1 && allowed < ARGS_BIT(ARGS_COUNT));
    for (int i = 0; i < ARGS_COUNT; i++)
        if (allowed & ARGS_BIT(i))
            list[n++] = (struct option){known[i].name + 2, known[i].has_value, NULL, i};
    *ret = (struct args){0};
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    for (;;) {
        const char *word = argv[optind ? optind : 1];
        int i = getopt_long(argc, argv, "+:", list, NULL); /* stops at the first word */

        if (i == -1)
            break;
        if (i == ':') {
            errmsg_set(e, "%s needs a value", word);
            return ERR_INVALID;
        }
        if (i == '?' || strcspn(word, "=") != strlen(known[i].name)) /* it takes shortened names */
            return unknown(word, allowed, e);
        ret->value[i] = optarg ? optarg : "";
        if (i != ARGS_TRUSTED_PROXY)
            continue;
        if (ret->trusted_count == ARGS_MANY_MAX) {
            errmsg_set(e, "%s: at most %d of them", word, ARGS_MANY_MAX);
            return ERR_INVALID;
        }
        ret->trusted[ret->trusted_count++] = optarg;
    }
    ret->words = argv + optind;
    ret->word_count = argc - optind;
    for (int i = 0; i < ret->word_count; i++)
        if (!strncmp(ret->words[i], "--", 2)) {
            errmsg_set(e, "options stand before files: %s", ret->words[i]);
            return ERR_INVALID;
        }
    return OK;
}
