/* Puts the tables together: one route per call, the streamed ones beside them. */
#include "api/api.h"

#include "api/call.h"
#include "api/documents.h"
#include "api/guard.h"
#include "api/health.h"
#include "api/inside.h"
#include "api/live.h"
#include "api/reply.h"
#include "api/uploads.h"
#include "base/mem.h"
#include "net/http.h"
#include "site/site.h"

#include <stdio.h>
#include <string.h>

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

struct api *api_create(struct site *site, struct loop *loop, struct errmsg *e)
{
    char dir[4096];
    struct api *api = mem_alloc(sizeof *api);
    api->site = site;
    api->loop = loop;
    api->office = site_office(site);
    api->store = site_store(site);
    api->blobs = site_blobs(site);
    snprintf(dir, sizeof dir, "%s/uploads", site_dir(site));
    api->guard = guard_create();
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
    guard_destroy(api->guard);
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

/* Does a route path, "/a/{b}/c", describe this request path? */
static bool path_fits(const char *route, const char *path)
{
    while (*route && *path) {
        if (*route == '{') {
            route += strcspn(route, "}") + 1;
            size_t n = strcspn(path, "/");
            if (!n)
                return false;
            path += n;
        } else if (*route++ != *path++) {
            return false;
        }
    }
    return !*route && !*path;
}

void api_fallback(struct request *req, void *arg)
{
    struct api *api = arg;
    const char *path = request_path(req), *method = request_method(req);
    struct problem p;
    char allow[80] = "";
    if (request_too_large(req)) {
        problem_set(&p, 413, "body-too-large", "body", "at most 1 MB (an upload: 64 MB)",
                    request_header(req, "content-length"), "请求内容过大。",
                    "The body is too large.");
        reply_problem(req, &p, NULL, 0);
        return;
    }
    for (size_t i = 0; i < api->route_count; i++) {
        const char *name = api->routes[i].method;
        if (!path_fits(api->routes[i].path, path) || strstr(allow, name))
            continue;
        snprintf(allow + strlen(allow), sizeof allow - strlen(allow), "%s%s", allow[0] ? ", " : "",
                 name);
    }
    bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    if (!allow[0] && strncmp(path, "/api/", 5) && reads && static_reply(&api->pages, req))
        return;
    if (allow[0] || (strncmp(path, "/api/", 5) && !reads)) {
        const char *pair[][2] = {{"Allow", allow[0] ? allow : "GET, HEAD"}};
        problem_set(&p, 405, "method-not-allowed", "method", pair[0][1], method,
                    "这个地址不支持这种方法。", "This address does not know this method.");
        reply_problem(req, &p, (const char *const(*)[2])pair, 1);
        return;
    }
    problem_set(&p, 404, "no-such-call", "path", "an address of openapi.yaml", path,
                "没有这个地址。", "There is nothing at this address.");
    reply_problem(req, &p, NULL, 0);
}
