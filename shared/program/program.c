/* One row per command. Results go to stdout; what is wrong goes to stderr, in a sentence. */
#include "program/program.h"

#include "net/address.h"
#include "program/admin.h"
#include "program/args.h"
#include "program/serve.h"
#include "site/enrol.h"
#include "site/backup.h"
#include "site/verify.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call_line {
    const struct program *p;
    struct args a;
    struct folder folder;
};

static enum err need(const struct args *a, enum args_option option, const char **ret,
                     struct errmsg *e)
{
    assert(option < ARGS_COUNT);
    *ret = a->value[option];
    if (*ret && (*ret)[0])
        return OK;
    errmsg_set(e, "%s is missing", args_name(option));
    return ERR_INVALID;
}

static enum err do_init(struct call_line *c, struct errmsg *e)
{
    const char *dir, *site = c->a.value[ARGS_SITE], *name = c->a.value[ARGS_NAME];
    const char *parent = c->a.value[ARGS_PARENT], *invitation = c->a.value[ARGS_INVITATION];
    enum err err = need(&c->a, ARGS_DATA, &dir, e);

    if (err != OK)
        return err;
    if (!parent && !c->p->is_hub) {
        errmsg_set(e, "--parent is missing: a community belongs to a street");
        return ERR_INVALID;
    }
    if (parent && (err = need(&c->a, ARGS_INVITATION, &invitation, e)) != OK)
        return err;
    err = parent ? enrol_child(dir, parent, invitation, site, name, !c->p->is_hub, e)
                 : enrol_district(dir, site ? site : "", name, e);
    if (err == OK)
        printf("made the site in %s\n", dir);
    return err;
}

static enum err do_invite(struct call_line *c, struct errmsg *e)
{
    const char *site, *name, *numbers = c->a.value[ARGS_CASE_NUMBERS];
    char text[128];
    enum err err = need(&c->a, ARGS_SITE, &site, e);

    if (err == OK)
        err = need(&c->a, ARGS_NAME, &name, e);
    if (err == OK)
        err = enrol_invite(&c->folder, site, name, numbers ? strtoll(numbers, NULL, 10) : 1000,
                           text, sizeof text, e);
    if (err == OK)
        printf("invitation for %s %s, good once and for seven days:\n%s\n", site, name, text);
    return err;
}

static enum err do_revoke(struct call_line *c, struct errmsg *e)
{
    const char *site;
    enum err err = need(&c->a, ARGS_SITE, &site, e);

    if (err == OK)
        err = admin_revoke(&c->folder, site, c->a.value[ARGS_LOST], e);
    if (err == OK)
        printf("%s is %s: it is let in again only when it was invited and enrolled anew\n", site,
               c->a.value[ARGS_LOST] ? "lost" : "revoked");
    if (err == OK && c->a.value[ARGS_LOST])
        puts("what it has decided and not sent is overruled by what its street decides now");
    return err;
}

static enum err do_run(struct call_line *c, struct errmsg *e)
{
    struct network trusted[ARGS_MANY_MAX];
    struct serve_options o = {.sync_listen = c->a.value[ARGS_SYNC_LISTEN],
                              .web_dir = c->a.value[ARGS_WEB_DIR],
                              .trusted = trusted,
                              .trusted_count = (size_t)c->a.trusted_count};
    const char *dir;
    enum err err = need(&c->a, ARGS_DATA, &dir, e);

    if (err == OK)
        err = need(&c->a, ARGS_LISTEN, &o.listen, e);
    for (int i = 0; err == OK && i < c->a.trusted_count; i++)
        if (!network_parse(c->a.trusted[i], &trusted[i])) {
            errmsg_set(e,
                       "--trusted-proxy must be an address or a network, as in 10.0.0.5 or "
                       "10.0.0.0/24; found \"%s\"",
                       c->a.trusted[i]);
            return ERR_INVALID;
        }
    return err == OK ? serve_run(c->p, dir, &o, e) : err;
}

static enum err do_status(struct call_line *c, struct errmsg *e)
{
    return admin_status(&c->folder, c->a.value[ARGS_JSON], e);
}

static void say(const char *line)
{
    puts(line);
}

static enum err do_verify(struct call_line *c, struct errmsg *e)
{
    return verify_site(&c->folder, say, e);
}

static enum err do_rebuild(struct call_line *c, struct errmsg *e)
{
    int fd;
    enum err err = folder_lock(c->folder.dir, &fd, e);

    return err == OK ? verify_rebuild(&c->folder, e) : err;
}

static enum err one_word(struct call_line *c, const char *what, struct errmsg *e)
{
    if (c->a.word_count == 1)
        return OK;
    errmsg_set(e, "give one %s", what);
    return ERR_INVALID;
}

static enum err do_backup(struct call_line *c, struct errmsg *e)
{
    enum err err = one_word(c, "new folder for the backup", e);

    return err == OK ? backup_make(&c->folder, c->a.words[0], e) : err;
}

static enum err do_restore(struct call_line *c, struct errmsg *e)
{
    const char *dir;
    enum err err = need(&c->a, ARGS_DATA, &dir, e);

    if (err == OK)
        err = one_word(c, "folder of a backup", e);
    return err == OK ? backup_restore(c->a.words[0], dir, e) : err;
}

static enum err do_import(struct call_line *c, struct errmsg *e)
{
    if (!c->a.word_count) {
        errmsg_set(e, "give the files of items and calendar years");
        return ERR_INVALID;
    }
    enum err err = admin_import(&c->folder, c->a.words, c->a.word_count, e);
    if (err == OK)
        printf("published %d files\n", c->a.word_count);
    return err;
}

