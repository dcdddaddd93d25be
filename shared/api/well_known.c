#include "api/well_known.h"

#include "api/inside.h"
#include "api/reply.h"
#include "base/host.h"
#include "base/time.h"
#include "site/site.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define YEAR_MS (365LL * 24 * 3600 * 1000)
#define TEXT_TYPE "text/plain; charset=utf-8"

static const char *const day[][2] = {{"Cache-Control", "public, max-age=86400"}};

void well_known_robots(struct request *req, void *arg)
{
    static const char text[] = "User-agent: *\nDisallow: /api/\nDisallow: /metrics\n";
    (void)arg;
    reply_send(req, 200, day, 1, TEXT_TYPE, text, sizeof text - 1);
}

/* The operator's own, from the data folder. */
static bool reply_own(struct api *api, struct request *req)
{
    char path[4200];
    struct stat s;
    snprintf(path, sizeof path, "%s/security.txt", site_dir(api->site));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    if (fstat(fd, &s) || !S_ISREG(s.st_mode)) {
        close(fd);
        return false;
    }
    reply_file(req, day, 1, TEXT_TYPE, fd, s.st_size);
    return true;
}

void well_known_security(struct request *req, void *arg)
{
    struct api *api = arg;
    const char *host = request_header(req, "host"), *scheme = request_is_https(req) ? "s" : "";
    struct buf text = {0};
    char until[32];
    if (reply_own(api, req))
        return;
    time_rfc3339(host_wall_ms(host_system()) + YEAR_MS, until);
    buf_printf(&text,
               "Contact: http%s://%s/\nExpires: %s\nPreferred-Languages: zh, en\n"
               "Canonical: http%s://%s/.well-known/security.txt\n",
               scheme, host ? host : "localhost", until, scheme, host ? host : "localhost");
    reply_send(req, 200, day, 1, TEXT_TYPE, text.data, text.len);
    buf_free(&text);
}

/* ---- the icon: a door, 16 by 16, as an ICO with one bitmap ------------------------------------*/

static const char *const door[16] = {
    "................", "...##########...", "...#++++++++#...", "...#++++++++#...",
    "...#++####++#...", "...#++#..#++#...", "...#++#..#++#...", "...#++####++#...",
    "...#++++++++#...", "...#+++++#++#...", "...#++++++++#...", "...#++++++++#...",
    "...#++++++++#...", "...##########...", ".##############.", "................",
};

static void put16(struct buf *out, unsigned v)
{
    buf_putc(out, (char)(v & 0xff));
    buf_putc(out, (char)(v >> 8 & 0xff));
}

static void put32(struct buf *out, unsigned v)
{
    put16(out, v & 0xffff);
    put16(out, v >> 16);
}

static void draw(struct buf *out)
{
    const unsigned pixels = 16 * 16 * 4, mask = 16 * 4, header = 40;
    put16(out, 0); /* ICONDIR: an icon, one picture */
    put16(out, 1);
    put16(out, 1);
    buf_append(out, "\x10\x10\0\0", 4);
    put16(out, 1);
    put16(out, 32);
    put32(out, header + pixels + mask);
    put32(out, 22);
    put32(out, header); /* BITMAPINFOHEADER; its height counts the mask too */
    put32(out, 16);
    put32(out, 32);
    put16(out, 1);
    put16(out, 32);
    for (int i = 0; i < 6; i++)
        put32(out, i == 1 ? pixels + mask : 0);
    for (int y = 15; y >= 0; y--) /* BGRA, the last row first */
        for (int x = 0; x < 16; x++)
            put32(out, door[y][x] == '#' ? 0xff1f4e79 : door[y][x] == '+' ? 0xffd9a441 : 0);
    for (unsigned i = 0; i < mask; i++)
        buf_putc(out, 0);
}

void well_known_icon(struct request *req, void *arg)
{
    struct buf icon = {0};
    (void)arg;
    draw(&icon);
    reply_send(req, 200, day, 1, "image/x-icon", icon.data, icon.len);
    buf_free(&icon);
}
