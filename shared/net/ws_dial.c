/* WebSockets that this site opens, by the library's own client: one write in each writable turn, as
 * it wants it. */
#include "net/ws_inside.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/inside.h"
#include "net/loop.h"
#include "net/pki.h"
#include "net/ws_frame.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(WS_ROOM >= WS_FRAME_HEADER_MAX && WS_ROOM >= LWS_PRE,
               "a message has no room for its header");

#define CLOSE_PATIENCE_S 10 /* a peer that reads nothing */

struct ws_client {
    struct loop *loop;
    struct ws_dial dial;
    struct lws_vhost *vhost;
    struct lws *wsi;
    struct ws *ws;
    bool dead, dialling;
};

/* ---- the line: its carrier is the library's struct --------------------------------------------*/

/* The library keeps what the socket does not take. */
static bool line_write(struct ws *ws, unsigned char *p, size_t n, bool binary)
{
    size_t header = ws_frame(p, n, binary);

    return lws_write(ws->carrier, p - header, header + n, LWS_WRITE_RAW) == (int)(header + n);
}

static bool line_is_full(struct ws *ws)
{
    return lws_partial_buffered(ws->carrier);
}

static void line_want_write(struct ws *ws)
{
    lws_callback_on_writable(ws->carrier);
}

static void line_closing(struct ws *ws)
{
    lws_callback_on_writable(ws->carrier);
    lws_set_timeout(ws->carrier, PENDING_TIMEOUT_USER_OK, CLOSE_PATIENCE_S);
}

static void line_fingerprint(struct ws *ws, char out[65])
{
    (void)pki_peer_fingerprint(lws_get_ssl(ws->carrier), out);
}

static const struct ws_line line = {line_write, line_is_full, line_want_write, line_closing,
                                    line_fingerprint};

static void read_cn(struct ws *ws)
{
    union lws_tls_cert_info_results r;

    ws->cn[0] = 0;
    if (!lws_tls_peer_cert_info(ws->carrier, LWS_TLS_CERT_INFO_COMMON_NAME, &r, sizeof r.ns.name))
        snprintf(ws->cn, sizeof ws->cn, "%.*s", (int)sizeof ws->cn - 1, r.ns.name);
}

/* The library's own way, lws_close_reason() and -1, ends the connection at once where its loop is
 * libuv's (4.1.6, as Debian builds it: service.c closes twice, "uv repeat test"). What the peer was
 * still sending is then answered with a reset, and may cost it the last message, which says why. So
 * the frame is ours (RFC 6455 5.5.1), and the connection stands until the peer has answered with
 * its own, which the library sees to, or until the time of ws_close() is over. */
static bool write_close(struct ws *ws)
{
    unsigned char bytes[WS_ROOM + WS_CONTROL_MAX], *p = bytes + WS_ROOM;
    size_t n = ws_frame_close(p, ws->close_code, ws->close_reason), header = ws_frame(p, n, true);

    p[-(int)header] = 0x80 | WS_CLOSE;
    ws->said_close = true;
    return lws_write(ws->carrier, p - header, header + n, LWS_WRITE_RAW) == (int)(header + n);
}

/* One write; -1: close now. */
static int write_turn(struct ws *ws)
{
    if (ws->first) {
        if (!ws_write_one(ws))
            return -1;
    } else if (ws->close_code && !ws->said_close && !write_close(ws)) {
        return -1;
    }
    if (ws->first || (ws->close_code && !ws->said_close))
        lws_callback_on_writable(ws->carrier);
    return 0;
}

static bool gather(struct ws *ws, const void *in, size_t len, const void **p, size_t *n)
{
    size_t left = lws_remaining_packet_payload(ws->carrier);

    return ws_gather(ws, in, len, lws_is_first_fragment(ws->carrier),
                     lws_is_final_fragment(ws->carrier) && !left, left, p, n);
}

/* ---- one dial ---------------------------------------------------------------------------------*/

/* wsi, or NULL when there never was one: the library has more to say of it, but no longer to us. */
static void dial_ended(struct lws *wsi, struct ws_client *c, const char *why)
{
    struct ws *ws = c->ws;

    if (wsi)
        lws_set_opaque_user_data(wsi, NULL);
    c->ws = NULL;
    c->wsi = NULL;
    c->dialling = false;
    if (ws)
        ws->close_code = 1000;
    if (!c->dead)
        c->dial.on_close(ws, why, c->dial.arg);
    ws_free(ws);
    if (c->dead)
        mem_free(c);
}

