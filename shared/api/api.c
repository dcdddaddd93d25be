/* Puts the tables together: one route per call, the streamed ones beside them. */
#include "api/api.h"

#include "api/call.h"
#include "api/documents.h"
#include "api/health.h"
#include "api/inside.h"
#include "api/live.h"
#include "api/refusals.h"
#include "api/reply.h"
#include "api/tally.h"
#include "api/tries.h"
#include "api/uploads.h"
#include "api/well_known.h"
#include "base/mem.h"
#include "base/workers.h"
#include "net/http.h"
#include "net/loop.h"
#include "site/site.h"

#include <stdio.h>
#include <string.h>

#define HASHING_THREADS 2 /* passwords: 16 MiB and 50 ms each */
#define BODY_MAX (1 << 20)
#define IMPORT_BODY_MAX (8 << 20)

static const struct call *const tables[] = {
    sessions_calls,     cases_calls,      items_calls,   deliveries_calls,
    certificates_calls, statistics_calls, offices_calls, tickets_calls,
};

/* The routes that are no calls of the table. */
static const struct route others[] = {
    {.method = "OPTIONS", .path = "/api/v1/uploads", .handle = uploads_options},
    {.method = "OPTIONS", .path = "/api/v1/uploads/{id}", .handle = uploads_options},
    {.method = "POST", .path = "/api/v1/uploads", .handle = uploads_post, .stream = true},
    {.method = "HEAD", .path = "/api/v1/uploads/{id}", .handle = uploads_head},
    {.method = "PATCH", .path = "/api/v1/uploads/{id}", .handle = uploads_patch, .stream = true},
    {.method = "DELETE", .path = "/api/v1/uploads/{id}", .handle = uploads_delete},
    {.method = "GET", .path = "/api/v1/documents/{digest}", .handle = documents_get},
    {.method = "GET", .path = "/healthz", .handle = health_live},
    {.method = "GET", .path = "/readyz", .handle = health_ready},
    {.method = "GET", .path = "/metrics", .handle = health_metrics},
    {.method = "GET", .path = "/robots.txt", .handle = well_known_robots},
    {.method = "GET", .path = "/.well-known/security.txt", .handle = well_known_security},
    {.method = "GET", .path = "/favicon.ico", .handle = well_known_icon},
};

const struct route *api_streamed_routes(size_t *ret_count)
{
    *ret_count = sizeof others / sizeof others[0];
    return others;
}

#define OTHER_COUNT (sizeof others / sizeof others[0])
#define TABLE_COUNT (sizeof tables / sizeof tables[0])

static void make_routes(struct api *api)
{
    size_t calls = 0;
    for (size_t t = 0; t < TABLE_COUNT; t++)
        for (const struct call *c = tables[t]; c->method; c++)
            calls++;
    api->bound = mem_alloc(sizeof *api->bound * calls);
    api->routes = mem_alloc(sizeof *api->routes * (calls + OTHER_COUNT));
    struct route *r = api->routes;
    struct call_bound *bound = api->bound;
    for (size_t t = 0; t < TABLE_COUNT; t++)
        for (const struct call *c = tables[t]; c->method; c++) {
            *bound = (struct call_bound){api, c};
            *r++ = (struct route){.method = c->method,
                                  .path = c->path,
                                  .handle = call_handle,
                                  .arg = bound++,
                                  .body_max = c->flags & CALL_LARGE ? IMPORT_BODY_MAX : BODY_MAX};
        }
    for (size_t i = 0; i < OTHER_COUNT; i++) {
        *r = others[i];
        r->arg = api;
        r->body_max = r->stream ? UPLOAD_BYTES_MAX : 0;
        r++;
    }
    api->route_count = (size_t)(r - api->routes);
}

static void wake(void *loop)
{
    loop_wake(loop);
}

static void woken(void *arg)
{
    struct api *api = arg;
    if (api->workers)
        workers_complete(api->workers);
}

void api_stop(struct api *api)
{
    struct workers *ending = api ? api->workers : NULL;
    if (!ending)
        return;
    api->workers = NULL;
    workers_destroy(ending);
}

