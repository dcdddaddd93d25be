#include "program/args.h"

#include <stdio.h>
#include <string.h>

enum err args_read(int argc, char **argv, const char *allowed, struct args *ret, struct errmsg *e)
{
    memset(ret, 0, sizeof *ret);
    for (int i = 0; i < argc; i++) {
        char flag[80], option[80];
        const char *eq = strchr(argv[i], '=');
        int n = eq ? (int)(eq - argv[i]) : (int)strlen(argv[i]);

        if (strncmp(argv[i], "--", 2)) {
            ret->words = argv + i;
            ret->word_count = argc - i;
            for (int k = i; k < argc; k++)
                if (!strncmp(argv[k], "--", 2)) {
                    errmsg_set(e, "options stand before files: %s", argv[k]);
                    return ERR_INVALID;
                }
            return OK;
        }
        snprintf(flag, sizeof flag, " %.*s ", n > 60 ? 60 : n, argv[i]);
        snprintf(option, sizeof option, " %.*s= ", n > 60 ? 60 : n, argv[i]);
        bool takes = strstr(allowed, option);
        if ((!takes && (!strstr(allowed, flag) || eq)) || ret->count == ARGS_MAX) {
            errmsg_set(e, "unknown option %s; this command knows%s", argv[i], allowed);
            return ERR_INVALID;
        }
        if (takes && !eq && i + 1 >= argc) {
            errmsg_set(e, "%s needs a value", argv[i]);
            return ERR_INVALID;
        }
        ret->name[ret->count] = argv[i];
        ret->value[ret->count++] = !takes ? "" : eq ? eq + 1 : argv[++i];
    }
    return OK;
}

const char *args_get_nth(const struct args *a, const char *name, int nth)
{
    size_t n = strlen(name);

    for (int i = 0; i < a->count; i++)
        if (!strncmp(a->name[i], name, n) && (a->name[i][n] == 0 || a->name[i][n] == '=') && !nth--)
            return a->value[i];
    return NULL;
}

const char *args_get(const struct args *a, const char *name)
{
    return args_get_nth(a, name, 0);
}
