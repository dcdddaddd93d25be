/* A copy of a whole site while it may be serving, and a site made of one. */
#include "site/backup.h"

#include "site/link_end.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err copy_file(const char *from, const char *to, struct errmsg *e)
{
    char piece[65536];
    enum err err = OK;
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;

    if (in >= 0)
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool bad = in < 0 || out < 0;
    for (ssize_t n; !bad && (n = read(in, piece, sizeof piece)) != 0;)
        bad = n < 0 || write(out, piece, (size_t)n) != n;
    if (bad || fsync(out)) {
        int no = errno;
        errmsg_set(e, "copy %s to %s: %s", from, to, strerror(no));
        err = no == ENOSPC ? ERR_FULL : ERR_IO;
    }
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return err;
}

/* Plain files of a folder, and of folders in it; what is unfinished (partial) stays behind. */
static enum err copy_tree(const char *from, const char *to, struct errmsg *e)
{
    DIR *d = opendir(from);
    struct dirent *x;
    enum err err = OK;

    if (mkdir(to, 0700) && errno != EEXIST) {
        errmsg_set(e, "make %s: %s", to, strerror(errno));
        err = ERR_IO;
    }
    while (d && err == OK && (x = readdir(d))) {
        char a[1400], b[1400];
        struct stat s;
        if (x->d_name[0] == '.' || !strcmp(x->d_name, "partial"))
            continue;
        snprintf(a, sizeof a, "%s/%s", from, x->d_name);
        snprintf(b, sizeof b, "%s/%s", to, x->d_name);
        if (stat(a, &s))
            continue;
        err = S_ISDIR(s.st_mode) ? copy_tree(a, b, e) : copy_file(a, b, e);
    }
    if (d)
        closedir(d);
    return err;
}

static enum err copy_site(const struct folder *f, const char *to, struct errmsg *e)
{
    struct db *db = NULL;
    char a[1200], b[1200];
    enum err err;

    if ((err = folder_make(to, e)) != OK)
        return err;
    /* The database first: papers that it names were stored before it named them. */
    folder_path(f->dir, "doorstep.db", a, sizeof a);
    folder_path(to, "doorstep.db", b, sizeof b);
    if ((err = db_open(a, DB_WRITE, &db, e)) == OK)
        err = db_copy_to(db, b, e);
    db_close(db);
    static const char *const trees[] = {"keys", "blobs"};
    for (size_t i = 0; err == OK && i < 2; i++) {
        folder_path(f->dir, trees[i], a, sizeof a);
        folder_path(to, trees[i], b, sizeof b);
        err = copy_tree(a, b, e);
    }
    if (err == OK) {
        struct folder copy = *f;
        snprintf(copy.dir, sizeof copy.dir, "%s", to);
        err = folder_seal(&copy, e);
    }
    return err;
}

enum err backup_make(const struct folder *f, const char *to, struct errmsg *e)
{
    return copy_site(f, to, e);
}

/* The copy may be older than what the parent and the children have seen of this site. */
static enum err come_back(const char *dir, struct errmsg *e)
{
    struct folder f;
    struct office o;
    struct db *db = NULL;
    enum err err = folder_read(dir, &f, e);

    if (err == OK)
        err = folder_open_db(&f, &db, e);
    if (err == OK && (err = db_begin(db, e)) == OK && (err = folder_office(&f, &o, db, e)) == OK) {
        if ((err = link_end_come_back(&o, db, e)) == OK)
            err = db_commit(db, e);
        office_close(&o);
    }
    db_close(db);
    return err;
}

enum err backup_restore(const char *from, const char *dir, struct errmsg *e)
{
    struct folder f;
    enum err err = folder_read(from, &f, e);

    if (err == OK)
        err = copy_site(&f, dir, e);
    return err == OK ? come_back(dir, e) : err;
}
