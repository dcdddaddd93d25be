#include "program/admin.h"

#include "catalogue/items.h"
#include "office/accounts.h"
#include "office/enrol.h"
#include "site/status.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct caller *boss(const struct office *o)
{
    static struct caller c;

    c = (struct caller){.user = "operator",
                        .name = "",
                        .role = "admin",
                        .site = o->site,
                        .channel = "",
                        .query_code = ""};
    return &c;
}

static void explain(struct errmsg *e, const struct problem *p)
{
    if (p->status)
        errmsg_set(e, "%s %s (field %s%s%s%s%s)", p->zh, p->en, p->field,
                   p->expected[0] ? ", expected " : "", p->expected, p->found[0] ? ", found " : "",
                   p->found);
}

static enum err import_one(struct office *o, struct db *db, const char *path, struct errmsg *e)
{
    struct buf text = {0};
    struct json *in = NULL, *out = NULL;
    struct problem p = {0};
    enum err err = file_read(path, &text, e);

    if (err == OK)
        err = json_parse((char *)text.data, text.len, &in, e);
    if (err == OK && (err = item_import(o, db, boss(o), in, &out, &p)) != OK)
        explain(e, &p);
    if (err != OK)
        errmsg_wrap(e, "%s", path);
    buf_free(&text);
    json_free(in);
    json_free(out);
    return err;
}

/* What a command does in one transaction on the folder's office. */
struct errand {
    enum err (*fn)(struct errand *w, struct office *o, struct db *db, struct errmsg *e);
    char **files;
    int count;
    const struct json *in;
    const char *site;
    bool lost; /* not only revoked */
};

static enum err transact(const struct folder *f, struct errand *w, struct errmsg *e)
{
    struct office o;
    struct db *db = NULL;
    enum err err = folder_open_db(f, &db, e);

    assert(w->fn);
    if (err == OK && (err = db_begin(db, e)) == OK && (err = folder_office(f, &o, db, e)) == OK) {
        if ((err = w->fn(w, &o, db, e)) == OK)
            err = db_commit(db, e);
        office_close(&o);
    }
    db_close(db);
    return err;
}

/* A site that was just enrolled gets its past from its parent first: wait a little for it. */
static enum err patiently(const struct folder *f, struct errand *w, struct errmsg *e)
{
    enum err err = transact(f, w, e);

    for (int i = 0; err == ERR_BUSY && i < 60; i++) {
        usleep(250000);
        err = transact(f, w, e);
    }
    if (err == ERR_BUSY)
        errmsg_set(e, "this site is still getting its past from its parent, or is busy: is it "
                      "running, and is the link up? nothing was changed");
    return err;
}

static enum err import_all(struct errand *w, struct office *o, struct db *db, struct errmsg *e)
{
    enum err err = OK;

    for (int i = 0; err == OK && i < w->count; i++)
        err = import_one(o, db, w->files[i], e);
    return err;
}

enum err admin_import(const struct folder *f, char **files, int count, struct errmsg *e)
{
    struct errand w = {.fn = import_all, .files = files, .count = count};

    return patiently(f, &w, e);
}

static enum err add_user(struct errand *w, struct office *o, struct db *db, struct errmsg *e)
{
    struct json *out = NULL;
    struct problem p = {0};
    enum err err = account_add(o, db, boss(o), w->in, &out, &p);

    if (err != OK)
        explain(e, &p);
    json_free(out);
    return err;
}

static enum err revoke_one(struct errand *w, struct office *o, struct db *db, struct errmsg *e)
{
    return office_revoke(o, db, w->site, w->lost, e);
}

enum err admin_revoke(const struct folder *f, const char *site, bool lost, struct errmsg *e)
{
    struct errand w = {.fn = revoke_one, .site = site, .lost = lost};

    return patiently(f, &w, e);
}

