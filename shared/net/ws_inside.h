/* A WebSocket as those who serve and those who dial share it. Private.
 *
 *   ws.c        the queue, and what its user asks
 *   ws_serve.c  frames of a client over a connection of ours
 *   ws_dial.c   the library's own client */
#ifndef NET_WS_INSIDE_H
#define NET_WS_INSIDE_H

#include "base/buf.h"
#include "net/address.h"
#include "net/ws.h"

struct ws_message {
    struct ws_message *next; /* to go after it */
    size_t len;              /* of the message alone */
    bool binary;             /* or a text */
    unsigned char bytes[];   /* WS_ROOM, then the message */
};

#define WS_ROOM 24 /* before a message, for what the line puts there: LWS_PRE, a frame's header */

/* What carries a socket's messages. */
struct ws_line {
    /* Write one message, with WS_ROOM bytes of room before p that may be used, and p changed.
     * false: the line is broken. */
    bool (*write)(struct ws *ws, unsigned char *p, size_t n, bool binary);
    bool (*is_full)(struct ws *ws);    /* what was written still waits */
    void (*want_write)(struct ws *ws); /* ws_writable() is called soon */
    void (*closing)(struct ws *ws);    /* ws_close() was called: patience has an end */
    void (*fingerprint)(struct ws *ws, char out[65]);
};

struct ws {
    const struct ws_line *line;
    void *carrier;                    /* the line's */
    struct ws_message *first, **last; /* what waits to go */
    size_t queued_bytes;              /* of those that wait */
    size_t message_max;               /* of what comes */
    struct buf incoming;              /* a message that comes in pieces */
    bool open, said_close;            /* said_close: the close frame is written */
    int close_code;                   /* 0: it is not to end */
    char close_reason[124];           /* goes with the code */
    /* whose it is: ws_peer_cn(), ws_peer_ip(), ws_network(), ws_header(), ws_user() */
    char cn[64], ip[ADDRESS_TEXT_MAX], network[ADDRESS_TEXT_MAX];
    char *origin, *host, *cookie;
    void *user;
};

/* Not open yet; message_max 0: 64 KiB. free takes NULL, and what waits is lost. */
struct ws *ws_create(const struct ws_line *line, void *carrier, size_t message_max);
void ws_free(struct ws *ws);
/* Write one queued message. false: the line is broken. */
bool ws_write_one(struct ws *ws);

/* A piece of a message: what comes of it is in *p, *n when true is returned: a whole message, where
 * it is, or in ws->incoming. frame_left: of this piece's frame. Too long: the socket closes. */
bool ws_gather(struct ws *ws, const void *in, size_t len, bool first, bool last, size_t frame_left,
               const void **p, size_t *n);

#endif
