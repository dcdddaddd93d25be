/* The library gives sockets, TLS and the turn of the loop; it reads none of the bytes (its "raw"
 * role), so that what a request is, and when a connection has been patient enough, is decided by
 * us.
 *
 *   adopt -> [TLS handshake] -> data ... -> close asked -> flushed -> on_close */
#include "net/conn.h"

#include "base/mem.h"
#include "net/inside.h"
#include "net/loop.h"
#include "net/pki.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WRITE_BYTES (256 * 1024) /* given to the socket at a time */
#define FLUSH_S 10               /* for what is left to write when a connection is to end */

struct conn_kind {
    struct lws_vhost *vhost;
    struct lws_protocols protocols[3];
    bool tls;
};

struct conn {
    struct lws *wsi;
    struct conn_kind *kind;
    struct conn_calls calls;
    void *user;
    bool closing, paused, met; /* met: the first bytes came, so TLS is up */
};

struct watch {
    struct lws *wsi;
    void (*on_ready)(void *arg);
    void *arg;
};

/* ---- from the library -------------------------------------------------------------------------*/

static int on_data(struct conn *c, unsigned char *p, size_t n)
{
    if (!c->met) { /* the library's own patience with the handshake ends */
        c->met = true;
        lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    }
    if (!c->closing)
        c->calls.on_data(c, p, n, c->user);
    return c->closing ? -1 : 0;
}

static void on_close(struct conn *c)
{
    c->closing = true;
    c->calls.on_close(c, c->user);
    mem_free(c);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct conn *c = lws_get_opaque_user_data(wsi);

    /* The library asks for the last word on a client's certificate and takes 0 for yes: len is what
     * OpenSSL found. */
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION)
        return len ? 0 : 1;
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        pki_settle(user);
        return 0;
    }
    /* The library names many reasons; those that are not here need nothing. */
    if (!c)
        return 0;
    if (reason == LWS_CALLBACK_RAW_RX)
        return on_data(c, in, len);
    if (reason == LWS_CALLBACK_RAW_WRITEABLE) {
        if (!c->closing)
            c->calls.on_writable(c, c->user);
        return c->closing ? -1 : 0;
    }
    if (reason == LWS_CALLBACK_RAW_CLOSE) {
        lws_set_opaque_user_data(wsi, NULL);
        on_close(c);
    }
    return 0;
}

static int watch_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                          size_t len)
{
    struct watch *w = lws_get_opaque_user_data(wsi);

    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RAW_RX_FILE && w)
        w->on_ready(w->arg);
    if (reason == LWS_CALLBACK_RAW_CLOSE_FILE && w) {
        lws_set_opaque_user_data(wsi, NULL);
        mem_free(w);
    }
    return 0;
}

/* ---- kinds ------------------------------------------------------------------------------------*/

/* The library's own pings and the timer of each: the sync protocol has pings (protocol.md 8), and a
 * timer is sorted in among those of all connections with every message. */
static const lws_retry_bo_t no_pings = {.secs_since_valid_ping = 0, .secs_since_valid_hangup = 0};

struct conn_kind *conn_kind_create(struct loop *l, const char *cert_path, const char *key_path,
                                   const char *ca_path, struct errmsg *e)
{
    struct conn_kind *k = mem_alloc(sizeof *k);
    struct lws_context_creation_info info = {0};

    k->tls = cert_path;
    k->protocols[0] = (struct lws_protocols){"conn", callback, 0, 0, 0, k, WRITE_BYTES};
    k->protocols[1] = (struct lws_protocols){"watch", watch_callback, 0, 0, 0, k, 0};
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.vhost_name = cert_path ? "in-tls" : "in";
    info.protocols = k->protocols;
    info.retry_and_idle_policy = &no_pings;
    if (cert_path) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                        LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT |
                        LWS_SERVER_OPTION_PEER_CERT_NOT_REQUIRED;
        info.ssl_cert_filepath = cert_path;
        info.ssl_private_key_filepath = key_path;
        info.ssl_ca_filepath = ca_path;
        info.alpn = "http/1.1";
    }
    k->vhost = lws_create_vhost(loop_context(l), &info);
    if (k->vhost) {
        loop_on_end(l, mem_free, k); /* the library points into it until then */
        return k;
    }
    if (cert_path)
        errmsg_set(e, "the certificates %s, %s, %s cannot be used", cert_path, key_path, ca_path);
    else
        errmsg_set(e, "the event loop has no room for connections");
    mem_free(k);
    return NULL;
}