static int dial_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len)
{
    struct ws_client *c = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    struct ws *ws = c ? c->ws : NULL;
    const void *whole;
    size_t n;

    (void)user;
    if (!c)
        return 0;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        const char *found = pki_why(lws_get_ssl(wsi));
        char why[200];
        snprintf(
            why, sizeof why,
            "上级站点的证书不属于本区 the parent's certificate is not one of this district: %s",
            found ? found : "");
        dial_ended(wsi, c, found ? why : in ? (const char *)in : "the connection failed");
    } else if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        c->ws = ws = ws_create(&line, wsi, c->dial.message_max);
        read_cn(ws);
        if (c->dead || strcmp(ws->cn, c->dial.expected_cn)) {
            log_line(LOG_LEVEL_WARN, "net",
                     "dialled=%s found=%s reason=\"another site answers there\"",
                     c->dial.expected_cn, ws->cn);
            return -1;
        }
        ws->open = true;
        c->dial.on_open(ws, c->dial.arg);
    } else if (reason == LWS_CALLBACK_CLIENT_RECEIVE && ws) {
        if (gather(ws, in, len, &whole, &n)) {
            c->dial.on_message(ws, whole, n, lws_frame_is_binary(wsi), c->dial.arg);
            buf_free(&ws->incoming);
        }
    } else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE && ws) {
        return c->dead ? -1 : write_turn(ws);
    } else if (reason == LWS_CALLBACK_CLIENT_CLOSED) {
        dial_ended(wsi, c, ws && !ws->open ? "another site answers there" : "the connection ended");
    } else if (reason == LWS_CALLBACK_CLOSED_CLIENT_HTTP || reason == LWS_CALLBACK_WSI_DESTROY) {
        /* The library's own patience has ended while it waited for an answer; it tells nothing else
         * then. */
        dial_ended(wsi, c, "the other side took the connection and said nothing");
    }
    return 0;
}

struct ws_client *ws_client_create(struct loop *l, const struct ws_dial *dial, struct errmsg *e)
{
    struct ws_client *c = mem_alloc(sizeof *c);
    struct lws_context_creation_info info = {0};
    struct lws_protocols protocols[] = {
        {dial->subprotocol, dial_callback, 0, 64 * 1024, 0, NULL, 0},
        {NULL, NULL, 0, 0, 0, NULL, 0},
    };
    struct lws_protocols *kept = mem_alloc(sizeof protocols); /* the library points into it */

    memcpy(kept, protocols, sizeof protocols);
    loop_on_end(l, mem_free, kept);
    c->loop = l;
    c->dial = *dial;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.vhost_name = "dial";
    info.protocols = kept;
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.client_ssl_ca_filepath = dial->ca_path;
    info.client_ssl_cert_filepath = dial->cert_path;
    info.client_ssl_private_key_filepath = dial->key_path;
    info.timeout_secs = 20;
    c->vhost = lws_create_vhost(loop_context(l), &info);
    if (!c->vhost) {
        errmsg_set(e, "the certificates %s, %s, %s cannot be used", dial->ca_path, dial->cert_path,
                   dial->key_path);
        mem_free(c);
        return NULL;
    }
    return c;
}

void ws_client_dial(struct ws_client *c)
{
    struct lws_client_connect_info info = {0};
    char host[300];

    if (c->dialling)
        return;
    snprintf(host, sizeof host, "%s:%d", c->dial.host, c->dial.port);
    info.context = loop_context(c->loop);
    info.vhost = c->vhost;
    info.address = c->dial.host;
    info.port = c->dial.port;
    info.path = c->dial.path;
    info.host = info.origin = host;
    info.protocol = info.local_protocol_name = c->dial.subprotocol;
    info.ssl_connection =
        LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK; /* we compare the CN */
    info.opaque_user_data = c;
    info.pwsi = &c->wsi;
    c->dialling = true;
    if (!lws_client_connect_via_info(&info) && c->dialling)
        dial_ended(NULL, c, "the connection could not be started"); /* no callback has told it */
}

void ws_client_hang_up(struct ws_client *c)
{
    if (c->ws)
        ws_close(c->ws, 1000, "");
    else if (c->wsi)
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void ws_client_destroy(struct ws_client *c)
{
    if (!c)
        return;
    c->dead = true;
    if (!c->dialling) {
        mem_free(c);
        return;
    }
    if (c->wsi)
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}
