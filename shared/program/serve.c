#include "program/serve.h"

#include "base/log.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"
#include "site/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err parse_address(const char *text, const char *option, char *address, size_t cap,
                              int *ret_port, struct errmsg *e)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;

    if (!colon || end == colon + 1 || *end || port < 0 || port > 65535 ||
        (size_t)(colon - text) >= cap) {
        errmsg_set(e, "%s must be ADDRESS:PORT, as in 127.0.0.1:8400; found \"%s\"", option, text);
        return ERR_INVALID;
    }
    snprintf(address, cap, "%.*s", (int)(colon - text), text);
    *ret_port = (int)port;
    return OK;
}

static void dossier_changed(void *api, const char *id)
{
    api_changed(api, id);
}

static void stopping(void *site)
{
    site_stop(site);
}

static enum err listen_http(struct loop *loop, struct api *api, const char *listen,
                            struct http **ret, struct errmsg *e)
{
    struct http_config c = {.fallback = api_fallback, .fallback_arg = api};
    char address[256];
    enum err err = parse_address(listen, "--listen", address, sizeof address, &c.port, e);

    if (err != OK)
        return err;
    c.address = address;
    c.routes = api_routes(api, &c.route_count);
    c.endpoints[0] = api_live_endpoint(api);
    return http_listen(loop, &c, ret, e);
}

static enum err listen_sync(struct loop *loop, struct site *site, const char *listen,
                            struct http **ret, struct errmsg *e)
{
    struct http_config c = {.fallback = site_sync_fallback, .fallback_arg = site};
    char address[256];
    enum err err = parse_address(listen, "--sync-listen", address, sizeof address, &c.port, e);

    if (err != OK)
        return err;
    c.address = address;
    c.routes = site_sync_routes(site, &c.route_count);
    c.endpoints[0] = site_sync_endpoint(site);
    c.cert_path = site_cert_path(site);
    c.key_path = site_key_path(site);
    c.ca_path = site_ca_path(site);
    return http_listen(loop, &c, ret, e);
}

enum err serve_run(const struct program *p, const char *dir, const char *listen,
                   const char *sync_listen, const char *web_dir, struct errmsg *e)
{
    struct loop *loop = loop_create(p->is_hub, e);
    struct http *http = NULL, *sync = NULL;
    struct site *site = NULL;
    struct api *api = NULL;
    enum err err = loop ? OK : ERR_IO;

    if (err != OK)
        return err;
    loop_catch_signals(loop);
    if ((err = site_open(dir, loop, &site, e)) != OK)
        goto done;
    if ((site_office(site)->tier == TIER_COMMUNITY) == p->is_hub) {
        errmsg_set(e, "%s is a %s: it is served by doorstep-%s", dir,
                   tier_name(site_office(site)->tier), p->is_hub ? "node" : "hub");
        err = ERR_INVALID;
        goto done;
    }
    if (!(api = api_create(site, loop, e))) {
        err = ERR_IO;
        goto done;
    }
    api_set_web(api, p->web, p->web_count);
    api_set_web_dir(api, web_dir);
    api_set_print(api, p->print_certificate, p->print_label);
    site_on_dossier(site, dossier_changed, api);
    loop_on_stop(loop, stopping, site);
    if ((err = listen_http(loop, api, listen, &http, e)) != OK ||
        (sync_listen && (err = listen_sync(loop, site, sync_listen, &sync, e)) != OK) ||
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
    site_stop(site);
    if (api)
        api_destroy(api);
    loop_destroy(loop);
    site_close(site);
    return err;
}
