#include "site/folder.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "db/migrate.h"
#include "dossiers/all.h"
#include "ledger/meta.h"
#include "net/pki.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1

void folder_path(const char *dir, const char *name, char *out, size_t cap)
{
    assert(dir && name && cap);
    snprintf(out, cap, "%s/%s", dir, name);
}

static enum err world(struct errmsg *e, const char *what, const char *path)
{
    int n = errno;

    errmsg_set(e, "%s %s: %s", what, path, strerror(n));
    return n == ENOENT ? ERR_NOT_FOUND : n == ENOSPC || n == EDQUOT ? ERR_FULL : ERR_IO;
}

enum err file_read(const char *path, struct buf *out, struct errmsg *e)
{
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "re");

    if (!f)
        return world(e, "read", path);
    while ((n = fread(piece, 1, sizeof piece, f)) && out->len < 16 << 20)
        buf_append(out, piece, n);
    bool bad = ferror(f);
    fclose(f);
    return bad ? world(e, "read", path) : OK;
}

enum err file_write(const char *path, const void *p, size_t n, struct errmsg *e)
{
    char fresh[1200];

    assert(path[0] == '/' || strchr(path, '/')); /* its folder is synced too */
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return world(e, "write", path);
    for (const char *at = p; n;) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            enum err err = world(e, "write", path);
            close(fd);
            unlink(fresh);
            return err;
        }
        at += put;
        n -= (size_t)put;
    }
    bool bad = fsync(fd);
    bad = close(fd) || bad || rename(fresh, path);
    if (bad)
        return world(e, "write", path);
    char dir[1200];
    snprintf(dir, sizeof dir, "%s", path);
    *strrchr(dir, '/') = 0;
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return world(e, "sync", dir);
    bad = fsync(fd);
    close(fd);
    return bad ? world(e, "sync", dir) : OK;
}

static void copy(char *out, size_t cap, const char *s)
{
    snprintf(out, cap, "%s", s ? s : "");
}

enum err folder_read(const char *dir, struct folder *ret, struct errmsg *e)
{
    struct buf text = {0};
    struct json *j = NULL;
    char path[1200];
    enum err err;

    memset(ret, 0, sizeof *ret);
    if (strlen(dir) >= sizeof ret->dir - 1) {
        errmsg_set(e, "the path of the data folder is too long");
        return ERR_INVALID;
    }
    copy(ret->dir, sizeof ret->dir, dir);
    folder_path(dir, "site.json", path, sizeof path);
    if ((err = file_read(path, &text, e)) != OK) {
        if (err == ERR_NOT_FOUND)
            errmsg_set(e, "%s holds no site: make one with \"init --data %s\" first", dir, dir);
        goto done;
    }
    if ((err = json_parse((char *)text.data, text.len, &j, e)) != OK) {
        errmsg_wrap(e, "%s", path);
        err = ERR_CORRUPT;
        goto done;
    }
    if (json_get_int(j, "format", 0) > FORMAT) {
        errmsg_set(
            e, "%s was made by a newer program; this one reads format %d. Use the newer program.",
            path, FORMAT);
        err = ERR_UNSUPPORTED;
        goto done;
    }
    const struct json *parent = json_get(j, "parent");
    copy(ret->site, sizeof ret->site, json_get_text(j, "site"));
    copy(ret->name, sizeof ret->name, json_get_text(j, "name"));
    copy(ret->parent, sizeof ret->parent, json_get_text(parent, "site"));
    copy(ret->parent_name, sizeof ret->parent_name, json_get_text(parent, "name"));
    copy(ret->parent_url, sizeof ret->parent_url, json_get_text(parent, "url"));
    buf_reset(&text);
    folder_path(dir, "keys/seed", path, sizeof path);
    if ((err = file_read(path, &text, e)) != OK)
        goto done;
    if (!division_valid(ret->site) || text.len < 64 ||
        !(text.len = 64, hex_decode(buf_text(&text), ret->seed, 32))) {
        errmsg_set(e, "%s: the site's code or key is damaged", dir);
        err = ERR_CORRUPT;
    }
done:
    buf_free(&text);
    json_free(j);
    return err;
}

static enum err make_dirs(const char *path, struct errmsg *e)
{
    char part[1200];

    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            if (mkdir(part, 0755) && errno != EEXIST)
                return world(e, "make", part);
            *p = '/';
        }
    if (mkdir(part, 0700) && errno != EEXIST)
        return world(e, "make", part);
    return OK;
}

