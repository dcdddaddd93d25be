/* The calls under /api/v1 that a node and a hub both serve, the live socket, health and the pages.
 *
 *   request -> table of calls -> one store job (session, rights, replay, casework) -> JSON or
 * problem
 *
 * Everything here runs on the loop thread, except what a job does in its run(). */
#ifndef API_API_H
#define API_API_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct api;
struct http_stats;
struct json;
struct limits;
struct loop;
struct problem;
struct request;
struct route;
struct site;
struct web_file;
struct ws_endpoint;

/* Draw ${show} (what GET of the certificate or delivery answers) as a PDF into ${pdf}; on a store
 * thread, one drawing at a time. */
typedef enum err api_print_fn(const struct json *show, struct buf *pdf, struct errmsg *e);

/**
 * api_create(site, loop, limits, e):
 * Make the calls of ${site}. NULL with ${e} set when the folder of uploads cannot be used.
 *
 * Owns    The caller keeps ${site}, ${loop} and ${limits}; they must outlive the api. api_destroy
 *         takes NULL.
 */
struct api *api_create(struct site *site, struct loop *loop, struct limits *limits,
                       struct errmsg *e);
/* Before the store of the site closes: what hashes passwords ends. NULL is allowed. */
void api_stop(struct api *api);
void api_destroy(struct api *api);

/* Routes for http_config, good as long as the api. A program may put its own after them. */
const struct route *api_routes(struct api *api, size_t *ret_count);
/* The socket /api/v1/live, subprotocol doorstep.live.v1, for http_config. */
const struct ws_endpoint *api_live_endpoint(struct api *api);
/* The fallback of http_config, its argument the api: pages, OPTIONS, 404 and 405, and what net
 * refuses. */
void api_fallback(struct request *req, void *api);

/* What http_config counts for /metrics. */
struct http_stats *api_http_stats(struct api *api);

/* Without print hooks a .pdf answers 404 and says to print from the page. */
void api_set_print(struct api *api, api_print_fn *certificate, api_print_fn *label);
/* Packed pages; count 0: none. */
void api_set_web(struct api *api, const struct web_file *files, size_t count);
/* Serve pages from a folder instead of the packed ones; NULL: packed. */
void api_set_web_dir(struct api *api, const char *dir);

/* Something about a dossier became durable: tell the signed-in callers who may see it. */
void api_changed(struct api *api, const char *id);

#endif
