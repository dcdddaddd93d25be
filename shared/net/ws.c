/* A short message is written at once; another waits in a list until the socket takes it: one write
 * in each writable turn, as the library wants it. */
#include "net/ws.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/inside.h"
#include "net/loop.h"
#include "net/pki.h"

#include <stdio.h>
#include <string.h>

#define WRITE_NOW_MAX 512

struct message {
    struct message *next;
    size_t len;
    bool binary;
    unsigned char bytes[]; /* LWS_PRE, then the message */
};

struct ws {
    struct lws *wsi;
    const struct ws_endpoint *endpoint; /* NULL: dialled */
    struct ws_client *client;
    struct message *first, **last;
    size_t queued_bytes, message_max;
    struct buf incoming;
    bool dropping, open, close_sent;
    int close_code;
    char close_reason[100];
    char cn[64];
    char *origin, *host, *cookie;
    void *user;
};

struct ws_client {
    struct loop *loop;
    struct ws_dial dial;
    struct lws_vhost *vhost;
    struct lws *wsi;
    struct ws *ws;
    bool dead, dialling;
};

static struct ws *ws_create(struct lws *wsi, size_t message_max)
{
    struct ws *ws = mem_alloc(sizeof *ws);

    ws->wsi = wsi;
    ws->last = &ws->first;
    ws->message_max = message_max ? message_max : 64 * 1024;
    return ws;
}

static void ws_free(struct ws *ws)
{
    while (ws->first) {
        struct message *m = ws->first;
        ws->first = m->next;
        mem_free(m);
    }
    buf_free(&ws->incoming);
    mem_free(ws->origin);
    mem_free(ws->host);
    mem_free(ws->cookie);
    mem_free(ws);
}

/* A whole message, with LWS_PRE bytes of room before it. The library keeps what the socket does not
 * take. */
static bool write_message(struct ws *ws, unsigned char *p, size_t n, bool binary)
{
    size_t header = ws->client ? ws_frame(p, n, binary) : 0;

    if (header)
        return lws_write(ws->wsi, p - header, header + n, LWS_WRITE_RAW) == (int)(header + n);
    return lws_write(ws->wsi, p, n, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) >= (int)n;
}

/* A short message goes out at once when nothing is before it: two turns of the loop, with the
 * socket's interest in writing switched on and off, cost more than the message. */
static bool write_now(struct ws *ws, const void *p, size_t n, bool binary)
{
    unsigned char bytes[LWS_PRE + WRITE_NOW_MAX];

    if (n > WRITE_NOW_MAX || ws->first || !ws->open || lws_partial_buffered(ws->wsi))
        return false;
    memcpy(bytes + LWS_PRE, p, n);
    if (!write_message(ws, bytes + LWS_PRE, n, binary))
        ws_close(ws, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "the connection cannot be written to");
    return true;
}

void ws_send(struct ws *ws, const void *p, size_t n, bool binary)
{
    if (ws->close_code || write_now(ws, p, n, binary))
        return;
    struct message *m =
        mem_realloc(NULL, sizeof *m + LWS_PRE + n); /* not zeroed: it may be large */
    *m = (struct message){.len = n, .binary = binary};
    memcpy(m->bytes + LWS_PRE, p, n);
    *ws->last = m;
    ws->last = &m->next;
    ws->queued_bytes += n;
    lws_callback_on_writable(ws->wsi);
}

size_t ws_queued_bytes(struct ws *ws)
{
    return ws->queued_bytes;
}

/* A text that was cut off may end in the middle of a character, which no frame may carry. */
static void cut_character(char *s)
{
    size_t n = strlen(s);

    while (n && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
        n--;
    if (n && ((unsigned char)s[n - 1] & 0x80))
        n--;
    s[n] = 0;
}

void ws_close(struct ws *ws, int code, const char *reason)
{
    if (ws->close_code)
        return;
    ws->close_code = code;
    if ((size_t)snprintf(ws->close_reason, sizeof ws->close_reason, "%s", reason) >=
        sizeof ws->close_reason)
        cut_character(ws->close_reason);
    lws_callback_on_writable(ws->wsi);
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, 10); /* a peer that reads nothing */
}

void ws_set_user(struct ws *ws, void *user)
{
    ws->user = user;
}

void *ws_user(struct ws *ws)
{
    return ws->user;
}

const char *ws_header(struct ws *ws, const char *name)
{
    return !strcmp(name, "origin")   ? ws->origin
           : !strcmp(name, "host")   ? ws->host
           : !strcmp(name, "cookie") ? ws->cookie
                                     : NULL;
}

const char *ws_peer_cn(struct ws *ws)
{
    return ws->cn;
}

void ws_peer_fingerprint(struct ws *ws, char out[65])
{
    (void)pki_peer_fingerprint(lws_get_ssl(ws->wsi), out);
}

static void read_cn(struct ws *ws)
{
    union lws_tls_cert_info_results r;

    ws->cn[0] = 0;
    if (!lws_tls_peer_cert_info(ws->wsi, LWS_TLS_CERT_INFO_COMMON_NAME, &r, sizeof r.ns.name))
        snprintf(ws->cn, sizeof ws->cn, "%.*s", (int)sizeof ws->cn - 1, r.ns.name);
}

