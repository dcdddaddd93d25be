#include "net/answer.h"

#include "net/conn.h"
#include "net/door.h"
#include "net/request.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES (64 * 1024)

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {206, "Partial Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {460, "Checksum Mismatch"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Answer";
}

/* RFC 9110 6.6.1. */
static void put_date(struct buf *out)
{
    char text[64];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    buf_printf(out, "Date: %s\r\n", text);
}

/* A line break in a value would begin another header. */
static void put(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    for (const char *p = value; *p; p++)
        buf_putc(out, (unsigned char)*p < 0x20 && *p != '\t' ? ' ' : *p);
    buf_puts(out, "\r\n");
}

static void put_head(struct request *r, struct buf *out)
{
    bool keep = r->head.keep && !r->close_after;

    buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, reason_of(r->status));
    put_date(out);
    if (r->type)
        put(out, "Content-Type", r->type);
    if (r->status != 204 && r->status != 304)
        buf_printf(out, "Content-Length: %lld\r\n", (long long)r->length);
    if (r->content_range[0])
        put(out, "Content-Range", r->content_range);
    for (int i = 0; i < r->out_count; i++)
        put(out, r->out_headers[i].name, r->out_headers[i].value);
    if (!keep)
        put(out, "Connection", "close");
    else if (!r->head.minor)
        put(out, "Connection", "keep-alive");
    buf_puts(out, "\r\n");
}

static int write_piece(struct request *r, struct conn *c)
{
    static char piece[PIECE_BYTES]; /* loop thread */
    size_t n;

    if (r->fd >= 0) {
        ssize_t got =
            pread(r->fd, piece, r->file_left < PIECE_BYTES ? (size_t)r->file_left : PIECE_BYTES,
                  r->file_at);
        if (got <= 0)
            return -1; /* fewer bytes than were announced: only the end of the connection says so */
        r->file_at += got;
        r->file_left -= got;
        return !conn_write(c, piece, (size_t)got) ? -1 : !r->file_left;
    }
    n = r->out.len - r->out_at < PIECE_BYTES ? r->out.len - r->out_at : PIECE_BYTES;
    bool good = conn_write(c, r->out.data + r->out_at, n);
    r->out_at += n;
    return !good ? -1 : r->out_at == r->out.len;
}

/* The head, with the body behind it where that is short: one packet. */
static int write_head(struct request *r, struct conn *c, bool no_body)
{
    struct buf out = {0};
    bool whole = no_body || (r->fd < 0 && r->out.len <= PIECE_BYTES / 4);

    put_head(r, &out);
    if (whole && !no_body)
        buf_append(&out, r->out.data, r->out.len);
    bool good = conn_write(c, out.data, out.len);
    buf_free(&out);
    r->headers_sent = true;
    return !good ? -1 : whole;
}

int answer_write(struct request *r)
{
    struct conn *c = guest_conn(r->guest);
    bool no_body =
        !r->length || !strcmp(r->head.method, "HEAD") || r->status == 204 || r->status == 304;
    int done = 0;

    if (!r->headers_sent)
        done = write_head(r, c, no_body);
    while (!done && !conn_is_full(c))
        done = write_piece(r, c);
    if (!done)
        conn_want_write(c);
    if (done < 0)
        conn_close(c);
    return done;
}