struct api *api_create(struct site *site, struct loop *loop, struct limits *limits,
                       struct errmsg *e)
{
    char dir[4096];
    struct api *api = mem_alloc(sizeof *api);
    api->site = site;
    api->loop = loop;
    api->limits = limits;
    api->office = site_office(site);
    api->store = site_store(site);
    api->blobs = site_blobs(site);
    snprintf(dir, sizeof dir, "%s/uploads", site_dir(site));
    api->tries = tries_create(limits);
    api->refusals = refusals_create();
    api->filings = tally_create();
    api->workers =
        workers_create(HASHING_THREADS, (int)limits->max[LIMIT_SIGN_INS_WAITING], wake, loop);
    loop_on_wake(loop, woken, api);
    api->live = live_create(api);
    api->uploads = uploads_create(api, dir, e);
    if (!api->uploads) {
        api_destroy(api);
        return NULL;
    }
    make_routes(api);
    return api;
}

void api_destroy(struct api *api)
{
    if (!api)
        return;
    uploads_destroy(api->uploads);
    live_destroy(api->live);
    api_stop(api);
    tries_destroy(api->tries);
    refusals_destroy(api->refusals);
    tally_destroy(api->filings);
    mem_free(api->routes);
    mem_free(api->bound);
    mem_free(api);
}

const struct route *api_routes(struct api *api, size_t *ret_count)
{
    *ret_count = api->route_count;
    return api->routes;
}

const struct ws_endpoint *api_live_endpoint(struct api *api)
{
    return live_endpoint(api->live);
}

struct http_stats *api_http_stats(struct api *api)
{
    return &api->stats;
}

void api_set_print(struct api *api, api_print_fn *certificate, api_print_fn *label)
{
    api->print_certificate = certificate;
    api->print_label = label;
}

void api_set_web(struct api *api, const struct web_file *files, size_t count)
{
    api->pages.file = files;
    api->pages.count = count;
}

void api_set_web_dir(struct api *api, const char *dir)
{
    api->pages.dir = dir;
}

void api_changed(struct api *api, const char *id)
{
    live_changed(api->live, id);
}

/* OPTIONS says what there is; tus clients read it of /uploads, which has a route of its own. */
static void reply_options(struct request *req, const char *allow)
{
    const char *pair[][2] = {{"Allow", allow}};
    reply_send(req, 204, (const char *const(*)[2])pair, 1, NULL, NULL, 0);
}

static void reply_refusal(struct request *req, const struct refusal *why)
{
    const char *pair[1][2];
    struct problem p;
    problem_set(&p, why->status, why->code, why->field, why->expected, NULL, why->zh, why->en);
    if (why->header) {
        pair[0][0] = why->header;
        pair[0][1] = why->value;
    }
    reply_problem(req, &p, (const char *const(*)[2])pair, why->header ? 1 : 0);
}

void api_fallback(struct request *req, void *arg)
{
    struct api *api = arg;
    const char *path = request_path(req), *method = request_method(req);
    bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    bool page = strncmp(path, "/api/", 5);
    struct problem p;
    char allow[80];
    if (request_refusal(req)) {
        reply_refusal(req, request_refusal(req));
        return;
    }
    request_allow(req, allow, sizeof allow);
    if (!allow[0] && page && reads && static_reply(&api->pages, req))
        return;
    if (!allow[0] && page && (!reads || !strcmp(method, "OPTIONS")))
        strcpy(allow, "GET, HEAD, OPTIONS");
    if (allow[0] && !strcmp(method, "OPTIONS")) {
        reply_options(req, allow);
    } else if (allow[0]) {
        const char *pair[][2] = {{"Allow", allow}};
        problem_set(&p, 405, "method-not-allowed", "method", allow, method,
                    "这个地址不支持这种方法。", "This address does not know this method.");
        reply_problem(req, &p, (const char *const(*)[2])pair, 1);
    } else if (reads && static_wants_page(req)) {
        static_reply_missing(req);
    } else {
        problem_set(&p, 404, "no-such-call", "path", "an address of openapi.yaml", path,
                    "没有这个地址。", "There is nothing at this address.");
        reply_problem(req, &p, NULL, 0);
    }
}
