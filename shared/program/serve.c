#include "program/serve.h"

#include "base/log.h"
#include "net/http.h"
#include "net/limits.h"
#include "net/loop.h"
#include "net/ws.h"
#include "site/site.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FILES_KEPT 64 /* descriptors for the database, papers and links */

static void dossier_changed(void *api, const char *id)
{
    api_changed(api, id);
}

struct served {
    struct site *site;
    struct api *api;
};

static void stopping(void *arg)
{
    struct served *s = arg;

    api_stop(s->api);
    site_stop(s->site);
}

static enum err listen_http(struct loop *loop, struct api *api, const struct serve_options *o,
                            struct limits *limits, struct http **ret, struct errmsg *e)
{
    struct http_config c = {
        .listen = o->listen,
        .option = "--listen",
        .fallback = api_fallback,
        .fallback_arg = api,
        .limits = limits,
        .total = LIMIT_CONNECTIONS,
        .trusted = o->trusted,
        .trusted_count = o->trusted_count,
        .stats = api_http_stats(api),
    };

    c.routes = api_routes(api, &c.route_count);
    c.endpoints[0] = api_live_endpoint(api);
    return http_listen(loop, &c, ret, e);
}

static enum err listen_sync(struct loop *loop, struct site *site, const char *listen,
                            struct limits *limits, struct http **ret, struct errmsg *e)
{
    struct http_config c = {
        .listen = listen,
        .option = "--sync-listen",
        .fallback = site_sync_fallback,
        .fallback_arg = site,
        .cert_path = site_cert_path(site),
        .key_path = site_key_path(site),
        .ca_path = site_ca_path(site),
        .limits = limits,
        .total = LIMIT_SYNC_CONNECTIONS,
    };

    c.routes = site_sync_routes(site, &c.route_count);
    c.endpoints[0] = site_sync_endpoint(site);
    return http_listen(loop, &c, ret, e);
}

/* What an operator says of it in doorstep.conf; and no more connections than the system gives
 * descriptors for, beside those of the database and of papers. */
static enum err read_limits(const char *dir, bool is_hub, struct limits *ret, struct errmsg *e)
{
    char path[4200];
    struct rlimit files;

    limits_init(ret, is_hub);
    snprintf(path, sizeof path, "%s/doorstep.conf", dir);
    enum err err = limits_read(ret, path, e);
    if (err != OK || getrlimit(RLIMIT_NOFILE, &files))
        return err;
    int64_t room = files.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)files.rlim_cur;
    room = room > 2 * FILES_KEPT ? room - FILES_KEPT : room / 8;
    for (int i = 0; i < 2; i++) {
        int64_t *max = &ret->max[i ? LIMIT_SYNC_CONNECTIONS : LIMIT_CONNECTIONS];
        if (*max > room) {
            log_line(LOG_LEVEL_WARN, "run",
                     "limit=%s asked=%lld allowed=%lld reason=\"open files\"",
                     limits_key(i ? LIMIT_SYNC_CONNECTIONS : LIMIT_CONNECTIONS), (long long)*max,
                     (long long)room);
            *max = room > 4 ? room : 4;
        }
    }
    return OK;
}

enum err serve_run(const struct program *p, const char *dir, const struct serve_options *o,
                   struct errmsg *e)
{
    struct loop *loop = loop_create(p->is_hub, e);
    struct limits limits;
    struct served served;
    struct http *http = NULL, *sync = NULL;
    struct site *site = NULL;
    struct api *api = NULL;
    enum err err = loop ? OK : ERR_IO;

    assert(dir && o->listen);
    if (err != OK)
        return err;
    loop_catch_signals(loop);
    if ((err = read_limits(dir, p->is_hub, &limits, e)) != OK ||
        (err = site_open(dir, loop, &site, e)) != OK)
        goto done;
    if ((site_office(site)->tier == TIER_COMMUNITY) == p->is_hub) {
        errmsg_set(e, "%s is a %s: it is served by doorstep-%s", dir,
                   tier_name(site_office(site)->tier), p->is_hub ? "node" : "hub");
        err = ERR_INVALID;
        goto done;
    }
    if (!(api = api_create(site, loop, &limits, e))) {
        err = ERR_IO;
        goto done;
    }
    api_set_web(api, p->web, p->web_count);
    api_set_web_dir(api, o->web_dir);
    api_set_print(api, p->print_certificate, p->print_label);
    site_on_dossier(site, dossier_changed, api);
    served = (struct served){site, api};
    loop_on_stop(loop, stopping, &served);
    if ((err = listen_http(loop, api, o, &limits, &http, e)) != OK ||
        (o->sync_listen &&
         (err = listen_sync(loop, site, o->sync_listen, &limits, &sync, e)) != OK) ||
        (err = site_start(site, e)) != OK)
        goto done;
    if (sync)
        printf("ready http=%d sync=%d\n", http_port(http), http_port(sync));
    else
        printf("ready http=%d\n", http_port(http));
    fflush(stdout);
    log_line(LOG_LEVEL_INFO, "run", "ready=yes site=%s http=%d", site_office(site)->site,
             http_port(http));
    loop_run(loop);
    log_line(LOG_LEVEL_INFO, "run", "stopped=yes site=%s", site_office(site)->site);
done:
    api_stop(api);
    site_stop(site);
    if (api)
        api_destroy(api);
    loop_destroy(loop);
    site_close(site);
    return err;
}
