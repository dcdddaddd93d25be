/* The data folder of a site:
 *
 *   site.json     who we are: {format, site, name, parent?: {site, name, url}}; written last when
 * made doorstep.db   everything that is said and folded blobs/        papers by digest uploads/
 * unfinished uploads keys/         site.key site.crt (chain) ca.crt seed; at a district also ca.key
 *   lock          held by the program that serves
 */
#ifndef SITE_FOLDER_H
#define SITE_FOLDER_H

#include "base/buf.h"
#include "base/err.h"
#include "office/office.h"

#include <stdbool.h>

struct folder {
    char dir[1024];
    char site[13], name[64];
    char parent[13], parent_name[64], parent_url[256]; /* "": a district */
    unsigned char seed[32];
};

/* DIR/name into out. */
void folder_path(const char *dir, const char *name, char *out, size_t cap);
/* ERR_NOT_FOUND: no site there; ERR_UNSUPPORTED: of a newer program; else ERR_CORRUPT. */
MUST_USE enum err folder_read(const char *dir, struct folder *ret, struct errmsg *e);
/* Make DIR (and what is above it); refuse one that holds anything. */
MUST_USE enum err folder_make(const char *dir, struct errmsg *e);
/* Write site.json: from now on it is a site. */
MUST_USE enum err folder_seal(const struct folder *f, struct errmsg *e);
/* Hold the lock until the process ends. ERR_BUSY: another program serves this folder. */
MUST_USE enum err folder_lock(const char *dir, int *ret_fd, struct errmsg *e);

/* A whole small file. write is durable, and private to the owner. */
MUST_USE enum err file_read(const char *path, struct buf *out, struct errmsg *e);
MUST_USE enum err file_write(const char *path, const void *p, size_t n, struct errmsg *e);

/* Open the database for one command (not for serving), brought to this program's schema. */
MUST_USE enum err folder_open_db(const struct folder *f, struct db **ret, struct errmsg *e);
/* The office of this folder on db. */
MUST_USE enum err folder_office(const struct folder *f, struct office *o, struct db *db,
                                struct errmsg *e);

#endif
