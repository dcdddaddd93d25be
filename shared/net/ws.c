/* A short message is written at once; another waits in a list until the line takes it. */
#include "net/ws_inside.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define WRITE_NOW_MAX 512
#define CLOSE_TOO_LARGE 1009
#define CLOSE_BROKEN 1011

struct ws *ws_create(const struct ws_line *line, void *carrier, size_t message_max)
{
    struct ws *ws = mem_alloc(sizeof *ws);

    ws->line = line;
    ws->carrier = carrier;
    ws->last = &ws->first;
    ws->message_max = message_max ? message_max : 64 * 1024;
    return ws;
}

void ws_free(struct ws *ws)
{
    if (!ws)
        return;
    while (ws->first) {
        struct ws_message *m = ws->first;
        ws->first = m->next;
        mem_free(m);
    }
    buf_free(&ws->incoming);
    mem_free(ws->origin);
    mem_free(ws->host);
    mem_free(ws->cookie);
    mem_free(ws);
}

/* A short message goes out at once when nothing is before it: two turns of the loop, with the
 * socket's interest in writing switched on and off, cost more than the message. */
static bool write_now(struct ws *ws, const void *p, size_t n, bool binary)
{
    unsigned char bytes[WS_ROOM + WRITE_NOW_MAX];

    if (n > WRITE_NOW_MAX || ws->first || !ws->open || ws->line->is_full(ws))
        return false;
    memcpy(bytes + WS_ROOM, p, n);
    if (!ws->line->write(ws, bytes + WS_ROOM, n, binary))
        ws_close(ws, CLOSE_BROKEN, "the connection cannot be written to");
    return true;
}

void ws_send(struct ws *ws, const void *p, size_t n, bool binary)
{
    if (ws->close_code || write_now(ws, p, n, binary))
        return;
    /* not zeroed: it may be large */
    struct ws_message *m = mem_realloc(NULL, sizeof *m + WS_ROOM + n);
    *m = (struct ws_message){.len = n, .binary = binary};
    memcpy(m->bytes + WS_ROOM, p, n);
    *ws->last = m;
    ws->last = &m->next;
    ws->queued_bytes += n;
    ws->line->want_write(ws);
}

bool ws_write_one(struct ws *ws)
{
    struct ws_message *m = ws->first;

    assert(m && ws->queued_bytes >= m->len);
    bool written = ws->line->write(ws, m->bytes + WS_ROOM, m->len, m->binary);
    ws->first = m->next;
    if (!ws->first)
        ws->last = &ws->first;
    ws->queued_bytes -= m->len;
    mem_free(m);
    return written;
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
    assert(code >= 1000);
    if (ws->close_code)
        return;
    ws->close_code = code;
    if ((size_t)snprintf(ws->close_reason, sizeof ws->close_reason, "%s", reason) >=
        sizeof ws->close_reason)
        cut_character(ws->close_reason);
    ws->line->closing(ws);
}

bool ws_gather(struct ws *ws, const void *in, size_t len, bool first, bool last, size_t frame_left,
               const void **p, size_t *n)
{
    if (ws->close_code)
        return false;
    if (first)
        buf_reset(&ws->incoming);
    if (first && last && len <= ws->message_max) {
        *p = in;
        *n = len;
        return true;
    }
    if (len > ws->message_max || ws->incoming.len > ws->message_max - len ||
        frame_left > ws->message_max - len - ws->incoming.len) {
        ws_close(ws, CLOSE_TOO_LARGE, "the message is too large");
        return false;
    }
    if (first)
        buf_reserve(&ws->incoming, len + frame_left); /* once, not by doubling */
    buf_append(&ws->incoming, in, len);
    *p = ws->incoming.data;
    *n = ws->incoming.len;
    return last;
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

const char *ws_peer_ip(struct ws *ws)
{
    return ws->ip;
}

const char *ws_network(struct ws *ws)
{
    return ws->network;
}

const char *ws_peer_cn(struct ws *ws)
{
    return ws->cn;
}

void ws_peer_fingerprint(struct ws *ws, char out[65])
{
    ws->line->fingerprint(ws, out);
}
