/* One connection that came in, as bytes: plain or TLS, on the loop of libwebsockets. What the bytes
 * mean is told by whoever takes it (http.c, ws_serve.c). Private to this floor; loop thread. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct conn_kind;
struct loop;

/* Calls about a connection; user is that of conn_set_user(). on_close is the last one. */
struct conn_calls {
    void (*on_data)(struct conn *c, unsigned char *p, size_t n, void *user); /* p may be changed */
    void (*on_writable)(struct conn *c, void *user); /* after conn_want_write() */
    void (*on_close)(struct conn *c, void *user);    /* c is gone afterwards */
};

/**
 * conn_kind_create(l, cert_path, key_path, ca_path, e):
 * What connections are taken as: TLS with these PEM files when cert_path is set, else plain. A
 * client may show a certificate; one that does not end at ca_path ends the handshake.
 *
 * Owns    The loop; it ends with it.
 * Errors  NULL, and e says what cannot be read.
 */
struct conn_kind *conn_kind_create(struct loop *l, const char *cert_path, const char *key_path,
                                   const char *ca_path, struct errmsg *e);
bool conn_kind_is_tls(const struct conn_kind *k);

/* Take the connected socket fd, which is the loop's from here on. NULL: it was closed instead (no
 * room), and no call is made. The struct is gone after on_close. */
struct conn *conn_adopt(struct conn_kind *k, int fd, const struct conn_calls *calls, void *user);
/* A file descriptor that waits for something to be read, as a listening socket does: on_ready(arg)
 * is called while there is. conn_watch_rest(w, true): not now. The loop's, and ends with it. */
struct watch;
struct watch *conn_watch(struct conn_kind *k, int fd, void (*on_ready)(void *arg), void *arg);
void conn_watch_rest(struct watch *w, bool rest);

/* Another owner: the calls that follow are his. */
void conn_hand_over(struct conn *c, const struct conn_calls *calls, void *user);

/* Write now; what the socket does not take is kept and goes first. false: the connection is broken
 * and about to close. p may be changed by nobody meanwhile, and is free again afterwards. */
bool conn_write(struct conn *c, const void *p, size_t n);
/* Bytes of conn_write() still wait here. */
bool conn_is_full(struct conn *c);
void conn_want_write(struct conn *c); /* on_writable, once, when the socket takes bytes again */
void conn_pause(struct conn *c, bool pause); /* no more on_data for now */
/* End it, once what was written is out: on_close comes soon, not within this call. */
void conn_close(struct conn *c);
/* Say that nothing more is sent, and go on reading: what was written last arrives at a sender who
 * is not listening yet. Plain connections; TLS ones are closed. */
void conn_end_writing(struct conn *c);
bool conn_is_closing(const struct conn *c);

/* Of the kind that it was taken as. */
bool conn_is_tls(const struct conn *c);
/* The name in the certificate of the other side, "" without one. */
void conn_peer_name(struct conn *c, char out[64]);
/* SHA-256 of that certificate, 64 hex digits, or "". */
void conn_peer_fingerprint(struct conn *c, char out[65]);

#endif
