/*
 *   open --close asked--> what is queued, close frame --the client's close, or patience--> closed
 *     \--close frame of the client--> ours --> closed
 */
#include "net/ws_serve.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/door.h"
#include "net/head.h"
#include "net/request.h"
#include "net/ws_frame.h"
#include "net/ws_inside.h"

#include <stdio.h>
#include <string.h>

#define CLOSE_PATIENCE_S 5
#define CLOSE_PROTOCOL 1002

struct served {
    struct ws *ws;
    struct guest *guest;
    const struct ws_endpoint *endpoint;
    struct ws_reader reader;
    bool pinged;
};

/* ---- the line ---------------------------------------------------------------------------------*/

static struct conn *conn_of(struct ws *ws)
{
    return guest_conn(((struct served *)ws->carrier)->guest);
}

static bool line_write(struct ws *ws, unsigned char *p, size_t n, bool binary)
{
    unsigned char header[WS_FRAME_HEADER_MAX];
    size_t len = ws_frame_header(header, binary ? WS_BINARY : WS_TEXT, n);

    memcpy(p - len, header, len);
    return conn_write(conn_of(ws), p - len, len + n);
}

static bool line_is_full(struct ws *ws)
{
    return conn_is_full(conn_of(ws));
}

static void line_want_write(struct ws *ws)
{
    conn_want_write(conn_of(ws));
}

static void line_closing(struct ws *ws)
{
    struct served *s = ws->carrier;

    guest_patience(s->guest, CLOSE_PATIENCE_S);
    conn_want_write(guest_conn(s->guest));
}

static void line_fingerprint(struct ws *ws, char out[65])
{
    conn_peer_fingerprint(conn_of(ws), out);
}

static const struct ws_line line = {line_write, line_is_full, line_want_write, line_closing,
                                    line_fingerprint};

/* ---- frames -----------------------------------------------------------------------------------*/

static void send_control(struct served *s, enum ws_opcode op, const unsigned char *p, size_t n)
{
    unsigned char frame[WS_FRAME_HEADER_MAX + WS_CONTROL_MAX];
    size_t len = ws_frame_header(frame, op, n);

    memcpy(frame + len, p, n);
    (void)conn_write(guest_conn(s->guest), frame, len + n); /* broken: on_close comes */
}

static void send_close(struct served *s, int code, const char *reason)
{
    unsigned char payload[WS_CONTROL_MAX];

    if (s->ws->said_close)
        return;
    s->ws->said_close = true;
    size_t n = ws_frame_close(payload, code, reason);
    send_control(s, WS_CLOSE, payload, n);
}

/* The client ends it, or answers our end. */
static void on_close_frame(struct served *s)
{
    const struct ws_reader *r = &s->reader;
    int code = r->control_len >= 2 ? r->control[0] << 8 | r->control[1] : 1000;
    bool wrong = r->control_len == 1 || !ws_frame_code_valid(code);

    if (!s->ws->close_code)
        s->ws->close_code = 1000;                /* nothing more is told to the user but the end */
    if (!r->control_len && !s->ws->said_close) { /* without a code: answered likewise */
        s->ws->said_close = true;
        send_control(s, WS_CLOSE, r->control, 0);
    }
    send_close(s, wrong ? CLOSE_PROTOCOL : code, "");
    conn_close(guest_conn(s->guest));
}

static void on_control(struct served *s, enum ws_opcode op)
{
    if (op == WS_CLOSE)
        on_close_frame(s);
    else if (op == WS_PING && !s->ws->said_close && !conn_is_full(guest_conn(s->guest)))
        send_control(s, WS_PONG, s->reader.control, s->reader.control_len);
}

static void on_piece(struct served *s, const struct ws_piece *x)
{
    const void *whole;
    size_t n, left = x->frame_left > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)x->frame_left;

    if (!ws_gather(s->ws, x->p, x->n, x->first, x->last, left, &whole, &n))
        return;
    s->endpoint->on_message(s->ws, whole, n, s->reader.binary, s->endpoint->arg);
    buf_free(&s->ws->incoming);
}

static void on_data(struct guest *g, unsigned char *p, size_t n)
{
    struct served *s = guest_user(g);
    struct conn *c = guest_conn(g);
    struct ws_piece piece;
    enum ws_got got;
    size_t used;

    s->pinged = false;
    do {
        got = ws_reader_next(&s->reader, p, n, &used, &piece);
        p += used;
        n -= used;
        if (got == WS_GOT_PIECE)
            on_piece(s, &piece);
        else if (got == WS_GOT_CONTROL)
            on_control(s, piece.op);
    } while (got != WS_GOT_MORE && got != WS_GOT_BAD && n && !conn_is_closing(c));
    if (got == WS_GOT_BAD && !conn_is_closing(c)) {
        send_close(s, CLOSE_PROTOCOL, "this is no frame of RFC 6455");
        s->ws->close_code = CLOSE_PROTOCOL;
        conn_close(c);
    }
    if (!s->ws->close_code && s->endpoint->ping_seconds)
        guest_patience(g, s->endpoint->ping_seconds);
}

