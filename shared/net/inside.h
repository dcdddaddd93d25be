/* What the files of this floor share. Private. */
#ifndef NET_INSIDE_H
#define NET_INSIDE_H

#include "base/buf.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct ws_endpoint;
struct ws_dial;

struct lws_context *loop_context(struct loop *l);
struct loop *loop_of(struct lws *wsi);
struct lws_vhost *loop_dial_vhost(struct loop *l);

/* lws protocol callbacks. The user pointer of a ws protocol is its struct ws_endpoint. */
int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len);
int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                size_t len);
int ws_dial_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t len);

/* Make a client's frame of the n bytes at payload, masked in place: its header is put before them,
 * where there must be WS_FRAME_HEADER_MAX bytes of room (LWS_PRE is more). Returns the header's
 * length. Source RFC 6455 5.2, 5.3. */
#define WS_FRAME_HEADER_MAX 14
size_t ws_frame(unsigned char *payload, size_t n, bool binary);

/* One header by its lower-case name into out; false: not there. Only while the header table is
 * held. */
bool header_read(struct lws *wsi, const char *name, struct buf *out);
#endif
