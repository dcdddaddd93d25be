/* The data folder of a site:
 *
 *   site.json     who we are: {format, site, name, parent?: {site, name, url}}; written last
 *   doorstep.db   everything that is said and folded
 *   blobs/        papers by digest
 *   uploads/      unfinished uploads
 *   keys/         site.key site.crt (chain) ca.crt seed; at a district also ca.key
 *   lock          held by the program that serves
 */
#ifndef SITE_FOLDER_H
#define SITE_FOLDER_H

#include "base/buf.h"
#include "base/err.h"
#include "office/office.h"

#include <stdbool.h>

struct folder {
    char dir[1024];         /* its path, as it was given */
    char site[13];          /* 12 digits, see division_valid() */
    char name[64];          /* of the site, for people */
    char parent[13];        /* "": a district */
    char parent_name[64];   /* "": a district, or unknown */
    char parent_url[256];   /* where its parent listens: "https://HOST:PORT"; "": a district */
    unsigned char seed[32]; /* of its signing key */
};

/* DIR/name into out, cut at cap. */
void folder_path(const char *dir, const char *name, char *out, size_t cap);
/* folder_read(dir, ret, e): what site.json and keys/seed say.
 * Errors  ERR_NOT_FOUND: no site there; ERR_UNSUPPORTED: of a newer program; ERR_INVALID: the path
 * is too long; ERR_CORRUPT: damaged; ERR_IO. */
MUST_USE enum err folder_read(const char *dir, struct folder *ret, struct errmsg *e);
/* Make DIR (and what is above it), with its empty folders. ERR_CONFLICT: it holds something;
 * nothing was changed. */
MUST_USE enum err folder_make(const char *dir, struct errmsg *e);
/* Write site.json: from now on it is a site. */
MUST_USE enum err folder_seal(const struct folder *f, struct errmsg *e);
/* Hold the lock until *ret_fd is closed, or the process ends. ERR_BUSY: another program serves this
 * folder. */
MUST_USE enum err folder_lock(const char *dir, int *ret_fd, struct errmsg *e);

/* A whole small file (16 MiB), appended to out. ERR_NOT_FOUND, ERR_IO. */
MUST_USE enum err file_read(const char *path, struct buf *out, struct errmsg *e);
/* Write a whole file, readable by its owner alone: after any crash it is the old one or the new
 * one, and the new one when this has returned OK. ERR_FULL, ERR_IO. */
MUST_USE enum err file_write(const char *path, const void *p, size_t n, struct errmsg *e);

/* Open the database for one command (not for serving), brought to this program's schema. Errors are
 * those of db_open() and migrate(). */
MUST_USE enum err folder_open_db(const struct folder *f, struct db **ret, struct errmsg *e);
/* folder_office(f, o, db, e): the office of this folder on db, with the machine's clocks.
 * Owns    The caller, office_close(). It keeps nothing of ${f} and ${db}.
 * Errors  ERR_CONFLICT: the database is another site's; those of office_open(). */
MUST_USE enum err folder_office(const struct folder *f, struct office *o, struct db *db,
                                struct errmsg *e);

#endif