static enum err do_user_add(struct call_line *c, struct errmsg *e)
{
    const char *username, *name, *role;
    char password[256] = "";
    enum err err = need(&c->a, ARGS_USERNAME, &username, e);

    if (err == OK && (err = need(&c->a, ARGS_NAME, &name, e)) == OK)
        err = need(&c->a, ARGS_ROLE, &role, e);
    if (err != OK)
        return err;
    if (!c->a.value[ARGS_PASSWORD_STDIN] || !fgets(password, sizeof password, stdin)) {
        errmsg_set(e, "give --password-stdin and the password as one line on standard input");
        return ERR_INVALID;
    }
    password[strcspn(password, "\r\n")] = 0;
    err = admin_add_user(&c->folder, username, name, role, c->a.value[ARGS_SITE], password, e);
    memset(password, 0, sizeof password);
    if (err == OK)
        printf("added %s\n", username);
    return err;
}

static const struct command {
    const char *name, *second; /* "user" "add" */
    unsigned options;          /* ARGS_BIT() of each that it knows */
    bool hub_only, opens;      /* opens: reads the folder of --data first */
    enum err (*fn)(struct call_line *c, struct errmsg *e);
    const char *usage;
} commands[] = {
    {"init", NULL,
     ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_SITE) | ARGS_BIT(ARGS_NAME) | ARGS_BIT(ARGS_PARENT) |
         ARGS_BIT(ARGS_INVITATION),
     false, false, do_init,
     "--data DIR [--site CODE --name NAME] [--parent URL --invitation CODE]   make a site"},
    {"invite", NULL,
     ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_SITE) | ARGS_BIT(ARGS_NAME) | ARGS_BIT(ARGS_CASE_NUMBERS),
     true, true, do_invite,
     "--data DIR --site CODE --name NAME   print a one-time invitation for a child"},
    {"revoke", NULL, ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_SITE) | ARGS_BIT(ARGS_LOST), true, true,
     do_revoke,
     "--data DIR --site CODE [--lost]   let a child in no more; --lost: what it has not sent will "
     "never come"},
    {"run", NULL,
     ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_LISTEN) | ARGS_BIT(ARGS_SYNC_LISTEN) |
         ARGS_BIT(ARGS_WEB_DIR) | ARGS_BIT(ARGS_TRUSTED_PROXY),
     false, false, do_run,
     "--data DIR --listen ADDR:PORT [--sync-listen ADDR:PORT] [--trusted-proxy CIDR]...   serve"},
    {"status", NULL, ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_JSON), false, true, do_status,
     "--data DIR [--json]   links, queues, positions, disk"},
    {"verify", NULL, ARGS_BIT(ARGS_DATA), false, true, do_verify,
     "--data DIR   chains, papers, projections; 0 only if all hold"},
    {"rebuild", NULL, ARGS_BIT(ARGS_DATA), false, true, do_rebuild,
     "--data DIR   fold the ledger into fresh projections"},
    {"backup", NULL, ARGS_BIT(ARGS_DATA), false, true, do_backup,
     "--data DIR TO   a consistent copy, also while it runs"},
    {"restore", NULL, ARGS_BIT(ARGS_DATA), false, false, do_restore,
     "--data DIR FROM   make a site from a backup"},
    {"catalogue", "import", ARGS_BIT(ARGS_DATA), true, true, do_import,
     "--data DIR FILE...   publish items and calendar years"},
    {"user", "add",
     ARGS_BIT(ARGS_DATA) | ARGS_BIT(ARGS_USERNAME) | ARGS_BIT(ARGS_NAME) | ARGS_BIT(ARGS_ROLE) |
         ARGS_BIT(ARGS_SITE) | ARGS_BIT(ARGS_PASSWORD_STDIN),
     false, true, do_user_add,
     "--data DIR --username U --name N --role R [--site CODE] --password-stdin"},
};

static int usage(const struct program *p, FILE *to)
{
    fprintf(to, "usage:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (p->is_hub || !commands[i].hub_only)
            fprintf(to, "  %s %s%s%s %s\n", p->name, commands[i].name,
                    commands[i].second ? " " : "", commands[i].second ? commands[i].second : "",
                    commands[i].usage);
    return to == stdout ? 0 : 2;
}

int program_main(const struct program *p, int argc, char **argv)
{
    const struct command *found = NULL;
    struct call_line c = {.p = p};
    struct errmsg e = {""};
    const char *dir;
    enum err err;
    int skip = 1; /* the words of the command; the last one stands where a program's name would */

    assert(p->name && argc >= 0);
    /* Chunks of papers come and go: their memory is not given back to the system and asked for
     * again each time. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 2 << 20);
    json_use_arenas();
    if (argc >= 2 && (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")))
        return usage(p, stdout);
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++)
        if (!strcmp(argv[1], commands[i].name) && (p->is_hub || !commands[i].hub_only) &&
            (!commands[i].second || (argc >= 3 && !strcmp(argv[2], commands[i].second))))
            found = &commands[i];
    if (!found)
        return usage(p, stderr);
    skip += found->second != NULL;
    if (args_read(argc - skip, argv + skip, found->options, &c.a, &e) != OK) {
        fprintf(stderr, "%s %s: %s\n", p->name, found->name, e.text);
        return 2;
    }
    err = OK;
    if (found->opens && (err = need(&c.a, ARGS_DATA, &dir, &e)) == OK)
        err = folder_read(dir, &c.folder, &e);
    if (err == OK)
        err = found->fn(&c, &e);
    if (err == OK)
        return 0;
    fprintf(stderr, "%s %s: %s\n", p->name, found->name, e.text);
    return 1;
}