bool conn_kind_is_tls(const struct conn_kind *k)
{
    return k->tls;
}

struct conn *conn_adopt(struct conn_kind *k, int fd, const struct conn_calls *calls, void *user)
{
    struct conn *c = mem_alloc(sizeof *c);
    lws_adopt_desc_t info = {.vh = k->vhost,
                             .type = LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL,
                             .fd.sockfd = fd,
                             .vh_prot_name = "conn"};

    c->kind = k;
    c->calls = *calls;
    c->user = user;
    /* The pointer is set afterwards: a connection that the library gives up at once tells nothing.
     */
    c->wsi = lws_adopt_descriptor_vhost_via_info(&info);
    if (!c->wsi) {
        mem_free(c);
        return NULL;
    }
    lws_set_opaque_user_data(c->wsi, c);
    return c;
}

struct watch *conn_watch(struct conn_kind *k, int fd, void (*on_ready)(void *arg), void *arg)
{
    struct watch *w = mem_alloc(sizeof *w);
    lws_adopt_desc_t info = {
        .vh = k->vhost, .type = LWS_ADOPT_RAW_FILE_DESC, .fd.filefd = fd, .vh_prot_name = "watch"};

    w->on_ready = on_ready;
    w->arg = arg;
    w->wsi = lws_adopt_descriptor_vhost_via_info(&info);
    if (!w->wsi) {
        close(fd);
        mem_free(w);
        return NULL;
    }
    lws_set_opaque_user_data(w->wsi, w);
    return w;
}

void conn_watch_rest(struct watch *w, bool rest)
{
    lws_rx_flow_control(w->wsi, !rest);
}

/* ---- from us ----------------------------------------------------------------------------------*/

void conn_hand_over(struct conn *c, const struct conn_calls *calls, void *user)
{
    c->calls = *calls;
    c->user = user;
}

bool conn_write(struct conn *c, const void *p, size_t n)
{
    if (c->closing)
        return false;
    /* not changed: the raw role puts nothing before it */
    if (!n || lws_write(c->wsi, (unsigned char *)p, n, LWS_WRITE_RAW) == (int)n)
        return true;
    conn_close(c);
    return false;
}

bool conn_is_full(struct conn *c)
{
    return lws_partial_buffered(c->wsi);
}

void conn_want_write(struct conn *c)
{
    if (!c->closing)
        lws_callback_on_writable(c->wsi);
}

void conn_pause(struct conn *c, bool pause)
{
    if (c->paused != pause && !c->closing)
        lws_rx_flow_control(c->wsi, !pause);
    c->paused = pause;
}

void conn_close(struct conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    if (lws_partial_buffered(c->wsi))
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, FLUSH_S);
    lws_callback_on_writable(c->wsi);
    if (!lws_partial_buffered(c->wsi))
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void conn_end_writing(struct conn *c)
{
    if (c->closing)
        return;
    if (c->kind->tls || shutdown(lws_get_socket_fd(c->wsi), SHUT_WR))
        conn_close(c);
}

bool conn_is_closing(const struct conn *c)
{
    return c->closing;
}

bool conn_is_tls(const struct conn *c)
{
    return c->kind->tls;
}

void conn_peer_name(struct conn *c, char out[64])
{
    union lws_tls_cert_info_results r;

    out[0] = 0;
    if (c->kind->tls &&
        !lws_tls_peer_cert_info(c->wsi, LWS_TLS_CERT_INFO_COMMON_NAME, &r, sizeof r.ns.name))
        snprintf(out, 64, "%.63s", r.ns.name);
}

void conn_peer_fingerprint(struct conn *c, char out[65])
{
    out[0] = 0;
    if (c->kind->tls)
        (void)pki_peer_fingerprint(lws_get_ssl(c->wsi), out);
}