enum err folder_make(const char *dir, struct errmsg *e)
{
    char path[1200];
    enum err err = make_dirs(dir, e);

    if (err != OK)
        return err;
    DIR *d = opendir(dir);
    if (!d)
        return world(e, "open", dir);
    struct dirent *x;
    bool used = false;
    while ((x = readdir(d)))
        used |= strcmp(x->d_name, ".") && strcmp(x->d_name, "..");
    closedir(d);
    if (used) {
        folder_path(dir, "site.json", path, sizeof path);
        if (!access(path, F_OK))
            errmsg_set(e, "%s already holds a site; nothing was changed", dir);
        else
            errmsg_set(e, "%s is not empty; give an empty or a new folder", dir);
        return ERR_CONFLICT;
    }
    static const char *const below[] = {"keys", "blobs", "uploads"};
    for (size_t i = 0; i < 3; i++) {
        folder_path(dir, below[i], path, sizeof path);
        if (mkdir(path, 0700))
            return world(e, "make", path);
    }
    return OK;
}

enum err folder_seal(const struct folder *f, struct errmsg *e)
{
    assert(division_valid(f->site));
    struct json *j = json_object();
    struct buf text = {0};
    char path[1200];

    json_set_int(j, "format", FORMAT);
    json_set_text(j, "site", f->site);
    json_set_text(j, "name", f->name);
    if (f->parent[0]) {
        struct json *p = json_object();
        json_set_text(p, "site", f->parent);
        json_set_text(p, "name", f->parent_name);
        json_set_text(p, "url", f->parent_url);
        json_set(j, "parent", p);
    }
    json_canonical(j, &text);
    buf_putc(&text, '\n');
    folder_path(f->dir, "site.json", path, sizeof path);
    enum err err = file_write(path, text.data, text.len, e);
    buf_free(&text);
    json_free(j);
    return err;
}

enum err folder_lock(const char *dir, int *ret_fd, struct errmsg *e)
{
    char path[1200];

    folder_path(dir, "lock", path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return world(e, "open", path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        errmsg_set(e, "another program serves %s already; stop it first", dir);
        return ERR_BUSY;
    }
    *ret_fd = fd;
    return OK;
}

enum err folder_open_db(const struct folder *f, struct db **ret, struct errmsg *e)
{
    char path[1200];
    enum err err;

    folder_path(f->dir, "doorstep.db", path, sizeof path);
    if ((err = db_open(path, DB_WRITE, ret, e)) != OK)
        return err;
    if ((err = migrate(*ret, schema_migrations, schema_migration_count, e)) != OK) {
        db_close(*ret);
        *ret = NULL;
    }
    return err;
}

static void read_boot(char out[40])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    snprintf(out, 40, "unknown");
    if (f) {
        if (fscanf(f, "%39s", out) != 1)
            snprintf(out, 40, "unknown");
        fclose(f);
    }
}

/* A database that was copied into another site's folder must not be served as that site. */
static enum err check_owner(const struct folder *f, struct db *db, struct errmsg *e)
{
    char owner[13];
    enum err err = meta_read(db, "site", owner, sizeof owner, NULL, e);

    if (err == OK && owner[0] && strcmp(owner, f->site)) {
        errmsg_set(e,
                   "the database in %s belongs to site %s, but site.json says %s; put the right "
                   "folder in place",
                   f->dir, owner, f->site);
        err = ERR_CONFLICT;
    }
    return err;
}

static enum err read_authority(const struct folder *f, struct office *o, struct errmsg *e)
{
    struct buf ca = {0};
    char path[1200], print[65];

    folder_path(f->dir, "keys/ca.crt", path, sizeof path);
    enum err err = file_read(path, &ca, e);
    if (err == OK)
        err = pki_fingerprint(buf_text(&ca), print, e);
    if (err == OK)
        snprintf(o->authority, sizeof o->authority, "%.32s", print);
    buf_free(&ca);
    return err;
}

enum err folder_office(const struct folder *f, struct office *o, struct db *db, struct errmsg *e)
{
    enum err err;

    memset(o, 0, sizeof *o);
    o->host = host_system();
    o->work = &all_work;
    copy(o->site, sizeof o->site, f->site);
    copy(o->parent, sizeof o->parent, f->parent);
    copy(o->name, sizeof o->name, f->name);
    memcpy(o->seed, f->seed, 32);
    read_boot(o->boot);
    if ((err = read_authority(f, o, e)) != OK)
        return err;
    if ((err = check_owner(f, db, e)) != OK)
        return err;
    return office_open(o, db, e);
}
