#include "net/head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t head_length(const char *p, size_t n)
{
    const char *end = n ? memmem(p, n, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - p) + 4 : 0;
}

/* tchar of RFC 9110 5.6.2. */
static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_span(const char *p, const char *end)
{
    const char *at = p;

    while (at < end && is_token_char((unsigned char)*at))
        at++;
    return (size_t)(at - p);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* Decode %HH of p[0 .. n); NULL: a broken one, or a control character comes out. */
static const char *decode(struct arena *a, const char *p, size_t n, bool plus_is_blank)
{
    char *out = arena_alloc(a, n + 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '%') {
            bool whole = n - i > 2;
            int high = whole ? hex_value(p[i + 1]) : -1, low = whole ? hex_value(p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (unsigned char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return NULL;
        out[len++] = (char)c;
    }
    out[len] = 0;
    return out;
}

/* ---- the first line ---------------------------------------------------------------------------*/

static bool read_query(struct arena *a, const char *p, size_t n, struct head *h)
{
    for (const char *end = p + n; p < end;) {
        const char *amp = memchr(p, '&', (size_t)(end - p)), *stop = amp ? amp : end;
        const char *eq = memchr(p, '=', (size_t)(stop - p));
        if (stop > p) {
            if (h->query_count == HEAD_QUERY_MAX)
                return false;
            struct head_pair *q = &h->query[h->query_count];
            q->name = decode(a, p, (size_t)((eq ? eq : stop) - p), true);
            q->value = eq ? decode(a, eq + 1, (size_t)(stop - eq - 1), true) : "";
            if (!q->name || !q->value)
                return false;
            h->query_count++;
        }
        p = amp ? amp + 1 : end;
    }
    return true;
}

/* origin-form, absolute-form, or "*" of OPTIONS. */
static enum head_fault read_target(struct arena *a, const char *p, size_t n, struct head *h)
{
    if (n == 1 && *p == '*' && !strcmp(h->method, "OPTIONS")) {
        h->path = "*";
        return FAULT_NONE;
    }
    if (n > 7 && !strncasecmp(p, "http://", 7)) {
        const char *slash = memchr(p + 7, '/', n - 7);
        if (!slash)
            return FAULT_TARGET;
        n -= (size_t)(slash - p);
        p = slash;
    }
    const char *mark = memchr(p, '?', n);
    size_t path = mark ? (size_t)(mark - p) : n;
    if (!n || *p != '/' || memchr(p, '#', n))
        return FAULT_TARGET;
    const char *decoded = decode(a, p, path, false);
    if (!decoded)
        return FAULT_TARGET;
    h->path = decoded;
    return !mark || read_query(a, mark + 1, n - path - 1, h) ? FAULT_NONE : FAULT_TARGET;
}

static enum head_fault read_line(struct arena *a, const char *p, size_t n, struct head *h)
{
    const char *end = p + n;
    size_t method = token_span(p, end);

    if (!method || method > HEAD_METHOD_MAX || p + method == end || p[method] != ' ')
        return FAULT_LINE;
    h->method = arena_strndup(a, p, method);
    const char *target = p + method + 1;
    const char *blank = memchr(target, ' ', (size_t)(end - target));
    if (!blank)
        return FAULT_LINE;
    for (const char *c = target; c < blank; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return FAULT_TARGET;
    const char *version = blank + 1;
    if (end - version != 8 || strncmp(version, "HTTP/", 5) || version[6] != '.')
        return FAULT_LINE;
    if (version[5] != '1' || (version[7] != '0' && version[7] != '1'))
        return FAULT_VERSION;
    h->minor = version[7] - '0';
    return read_target(a, target, (size_t)(blank - target), h);
}

/* ---- headers ----------------------------------------------------------------------------------*/

const char *head_header(const struct head *h, const char *name)
{
    for (int i = 0; i < h->header_count; i++)
        if (!strcmp(h->header[i].name, name))
            return h->header[i].value;
    return NULL;
}

const char *head_query(const struct head *h, const char *name)
{
    for (int i = 0; i < h->query_count; i++)
        if (!strcmp(h->query[i].name, name))
            return h->query[i].value;
    return NULL;
}

bool head_has_token(const char *list, const char *token)
{
    size_t n = strlen(token);

    for (const char *p = list; p && *p;) {
        p += strspn(p, " \t,");
        size_t len = strcspn(p, ","), bare = len;
        while (bare && (p[bare - 1] == ' ' || p[bare - 1] == '\t'))
            bare--;
        if (bare == n && !strncasecmp(p, token, n))
            return true;
        p += len;
    }
    return false;
}

/* Headers that say how the message is read: a second one is never joined to the first. */
static bool stands_once(const char *name)
{
    return !strcmp(name, "host") || !strcmp(name, "content-length") ||
           !strcmp(name, "transfer-encoding");
}

static enum head_fault fault_of_twice(const char *name)
{
    return !strcmp(name, "host") ? FAULT_HOST : FAULT_LENGTH;
}

static enum head_fault add_header(struct arena *a, const char *name, const char *value,
                                  struct head *h)
{
    for (int i = 0; i < h->header_count; i++) {
        struct head_pair *x = &h->header[i];
        if (strcmp(x->name, name))
            continue;
        if (!stands_once(name)) /* RFC 6265 5.4 joins cookies with ";", all others with "," */
            x->value =
                arena_printf(a, "%s%s%s", x->value, strcmp(name, "cookie") ? ", " : "; ", value);
        else if (strcmp(name, "content-length") || strcmp(x->value, value))
            return fault_of_twice(name);
        return FAULT_NONE;
    }
    if (h->header_count == HEAD_HEADERS_MAX)
        return FAULT_MANY;
    h->header[h->header_count++] = (struct head_pair){name, value};
    return FAULT_NONE;
}

static enum head_fault read_header(struct arena *a, const char *p, size_t n, struct head *h)
{
    const char *end = p + n;
    size_t name_len = token_span(p, end);

    if (!name_len || p + name_len == end || p[name_len] != ':')
        return FAULT_HEADER;
    char *name = arena_strndup(a, p, name_len);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c |= 32;
    p += name_len + 1;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *c = p; c < end; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return FAULT_HEADER;
    return add_header(a, name, arena_strndup(a, p, (size_t)(end - p)), h);
}

/* ---- what the headers mean for the message ----------------------------------------------------*/

static bool host_good(const char *host)
{
    return host[0] && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "-._~:[]%!$&'()*+,;=") == strlen(host);
}

static enum head_fault read_framing(struct head *h)
{
    const char *encoding = head_header(h, "transfer-encoding");
    const char *length = head_header(h, "content-length");

    if (encoding) {
        if (length || h->minor == 0)
            return FAULT_LENGTH;
        if (strcasecmp(encoding, "chunked"))
            return FAULT_ENCODING;
        h->length = -1;
    } else if (length) {
        if (!length[0] || strspn(length, "0123456789") != strlen(length) || strlen(length) > 17)
            return FAULT_LENGTH;
        h->length = strtoll(length, NULL, 10);
    }
    return FAULT_NONE;
}

static enum head_fault read_meaning(struct head *h)
{
    const char *host = head_header(h, "host"), *connection = head_header(h, "connection");
    const char *expect = head_header(h, "expect");
    enum head_fault fault;

    if (host ? !host_good(host) : h->minor > 0)
        return FAULT_HOST;
    if ((fault = read_framing(h)) != FAULT_NONE)
        return fault;
    if (expect && h->minor > 0) {
        if (strcasecmp(expect, "100-continue"))
            return FAULT_EXPECT;
        h->expects = h->length != 0;
    }
    h->keep = h->minor > 0 ? !head_has_token(connection, "close")
                           : head_has_token(connection, "keep-alive");
    h->upgrades = h->minor > 0 && head_has_token(connection, "upgrade") &&
                  head_has_token(head_header(h, "upgrade"), "websocket");
    return FAULT_NONE;
}

enum head_fault head_parse(struct arena *a, const char *p, size_t n, struct head *ret)
{
    const char *end = p + n;
    enum head_fault fault = FAULT_NONE;

    assert(n >= 4 && !memcmp(end - 4, "\r\n\r\n", 4));
    memset(ret, 0, sizeof *ret);
    ret->method = ret->path = "";
    ret->minor = 1;
    while (end - p > 4 && !memcmp(p, "\r\n", 2)) /* RFC 9112 2.2: empty lines before it */
        p += 2;
    for (bool first = true; memcmp(p, "\r\n", 2); first = false) {
        const char *stop = memmem(p, (size_t)(end - p), "\r\n", 2);
        enum head_fault found = first ? read_line(a, p, (size_t)(stop - p), ret)
                                      : read_header(a, p, (size_t)(stop - p), ret);
        if (fault == FAULT_NONE)
            fault = found; /* and the rest is read for the language of the answer */
        p = stop + 2;
    }
    if (fault != FAULT_NONE)
        return fault;
    return ret->path[0] ? read_meaning(ret) : FAULT_LINE;
}
