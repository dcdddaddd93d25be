/* From the library's callbacks to a struct request. One request at a time lives on a connection;
 * the connection's user data points to it. */
#include "net/http.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/pki.h"
#include "net/request.h"
#include "net/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RX_BYTES                                                                                   \
    8192 /* of a message at a time; every open WebSocket holds a buffer of this size               \
          */

static const char *const header_names[] = {
    "host",
    "origin",
    "authorization",
    "cookie",
    "accept-language",
    "accept-encoding",
    "content-type",
    "if-match",
    "if-none-match",
    "range",
    "transfer-encoding",
    "sec-fetch-site",
    "idempotency-key",
    "tus-resumable",
    "upload-length",
    "upload-offset",
    "upload-metadata",
    "upload-checksum",
    "content-length",
};

static void read_headers(struct request *r)
{
    struct buf b = {0};

    for (size_t i = 0; i < sizeof header_names / sizeof header_names[0]; i++) {
        buf_reset(&b);
        if (header_read(r->wsi, header_names[i], &b))
            r->headers[r->header_count++] =
                (struct pair){mem_strdup(header_names[i]), mem_strdup(buf_text(&b))};
    }
    buf_free(&b);
}

static void read_query(struct request *r)
{
    char text[2048];

    for (int i = 0; r->query_count < HTTP_QUERY_MAX; i++) {
        int n = lws_hdr_copy_fragment(r->wsi, text, sizeof text, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n <= 0)
            break;
        char *eq = strchr(text, '=');
        const char *value = eq ? eq + 1 : "";
        if (eq)
            *eq = 0;
        r->query[r->query_count++] = (struct pair){mem_strdup(text), mem_strdup(value)};
    }
}

static const char *method_of(struct lws *wsi)
{
    static const struct {
        int token;
        const char *name;
    } methods[] = {
        {WSI_TOKEN_GET_URI, "GET"},         {WSI_TOKEN_POST_URI, "POST"},
        {WSI_TOKEN_OPTIONS_URI, "OPTIONS"}, {WSI_TOKEN_PUT_URI, "PUT"},
        {WSI_TOKEN_PATCH_URI, "PATCH"},     {WSI_TOKEN_DELETE_URI, "DELETE"},
        {WSI_TOKEN_HEAD_URI, "HEAD"},
    };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (lws_hdr_total_length(wsi, (enum lws_token_indexes)methods[i].token))
            return methods[i].name;
    return "";
}

static void drop_params(struct request *r)
{
    for (; r->param_count; r->param_count--) {
        mem_free(r->params[r->param_count - 1].name);
        mem_free(r->params[r->param_count - 1].value);
    }
}

/* Does the route describe this path? Fills the params. */
static bool matches(struct request *r, const char *route, const char *path)
{
    while (*route && *path) {
        if (*route == '{') {
            size_t name = strcspn(route, "}") - 1, n = strcspn(path, "/");
            if (!n || r->param_count == HTTP_PARAMS_MAX)
                break;
            r->params[r->param_count++] =
                (struct pair){mem_strndup(route + 1, name), mem_strndup(path, n)};
            route += name + 2;
            path += n;
        } else if (*route != *path) {
            break;
        } else {
            route++;
            path++;
        }
    }
    if (!*route && !*path)
        return true;
    drop_params(r);
    return false;
}

static void find_route(struct request *r)
{
    const struct http_config *c = &r->http->config;

    for (size_t i = 0; i < c->route_count; i++) {
        const struct route *x = &c->routes[i];
        bool same = !strcmp(x->method, r->method) ||
                    (!strcmp(r->method, "HEAD") && !strcmp(x->method, "GET"));
        if (same && matches(r, x->path, r->path)) {
            r->route = x;
            return;
        }
    }
}

static void call_handler(struct request *r)
{
    const struct http_config *c = &r->http->config;

    r->in_handler = true;
    if (r->route && !r->too_large)
        r->route->handle(r, r->route->arg);
    else
        c->fallback(r, c->fallback_arg);
    r->in_handler = false;
    if (!r->replied && !r->held) {
        log_line(LOG_LEVEL_ERROR, "net", "unanswered=yes method=%s", r->method);
        request_reply(r, 500, NULL, 0, "text/plain", "no answer\n", 10);
    }
}

