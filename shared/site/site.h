/* A site that serves: its store, office, papers and links. Loop thread, except what is said. */
#ifndef SITE_SITE_H
#define SITE_SITE_H

#include "base/err.h"
#include "base/json.h"
#include "office/office.h"
#include "db/store.h"
#include "ledger/blob.h"
#include "net/loop.h"

struct site;
struct request;
struct route;
struct ws_endpoint;

/* site_open(dir, loop, ret, e): open the folder for serving: lock, schema, office, store, papers.
 * Owns    The caller, site_close(). The loop is the caller's and outlives the site.
 * Errors  Those of folder_read(), folder_lock(), folder_open_db(), folder_office(). */
MUST_USE enum err site_open(const char *dir, struct loop *loop, struct site **ret,
                            struct errmsg *e);
/* Start the tick and, where there is a parent, its link. Once. ERR_CORRUPT: the keys cannot be
 * used. */
MUST_USE enum err site_start(struct site *s, struct errmsg *e);
/* Say goodbye on every link, finish what the store has begun. Before loop_destroy(). NULL is
 * allowed. */
void site_stop(struct site *s);
void site_close(struct site *s); /* after loop_destroy() */

/* What it is made of; each lives as long as the site, the store until site_stop(). */
struct office *site_office(struct site *s);
struct store *site_store(struct site *s);
struct blob_dir *site_blobs(struct site *s);
const char *site_dir(struct site *s);

/* The link to the parent as of the last second: {link} as in a status, or {}. The caller frees. */
struct json *site_status(struct site *s);
/* Add to a status what only the running program knows: which links are up. */
void site_add_links(struct site *s, struct json *status);
/* Is what only this program can read, or folds otherwise than the one before it, still being folded?
 * Also true after that has failed: pages would show what an older program made of it. */
bool site_catching_up(const struct site *s);
/* Something was written here: the links look into their outboxes now, not at the next tick. */
void site_changed(struct site *s);
/* Somebody waits for this paper: fetch it before all others. */
void site_want_document(struct site *s, const char *digest);
/* fn is called on the loop thread for each case that events of other sites have changed. One fn. */
void site_on_dossier(struct site *s, void (*fn)(void *arg, const char *id), void *arg);

/* The parent's side of links, for the sync port: the socket, and POST /sync/v1/enrol. */
const struct ws_endpoint *site_sync_endpoint(struct site *s);
const struct route *site_sync_routes(struct site *s, size_t *ret_count);
void site_sync_fallback(struct request *req, void *site);
/* PEM files of this site's TLS. */
const char *site_cert_path(struct site *s);
const char *site_key_path(struct site *s);
const char *site_ca_path(struct site *s);

#endif
