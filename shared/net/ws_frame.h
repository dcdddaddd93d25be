/* Frames of WebSockets, RFC 6455 5: made, masked, and read as they come. Pure but for the mask's
 * random key. */
#ifndef NET_WS_FRAME_H
#define NET_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_FRAME_HEADER_MAX 14
#define WS_CONTROL_MAX 125 /* bytes of a ping, pong or close */

enum ws_opcode {
    WS_CONTINUED = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10
};

/* Make a client's frame of the n bytes at payload, masked in place: its header is put before them,
 * where there must be WS_FRAME_HEADER_MAX bytes of room. Returns the header's length.
 * Source RFC 6455 5.2, 5.3. */
size_t ws_frame(unsigned char *payload, size_t n, bool binary);

/* The header of a server's frame, whole and without a mask, into out; returns its length. */
size_t ws_frame_header(unsigned char out[WS_FRAME_HEADER_MAX], enum ws_opcode op, size_t n);

/* The payload of a close frame: the code and as much of the reason as fits, cut at a whole
 * character. Returns its length. */
size_t ws_frame_close(unsigned char out[WS_CONTROL_MAX], int code, const char *reason);
/* May a peer say this code? 1000 to 1003, 1007 to 1014, 3000 to 4999. */
bool ws_frame_code_valid(int code);

/* What a client sends, as it comes. Zero is the beginning of a connection. */
struct ws_reader {
    unsigned char header[WS_FRAME_HEADER_MAX];
    unsigned have, need;         /* bytes of the header; need 0: two */
    bool in_payload, in_message; /* what the next byte is of */
    bool fin;                    /* this frame is the last of its message */
    enum ws_opcode op;           /* of this frame */
    bool binary;                 /* of the message */
    uint64_t left;               /* bytes of this frame's payload */
    unsigned char key[4];        /* for the next byte */
    /* a ping, pong or close: control[0 .. control_len) */
    unsigned char control[WS_CONTROL_MAX];
    unsigned control_len;
};

enum ws_got {
    WS_GOT_MORE,    /* all is taken, and more must come */
    WS_GOT_PIECE,   /* of a message: see struct ws_piece */
    WS_GOT_CONTROL, /* a whole ping, pong or close: piece->op, reader->control[0 .. control_len) */
    WS_GOT_BAD,     /* the peer broke RFC 6455: close with 1002 */
};

struct ws_piece {
    enum ws_opcode op;   /* of the frame */
    unsigned char *p;    /* unmasked, in the bytes given */
    size_t n;            /* bytes at p */
    uint64_t frame_left; /* bytes of this frame that are still to come */
    bool first, last;    /* piece of its message */
};

/* Go on at p[0 .. n), which is unmasked in place; *ret_used bytes were taken. Call again with the
 * rest until WS_GOT_MORE. */
enum ws_got ws_reader_next(struct ws_reader *r, unsigned char *p, size_t n, size_t *ret_used,
                           struct ws_piece *ret);

#endif