enum err admin_add_user(const struct folder *f, const char *username, const char *name,
                        const char *role, const char *site, const char *password, struct errmsg *e)
{
    struct json *in = json_object();
    struct errand w = {.fn = add_user, .in = in};
    struct problem p = {0};

    assert(username && name && role && password);
    json_set_text(in, "username", username);
    json_set_text(in, "name", name);
    json_set_text(in, "role", role);
    json_set_text(in, "site", site ? site : f->site);
    json_set_text(in, "password", password);
    enum err err = account_seal(host_system(), in, &p);
    if (err != OK)
        explain(e, &p);
    else
        err = patiently(f, &w, e);
    json_free(in);
    return err;
}

static void print_clock(const struct json *l)
{
    int64_t s = json_get_int(l, "skew_ms", 0) / 1000;

    if (json_get_bool(l, "clock_differs", false))
        printf("  its clock is %lld s %s this site's: set the right time "
               "两个站点的时钟相差较大，请校准\n",
               (long long)(s < 0 ? -s : s), s < 0 ? "behind" : "ahead of");
}

static void print_offences(const struct json *l)
{
    int64_t offences = json_get_int(l, "offences_today", 0);
    int64_t denied = json_get_int(l, "denied_today", 0);

    if (offences)
        printf("  today it said %lld things that are never its to say: its program is broken or "
               "hostile "
               "今天有 %lld 条越权记录，请检查这个站点的程序\n",
               (long long)offences, (long long)offences);
    if (denied >= 20)
        printf("  today %lld things that it said are not its to say, as far as is known here\n",
               (long long)denied);
}

static void print_link(const struct json *l)
{
    printf("parent %s: %lld events and %lld papers not sent", json_get_text(l, "parent"),
           (long long)json_get_int(l, "unsent_events", 0),
           (long long)json_get_int(l, "unsent_documents", 0));
    if (json_get_text(l, "oldest_unsent_at"))
        printf(", the oldest of %s", json_get_text(l, "oldest_unsent_at"));
    printf("; last contact %s\n",
           json_get_text(l, "last_contact_at") ? json_get_text(l, "last_contact_at") : "never");
    print_clock(l);
}

enum err admin_status(const struct folder *f, bool as_json, struct errmsg *e)
{
    struct office o;
    struct db *db = NULL;
    struct json *status = NULL;
    struct buf text = {0};
    enum err err = folder_open_db(f, &db, e);

    if (err == OK && (err = folder_office(f, &o, db, e)) == OK) {
        err = status_read(&o, db, f->dir, &status, e);
        office_close(&o);
    }
    db_close(db);
    if (err != OK)
        return err;
    json_canonical(status, &text);
    if (as_json) {
        puts(buf_text(&text));
    } else {
        printf("%s %s (%s)\n", f->site, f->name, json_get_text(status, "tier"));
        if (json_get(status, "link"))
            print_link(json_get(status, "link"));
        for (size_t i = 0; i < json_count(json_get(status, "children")); i++) {
            const struct json *c = json_at(json_get(status, "children"), i);
            printf("child %s: %lld events not sent; last contact %s\n", json_get_text(c, "site"),
                   (long long)json_get_int(c, "unsent_events", 0),
                   json_get_text(c, "last_contact_at") ? json_get_text(c, "last_contact_at")
                                                       : "never");
            print_clock(c);
            print_offences(c);
        }
        for (size_t i = 0; i < json_count(json_get(status, "origins")); i++) {
            const struct json *x = json_at(json_get(status, "origins"), i);
            printf("ledger of %s: %lld events\n", json_get_text(x, "origin"),
                   (long long)json_get_int(x, "seq", 0));
        }
        if (json_get_int(status, "shells", 0))
            printf("events without their personal part: %lld\n",
                   (long long)json_get_int(status, "shells", 0));
        printf("repair items: %lld; papers to fetch: %lld; free disk: %lld MB\n",
               (long long)json_get_int(status, "repairs", 0),
               (long long)json_get_int(status, "documents_wanted", 0),
               (long long)json_get_int(json_get(status, "disk"), "free_bytes", 0) / 1000000);
    }
    buf_free(&text);
    json_free(status);
    return OK;
}