/* The library's own way, lws_close_reason() and -1, ends the connection at once where its loop is
 * libuv's (4.1.6, as Debian builds it: service.c closes twice, "uv repeat test"). What the peer was
 * still sending is then answered with a reset, and may cost it the last message, which says why. So
 * the frame is ours (RFC 6455 5.5.1), and the connection stands until the peer has answered with
 * its own, which the library sees to, or until the time of ws_close() is over. */
static bool write_close(struct ws *ws)
{
    unsigned char bytes[LWS_PRE + 2 + sizeof ws->close_reason], *p = bytes + LWS_PRE;
    size_t n = 2 + strlen(ws->close_reason), header = 2;

    p[0] = (unsigned char)(ws->close_code >> 8);
    p[1] = (unsigned char)ws->close_code;
    memcpy(p + 2, ws->close_reason, n - 2);
    if (ws->client)
        header = ws_frame(p, n, true);
    else
        p[-1] = (unsigned char)n; /* less than 126 */
    p[-(int)header] = 0x88;
    ws->close_sent = true;
    return lws_write(ws->wsi, p - header, header + n, LWS_WRITE_RAW) == (int)(header + n);
}

/* One write; -1: close now. */
static int write_one(struct ws *ws)
{
    struct message *m = ws->first;

    if (m) {
        bool written = write_message(ws, m->bytes + LWS_PRE, m->len, m->binary);
        ws->first = m->next;
        if (!ws->first)
            ws->last = &ws->first;
        ws->queued_bytes -= m->len;
        mem_free(m);
        if (!written)
            return -1;
    } else if (ws->close_code && !ws->close_sent && !write_close(ws)) {
        return -1;
    }
    if (ws->first || (ws->close_code && !ws->close_sent))
        lws_callback_on_writable(ws->wsi);
    return 0;
}

/* One piece of a message; true when *p is a whole one: in ws->incoming, or, when it came in one
 * piece, where it is. */
static bool gather(struct ws *ws, const void *in, size_t len, const void **p, size_t *n)
{
    bool first = lws_is_first_fragment(ws->wsi),
         last = lws_is_final_fragment(ws->wsi) && !lws_remaining_packet_payload(ws->wsi);

    if (ws->close_code)
        return false;
    if (first)
        buf_reset(&ws->incoming);
    if (first && last && len <= ws->message_max) {
        *p = in;
        *n = len;
        return true;
    }
    if (first && len + lws_remaining_packet_payload(ws->wsi) <= ws->message_max)
        buf_reserve(&ws->incoming,
                    len + lws_remaining_packet_payload(ws->wsi)); /* once, not by doubling */
    if (ws->incoming.len + len > ws->message_max) {
        ws_close(ws, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too large");
        return false;
    }
    buf_append(&ws->incoming, in, len);
    *p = ws->incoming.data;
    *n = ws->incoming.len;
    return last;
}

static char *copy_header(struct lws *wsi, const char *name)
{
    struct buf b = {0};
    char *s = header_read(wsi, name, &b) ? mem_strndup((char *)b.data, b.len) : NULL;

    buf_free(&b);
    return s;
}

static bool path_is(struct lws *wsi, const char *path)
{
    char text[128];
    int n = lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_GET_URI);

    return n > 0 && !strcmp(text, path);
}

int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct ws **slot = user;
    struct ws *ws = slot ? *slot : NULL;
    const struct lws_protocols *protocol = lws_get_protocol(wsi);
    const struct ws_endpoint *ep = protocol ? protocol->user : NULL;
    const void *whole;
    size_t n;

    /* The library names many reasons; those that are not here need nothing. */
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
        return ep && path_is(wsi, ep->path) ? 0 : -1;
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        *slot = ws = ws_create(wsi, ep->message_max);
        ws->endpoint = ep;
        ws->origin = copy_header(wsi, "origin");
        ws->host = copy_header(wsi, "host");
        ws->cookie = copy_header(wsi, "cookie");
        ws->open = true;
        read_cn(ws);
        ep->on_open(ws, ep->arg);
    } else if (reason == LWS_CALLBACK_RECEIVE && ws) {
        if (gather(ws, in, len, &whole, &n)) {
            ep->on_message(ws, whole, n, lws_frame_is_binary(wsi), ep->arg);
            buf_free(&ws->incoming);
        }
    } else if (reason == LWS_CALLBACK_SERVER_WRITEABLE && ws) {
        return write_one(ws);
    } else if (reason == LWS_CALLBACK_CLOSED && ws) {
        ws->close_code = 1000;
        ep->on_close(ws, ep->arg);
        *slot = NULL;
        ws_free(ws);
    }
    return 0;
}

/* ---- dialled ----------------------------------------------------------------------------------*/

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
    if (ws)
        ws_free(ws);
    if (c->dead)
        mem_free(c);
}

int ws_dial_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
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
        c->ws = ws = ws_create(wsi, c->dial.message_max);
        ws->client = c;
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
        return c->dead ? -1 : write_one(ws);
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
        {dial->subprotocol, ws_dial_callback, 0, 64 * 1024, 0, NULL, 0},
        {NULL, NULL, 0, 0, 0, NULL, 0},
    };
    struct lws_protocols *kept = mem_alloc(sizeof protocols); /* the library keeps the pointer */

    memcpy(kept, protocols, sizeof protocols);
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
        mem_free(kept);
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