static void on_writable(struct guest *g)
{
    struct served *s = guest_user(g);
    struct conn *c = guest_conn(g);

    while (s->ws->first && !conn_is_full(c) && !conn_is_closing(c))
        if (!ws_write_one(s->ws))
            return;
    if (s->ws->first || conn_is_full(c))
        conn_want_write(c);
    else if (s->ws->close_code)
        send_close(s, s->ws->close_code, s->ws->close_reason);
}

static void on_late(struct guest *g)
{
    struct served *s = guest_user(g);

    if (s->ws->close_code || s->pinged) { /* it was asked, and says nothing */
        send_close(s, s->ws->close_code ? s->ws->close_code : 1001,
                   s->ws->close_code ? s->ws->close_reason : "no answer to a ping");
        conn_close(guest_conn(g));
        return;
    }
    s->pinged = true;
    send_control(s, WS_PING, (const unsigned char *)"", 0);
    guest_patience(g, s->endpoint->ping_seconds);
}

static void on_close(struct guest *g)
{
    struct served *s = guest_user(g);

    if (!s->ws->close_code)
        s->ws->close_code = 1000;
    s->endpoint->on_close(s->ws, s->endpoint->arg);
    ws_free(s->ws);
    mem_free(s);
}

static const struct guest_calls calls = {on_data, on_writable, on_late, on_close};

/* ---- the handshake ----------------------------------------------------------------------------*/

static const struct refusal wants_upgrade = {426,
                                             "upgrade-required",
                                             "Upgrade",
                                             "websocket, version 13",
                                             "这个地址只供 WebSocket 连接。",
                                             "This address takes WebSocket connections only.",
                                             "Sec-WebSocket-Version",
                                             "13"};
static const struct refusal wrong_handshake = {
    400,
    "websocket-handshake",
    "Sec-WebSocket-Protocol",
    "GET with Sec-WebSocket-Key and the subprotocol of openapi.yaml",
    "WebSocket 握手有误。",
    "The WebSocket handshake is not right.",
    NULL,
    NULL};

const struct refusal *ws_serve_check(struct request *r, const struct ws_endpoint *ep)
{
    const char *version = head_header(&r->head, "sec-websocket-version");
    const char *key = head_header(&r->head, "sec-websocket-key");
    struct buf raw = {0};

    if (!r->head.upgrades || !version || strcmp(version, "13"))
        return &wants_upgrade;
    bool good = key && base64_decode(key, strlen(key), &raw) && raw.len == 16 &&
                !strcmp(r->head.method, "GET") && !r->head.length &&
                head_has_token(head_header(&r->head, "sec-websocket-protocol"), ep->subprotocol);
    buf_free(&raw);
    return good ? NULL : &wrong_handshake;
}

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key, RFC 6455 4.2.2. */
static void accept_key(const char *key, struct buf *out)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct sha1 *h = sha1_create();
    unsigned char sum[20];

    sha1_update(h, key, strlen(key));
    sha1_update(h, guid, sizeof guid - 1);
    sha1_final(h, sum);
    sha1_destroy(h);
    base64url_encode(sum, sizeof sum, out);
    for (size_t i = 0; i < out->len; i++) /* the ordinary alphabet, and its padding */
        out->data[i] = out->data[i] == '-' ? '+' : out->data[i] == '_' ? '/' : out->data[i];
    buf_putc(out, '=');
}

static char *copy(const char *s)
{
    return s ? mem_strdup(s) : NULL;
}

void ws_serve(struct request *r, const struct ws_endpoint *ep, unsigned char *early, size_t n)
{
    struct served *s = mem_alloc(sizeof *s);
    struct ws *ws = ws_create(&line, s, ep->message_max);
    struct guest *g = r->guest;
    struct buf accept = {0};
    char text[400];

    s->ws = ws;
    s->guest = g;
    s->endpoint = ep;
    ws->origin = copy(head_header(&r->head, "origin"));
    ws->host = copy(head_header(&r->head, "host"));
    ws->cookie = copy(head_header(&r->head, "cookie"));
    memcpy(ws->ip, r->ip, sizeof ws->ip);
    memcpy(ws->network, r->network, sizeof ws->network);
    conn_peer_name(guest_conn(g), ws->cn);
    guest_hand_over(g, &calls, s);
    guest_waits(g, false);
    guest_patience(g, ep->ping_seconds);
    if (ws->cn[0])
        guest_is_known(g);
    accept_key(head_header(&r->head, "sec-websocket-key"), &accept);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                       "Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                       buf_text(&accept), ep->subprotocol);
    buf_free(&accept);
    (void)conn_write(guest_conn(g), text, (size_t)len); /* broken: on_close comes */
    ws->open = true;
    ep->on_open(ws, ep->arg);
    if (n && !conn_is_closing(guest_conn(g)))
        on_data(g, early, n);
}
