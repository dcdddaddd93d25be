/* Pages. Packed ones are kept as gzip and brotli only: every browser takes one of them. */
#include "api/static.h"

#include "api/reply.h"
#include "base/deflate.h"
#include "net/http.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAIN_BYTES_MAX (64 << 20)

const struct web_file *static_find(const struct web_file *file, size_t count, const char *path)
{
    if (!strcmp(path, "/"))
        path = "/index.html";
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(path, file[mid].path);
        if (!order)
            return &file[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool static_accepts(const char *list, const char *coding)
{
    size_t n = strlen(coding);
    for (const char *p = list; p && *p;) {
        p += strspn(p, " \t,");
        size_t len = strcspn(p, ",");
        if (len >= n && !strncasecmp(p, coding, n) && (len == n || p[n] == ';' || p[n] == ' ')) {
            const char *q = memchr(p, '=', len);
            return !q || strtod(q + 1, NULL) > 0;
        }
        p += len;
    }
    return false;
}

bool static_path_safe(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *p = path; *p; p++)
        if ((*p == '/' && (p[1] == '.' || p[1] == '/')) || *p == '\\' || (unsigned char)*p < 0x20)
            return false;
    return true;
}

const char *static_type(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".wasm", "application/wasm"},
        {".txt", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(dot, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

bool static_wants_page(struct request *req)
{
    const char *accept = request_header(req, "accept");
    return accept && strstr(accept, "text/html");
}

void static_reply_missing(struct request *req)
{
    static const char page[] =
        "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>%s</title><main><h1>%s</h1><p>%s</p>"
        "<p><a href=\"/\">%s</a></p></main></html>\n";
    bool english = reply_english(request_header(req, "accept-language"));
    const char *pair[][2] = {{"Content-Language", english ? "en" : "zh-CN"},
                             {"Vary", "Accept-Language"}};
    struct buf text = {0};
    if (english)
        buf_printf(&text, page, "en", "Not found", "There is no such page",
                   "The address may be mistyped, or the page has moved.", "Go to the first page");
    else
        buf_printf(&text, page, "zh-CN", "没有找到", "没有这个页面",
                   "网址可能输错了，或者页面已经移走。", "回到首页");
    reply_send(req, 404, (const char *const(*)[2])pair, 2, "text/html; charset=utf-8", text.data,
               text.len);
    buf_free(&text);
}

static bool reply_folder(const char *dir, struct request *req, const char *path)
{
    char full[4096];
    struct stat s;
    if (!static_path_safe(path))
        return false;
    snprintf(full, sizeof full, "%s%s", dir, strcmp(path, "/") ? path : "/index.html");
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    if (fstat(fd, &s) || !S_ISREG(s.st_mode)) {
        close(fd);
        return false;
    }
    static const char *const pair[][2] = {{"Cache-Control", "no-cache"}};
    reply_file(req, pair, 1, static_type(full), fd, s.st_size);
    return true;
}

/* For whoever takes no coding: packed files are kept as gzip only. */
static void reply_plain(struct request *req, const struct web_file *f,
                        const char *const (*pairs)[2], int count)
{
    struct buf plain = {0};
    bool whole = gzip_unpack(f->gz, f->gz_len, &plain, PLAIN_BYTES_MAX);
    assert(whole); /* it was made by our own build */
    reply_send(req, 200, pairs, count, f->type, plain.data, plain.len);
    buf_free(&plain);
}

static void reply_packed(struct request *req, const struct web_file *f)
{
    const char *accepts = request_header(req, "accept-encoding");
    bool br = f->br_len && static_accepts(accepts, "br"), gz = static_accepts(accepts, "gzip");
    const char *none = request_header(req, "if-none-match");
    char tag[40];
    snprintf(tag, sizeof tag, "\"%s%s\"", f->etag, br ? "-br" : gz ? "-gz" : "");
    const char *pair[4][2] = {
        {"ETag", tag},
        {"Vary", "Accept-Encoding"},
        {"Cache-Control", f->forever ? "public, max-age=31536000, immutable" : "no-cache"},
        {"Content-Encoding", br ? "br" : "gzip"},
    };
    const char *const(*pairs)[2] = (const char *const(*)[2])pair;
    if (none && strstr(none, tag))
        reply_send(req, 304, pairs, 3, NULL, NULL, 0);
    else if (br)
        reply_send(req, 200, pairs, 4, f->type, f->br, f->br_len);
    else if (gz)
        reply_send(req, 200, pairs, 4, f->type, f->gz, f->gz_len);
    else
        reply_plain(req, f, pairs, 3);
}

bool static_reply(const struct static_pages *pages, struct request *req)
{
    const char *path = request_path(req);
    if (pages->dir)
        return reply_folder(pages->dir, req, path);
    const struct web_file *f = static_find(pages->file, pages->count, path);
    if (!f)
        return false;
    reply_packed(req, f);
    return true;
}