static int begin(struct request **slot, struct lws *wsi, const char *uri)
{
    struct http *h = lws_get_protocol(wsi)->user;
    struct request *r = mem_alloc(sizeof *r);

    *slot = r;
    r->http = h;
    r->wsi = wsi;
    r->fd = -1;
    r->path = mem_strdup(uri);
    snprintf(r->method, sizeof r->method, "%s", method_of(wsi));
    lws_get_peer_simple(wsi, r->ip, sizeof r->ip);
    read_headers(r);
    read_query(r);
    find_route(r);
    const char *length = request_header(r, "content-length");
    r->content_length = length ? strtoll(length, NULL, 10) : 0;
    r->body_ended = r->content_length <= 0;
    if (request_header(r, "transfer-encoding")) {
        static const struct http_header close_header[] = {{"connection", "close"}};
        r->close_after = r->body_ended = true;
        request_reply(r, 411, close_header, 1, "text/plain", "Content-Length is needed\n", 25);
        return 0;
    }
    r->too_large = r->content_length > (r->route ? r->route->body_max : 0) && !r->body_ended;
    if (r->too_large)
        r->discard = true;
    if (r->body_ended || r->too_large || (r->route && r->route->stream))
        call_handler(r);
    return 0;
}

static void gone(struct request *r)
{
    r->wsi = NULL;
    if (r->replied || !r->held) {
        request_free(r);
        return;
    }
    /* Held: whoever holds it answers, to nobody, and that frees it. */
    if (r->on_gone && !r->end_told) {
        r->end_told = true;
        r->on_gone(r, r->arg);
    }
}

static int write_turn(struct request **slot, struct lws *wsi)
{
    struct request *r = *slot;
    int n = r && r->replied ? request_write(r) : 0;

    if (n != 1)
        return n;
    bool close_after = r->close_after;
    r->wsi = NULL;
    request_free(r);
    *slot = NULL;
    return close_after || lws_http_transaction_completed(wsi) ? -1 : 0;
}

int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct request **slot = user;
    struct request *r;

    /* The library asks for the last word on a client's certificate and takes 0 for yes: len is what
     * OpenSSL found. */
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION)
        return len ? 0 : 1;
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        pki_settle(user);
        return 0;
    }
    r = slot ? *slot : NULL;
    /* The library names many reasons; those that are not here need nothing. */
    if (reason == LWS_CALLBACK_HTTP)
        return r ? -1 : begin(slot, wsi, in);
    if (reason == LWS_CALLBACK_HTTP_BODY && r) {
        request_take(r, in, len);
    } else if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION && r) {
        bool whole =
            !r->body_ended && !(r->route && r->route->stream) && !r->too_large && !r->replied;
        request_take_end(r);
        if (whole)
            call_handler(r);
    } else if (reason == LWS_CALLBACK_HTTP_WRITEABLE && r) {
        return write_turn(slot, wsi);
    } else if (reason == LWS_CALLBACK_CLOSED_HTTP && r) {
        *slot = NULL;
        gone(r);
    } else if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE) {
        return 0;
    }
    return 0;
}

/* The library's own pings and the timer of each: the sync protocol has pings (protocol.md 8), and a
 * timer is sorted in among those of all connections with every message. */
static const lws_retry_bo_t no_pings = {.secs_since_valid_ping = 0, .secs_since_valid_hangup = 0};

enum err http_listen(struct loop *l, const struct http_config *c, struct http **ret,
                     struct errmsg *e)
{
    struct http *h =
        mem_alloc(sizeof *h); /* lives as long as the program: the library points into it */
    struct lws_context_creation_info info = {0};
    int n = 0;

    h->config = *c;
    h->loop = l;
    h->tls = c->cert_path;
    h->protocols[n++] =
        (struct lws_protocols){"http", http_callback, sizeof(struct request *), 0, 0, h, 0};
    for (int i = 0; i < 4 && c->endpoints[i]; i++)
        h->protocols[n++] = (struct lws_protocols){c->endpoints[i]->subprotocol,
                                                   ws_callback,
                                                   sizeof(void *),
                                                   RX_BYTES,
                                                   0,
                                                   (void *)c->endpoints[i],
                                                   0};
    info.port = c->port;
    info.iface = c->address;
    info.vhost_name = c->cert_path ? "sync" : "http";
    info.protocols = h->protocols;
    info.keepalive_timeout = 75;
    info.timeout_secs = 60;
    if (c->cert_path) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                        LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT |
                        LWS_SERVER_OPTION_PEER_CERT_NOT_REQUIRED;
        info.ssl_cert_filepath = c->cert_path;
        info.ssl_private_key_filepath = c->key_path;
        info.ssl_ca_filepath = c->ca_path;
        info.alpn = "http/1.1";
        info.retry_and_idle_policy = &no_pings;
    }
    h->vhost = lws_create_vhost(loop_context(l), &info);
    if (!h->vhost || lws_get_vhost_listen_port(h->vhost) <= 0) {
        errmsg_set(e,
                   "listen on %s:%d: the port is in use, or the address is not of this machine%s",
                   c->address, c->port, c->cert_path ? ", or its certificate cannot be read" : "");
        return ERR_IO;
    }
    *ret = h;
    return OK;
}

int http_port(const struct http *h)
{
    return lws_get_vhost_listen_port(h->vhost);
}
