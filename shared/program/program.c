/* One row per command. Results go to stdout; what is wrong goes to stderr, in a sentence. */
#include "program/program.h"

#include "net/address.h"
#include "program/admin.h"
#include "program/args.h"
#include "program/serve.h"
#include "site/enrol.h"
#include "site/upkeep.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUSTED_MAX 16

struct call_line {
    const struct program *p;
    struct args a;
    struct folder folder;
};

static enum err need(const struct args *a, const char *name, const char **ret, struct errmsg *e)
{
    *ret = args_get(a, name);
    if (*ret && (*ret)[0])
        return OK;
    errmsg_set(e, "%s is missing", name);
    return ERR_INVALID;
}

static enum err do_init(struct call_line *c, struct errmsg *e)
{
    const char *dir, *site = args_get(&c->a, "--site"), *name = args_get(&c->a, "--name");
    const char *parent = args_get(&c->a, "--parent"), *invitation = args_get(&c->a, "--invitation");
    enum err err = need(&c->a, "--data", &dir, e);

    if (err != OK)
        return err;
    if (!parent && !c->p->is_hub) {
        errmsg_set(e, "--parent is missing: a community belongs to a street");
        return ERR_INVALID;
    }
    if (parent && (err = need(&c->a, "--invitation", &invitation, e)) != OK)
        return err;
    err = parent ? enrol_child(dir, parent, invitation, site, name, !c->p->is_hub, e)
                 : enrol_district(dir, site ? site : "", name, e);
    if (err == OK)
        printf("made the site in %s\n", dir);
    return err;
}

static enum err do_invite(struct call_line *c, struct errmsg *e)
{
    const char *site, *name, *numbers = args_get(&c->a, "--case-numbers");
    char text[128];
    enum err err = need(&c->a, "--site", &site, e);

    if (err == OK)
        err = need(&c->a, "--name", &name, e);
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
    enum err err = need(&c->a, "--site", &site, e);

    if (err == OK)
        err = admin_revoke(&c->folder, site, e);
    if (err == OK)
        printf("%s is revoked: it is let in again only when it was invited and enrolled anew\n",
               site);
    return err;
}

static enum err do_run(struct call_line *c, struct errmsg *e)
{
    struct network trusted[TRUSTED_MAX];
    struct serve_options o = {.sync_listen = args_get(&c->a, "--sync-listen"),
                              .web_dir = args_get(&c->a, "--web-dir"),
                              .trusted = trusted};
    const char *dir, *cidr;
    enum err err = need(&c->a, "--data", &dir, e);

    if (err == OK)
        err = need(&c->a, "--listen", &o.listen, e);
    while (err == OK && (cidr = args_get_nth(&c->a, "--trusted-proxy", (int)o.trusted_count))) {
        if (o.trusted_count == TRUSTED_MAX || !network_parse(cidr, &trusted[o.trusted_count])) {
            errmsg_set(e,
                       "--trusted-proxy must be an address or a network, as in 10.0.0.5 or "
                       "10.0.0.0/24, at most %d of them; found \"%s\"",
                       TRUSTED_MAX, cidr);
            return ERR_INVALID;
        }
        o.trusted_count++;
    }
    return err == OK ? serve_run(c->p, dir, &o, e) : err;
}

static enum err do_status(struct call_line *c, struct errmsg *e)
{
    return admin_status(&c->folder, args_get(&c->a, "--json"), e);
}

static void say(const char *line)
{
    puts(line);
}

static enum err do_verify(struct call_line *c, struct errmsg *e)
{
    return upkeep_verify(&c->folder, say, e);
}

static enum err do_rebuild(struct call_line *c, struct errmsg *e)
{
    int fd;
    enum err err = folder_lock(c->folder.dir, &fd, e);

    return err == OK ? upkeep_rebuild(&c->folder, e) : err;
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

    return err == OK ? upkeep_backup(&c->folder, c->a.words[0], e) : err;
}

static enum err do_restore(struct call_line *c, struct errmsg *e)
{
    const char *dir;
    enum err err = need(&c->a, "--data", &dir, e);

    if (err == OK)
        err = one_word(c, "folder of a backup", e);
    return err == OK ? upkeep_restore(c->a.words[0], dir, e) : err;
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
    enum err err = need(&c->a, "--username", &username, e);

    if (err == OK && (err = need(&c->a, "--name", &name, e)) == OK)
        err = need(&c->a, "--role", &role, e);
    if (err != OK)
        return err;
    if (!args_get(&c->a, "--password-stdin") || !fgets(password, sizeof password, stdin)) {
        errmsg_set(e, "give --password-stdin and the password as one line on standard input");
        return ERR_INVALID;
    }
    password[strcspn(password, "\r\n")] = 0;
    err = admin_add_user(&c->folder, username, name, role, args_get(&c->a, "--site"), password, e);
    memset(password, 0, sizeof password);
    if (err == OK)
        printf("added %s\n", username);
    return err;
}

static const struct command {
    const char *name, *second; /* "user" "add" */
    const char *options;
    bool hub_only, opens; /* opens: reads the folder of --data first */
    enum err (*fn)(struct call_line *c, struct errmsg *e);
    const char *usage;
} commands[] = {
    {"init", NULL, " --data= --site= --name= --parent= --invitation= ", false, false, do_init,
     "--data DIR [--site CODE --name NAME] [--parent URL --invitation CODE]   make a site"},
    {"invite", NULL, " --data= --site= --name= --case-numbers= ", true, true, do_invite,
     "--data DIR --site CODE --name NAME   print a one-time invitation for a child"},
    {"revoke", NULL, " --data= --site= ", true, true, do_revoke,
     "--data DIR --site CODE   let a child in no more"},
    {"run", NULL, " --data= --listen= --sync-listen= --web-dir= --trusted-proxy= ", false, false,
     do_run,
     "--data DIR --listen ADDR:PORT [--sync-listen ADDR:PORT] [--trusted-proxy CIDR]...   serve"},
    {"status", NULL, " --data= --json ", false, true, do_status,
     "--data DIR [--json]   links, queues, positions, disk"},
    {"verify", NULL, " --data= ", false, true, do_verify,
     "--data DIR   chains, papers, projections; 0 only if all hold"},
    {"rebuild", NULL, " --data= ", false, true, do_rebuild,
     "--data DIR   fold the ledger into fresh projections"},
    {"backup", NULL, " --data= ", false, true, do_backup,
     "--data DIR TO   a consistent copy, also while it runs"},
    {"restore", NULL, " --data= ", false, false, do_restore,
     "--data DIR FROM   make a site from a backup"},
    {"catalogue", "import", " --data= ", true, true, do_import,
     "--data DIR FILE...   publish items and calendar years"},
    {"user", "add", " --data= --username= --name= --role= --site= --password-stdin ", false, true,
     do_user_add, "--data DIR --username U --name N --role R [--site CODE] --password-stdin"},
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
    int skip = 2;

    /* Chunks of papers come and go: their memory is not given back to the system and asked for
     * again each time. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 2 << 20);
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
    if (found->opens && (err = need(&c.a, "--data", &dir, &e)) == OK)
        err = folder_read(dir, &c.folder, &e);
    if (err == OK)
        err = found->fn(&c, &e);
    if (err == OK)
        return 0;
    fprintf(stderr, "%s %s: %s\n", p->name, found->name, e.text);
    return 1;
}
