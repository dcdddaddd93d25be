/* WebSockets, served and dialled. Whole messages; a send is queued and never blocks. Loop thread.
 */
#ifndef NET_WS_H
#define NET_WS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct ws;

struct ws_endpoint {
    /* where it is, and the subprotocol that a client must offer */
    const char *path;
    const char *subprotocol;
    size_t message_max; /* bytes; 0: 64 KiB. Longer: closed with 1009 */
    int ping_seconds;   /* a silent client is asked so often, and closed when it does not answer
                           until the next; 0: never, its protocol does that itself */
    /* told of each socket; on_close is the last */
    void (*on_open)(struct ws *ws, void *arg);
    void (*on_message)(struct ws *ws, const void *p, size_t n, bool binary, void *arg);
    void (*on_close)(struct ws *ws, void *arg); /* ws is gone afterwards */
    void *arg;
};

struct ws_dial {
    const char *host;                           /* name or address */
    int port;                                   /* of TLS */
    const char *path, *subprotocol;             /* asked for there */
    const char *ca_path, *cert_path, *key_path; /* PEM files: whom to trust, and who we are */
    const char *expected_cn;                    /* the peer's certificate must carry this name */
    size_t message_max;                         /* bytes; 0: 64 KiB */
    /* told of each connection; on_close is the last */
    void (*on_open)(struct ws *ws, void *arg);
    void (*on_message)(struct ws *ws, const void *p, size_t n, bool binary, void *arg);
    /* Also when it never opened; why: for a log. ws is NULL when it never opened. */
    void (*on_close)(struct ws *ws, const char *why, void *arg);
    void *arg;
};

struct ws_client;

/* One dialler can dial many times, one connection at a time. The config is copied except its texts.
 */
struct ws_client *ws_client_create(struct loop *l, const struct ws_dial *dial, struct errmsg *e);
void ws_client_destroy(struct ws_client *c); /* no callbacks afterwards */
void ws_client_dial(struct ws_client *c);
void ws_client_hang_up(struct ws_client *c);

/* Queue p[0 .. n), which is copied, and how many bytes wait there. */
void ws_send(struct ws *ws, const void *p, size_t n, bool binary);
size_t ws_queued_bytes(struct ws *ws);
/* After what is queued, with a close frame of this code and reason. on_close follows: the peer has
 * closed as well, or has had some seconds for it. What it sends until then is dropped, but read, so
 * that what it was sent last reaches it. */
void ws_close(struct ws *ws, int code, const char *reason);
void ws_set_user(struct ws *ws, void *user);
void *ws_user(struct ws *ws);
/* Of a served socket: "origin", "host", "cookie"; NULL: not there. */
const char *ws_header(struct ws *ws, const char *name);
/* Of a served socket: whose it is, as request_peer_ip() and request_network(); else "". */
const char *ws_peer_ip(struct ws *ws);
const char *ws_network(struct ws *ws);
/* The name in the peer's certificate, "" without one. */
const char *ws_peer_cn(struct ws *ws);
/* SHA-256 of that certificate, 64 hex digits, or "". */
void ws_peer_fingerprint(struct ws *ws, char out[65]);

#endif
