#include "api/input.h"

#include "api/call.h"
#include "base/clean.h"
#include "net/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FIELD_MAX 128
#define DEPTH_MAX 64 /* json_parse() lets no more through */

/* What a member is by its name; all others are one line. */
static const struct {
    const char *name;
    bool ending; /* also the last words of one: "spouse_id_number" */
    bool kept;   /* as it came: what is secret is compared byte by byte */
    enum clean_kind kind;
} kinds[] = {
    {"password", true, true, CLEAN_LINE},   {"token", false, true, CLEAN_LINE},
    {"secret", false, true, CLEAN_LINE},    {"mobile", true, false, CLEAN_NUMBER},
    {"phone", true, false, CLEAN_NUMBER},   {"id_number", true, false, CLEAN_NUMBER},
    {"reason", false, false, CLEAN_LINES},  {"opinion", false, false, CLEAN_LINES},
    {"text", false, false, CLEAN_LINES},    {"note", false, false, CLEAN_LINES},
    {"comment", false, false, CLEAN_LINES},
};

static bool is_called(const char *name, const char *known, bool ending)
{
    size_t n = strlen(name), k = strlen(known);

    return !strcmp(name, known) ||
           (ending && n > k && name[n - k - 1] == '_' && !strcmp(name + n - k, known));
}

/* A whole document is imported: it may have lines anywhere. Values of a form: its item says which
 * of them are lines, and the catalogue looks (form.c). */
static bool lines_below(const struct work *w, const char *path)
{
    return w->call->flags & CALL_LARGE || !strncmp(path, "form.", 5);
}

static enum clean_kind kind_of(const struct work *w, const char *name, const char *path,
                               bool *ret_kept)
{
    *ret_kept = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (is_called(name, kinds[i].name, kinds[i].ending)) {
            *ret_kept = kinds[i].kept;
            return kinds[i].kind;
        }
    return lines_below(w, path) ? CLEAN_LINES : CLEAN_LINE;
}

static void refuse(struct work *w, enum clean_fault fault, const char *path)
{
    if (fault == CLEAN_TURNED)
        problem_set(&w->problem, 422, "text-turned", path,
                    "text without marks that turn its direction (U+202A to U+202E, U+2066 to "
                    "U+2069)",
                    NULL, "文字中含有改变显示方向的不可见字符，请重新输入。",
                    "The text has invisible characters that turn its direction. Type it again.");
    else
        problem_set(&w->problem, 422, "text-control", path,
                    "text without control characters and, here, on one line", NULL,
                    "文字中含有换行或控制字符，请重新输入。",
                    "The text has control characters or line breaks that cannot stand here.");
}

/* A text as it is stored; NULL: refused. */
static struct json *cleaned_text(struct work *w, const char *text, const char *name,
                                 const char *path)
{
    struct buf out = {0};
    struct json *ret = NULL;
    bool kept;
    enum clean_kind kind = kind_of(w, name, path, &kept);

    if (kept)
        return json_text(text);
    enum clean_fault fault = clean_text(kind, text, &out);
    if (fault == CLEAN_GOOD)
        ret = json_text(buf_text(&out));
    else
        refuse(w, fault, path);
    buf_free(&out);
    return ret;
}

/* A copy of j with clean texts. NULL: refused. name: of the member that j is, or is in. */
static struct json *clean(struct work *w, const struct json *j, const char *name, const char *path,
                          int depth)
{
    char at[FIELD_MAX];
    struct json *copy, *part;

    if (json_is_text(j))
        return cleaned_text(w, json_value_text(j), name, path);
    if (depth > DEPTH_MAX || (!json_is_object(j) && !json_is_array(j)))
        return json_ref(j);
    copy = json_is_object(j) ? json_object() : json_array();
    for (size_t i = 0; json_is_array(j) && i < json_count(j); i++) {
        snprintf(at, sizeof at, "%s[%zu]", path, i);
        if (!(part = clean(w, json_at(j, i), name, at, depth + 1)))
            goto refused;
        json_push(copy, part);
    }
    for (void *i = json_is_object(j) ? json_iter(j) : NULL; i; i = json_iter_next(j, i)) {
        const char *key = json_iter_key(i);
        snprintf(at, sizeof at, "%s%s%s", path, path[0] ? "." : "", key);
        if (!(part = clean(w, json_iter_value(i), key, at, depth + 1)))
            goto refused;
        json_set(copy, key, part);
    }
    return copy;
refused:
    json_free(copy);
    return NULL;
}

/* ---- the three places it comes from -----------------------------------------------------------*/

static bool read_body(struct work *w, struct json **ret)
{
    size_t n;
    const void *p = request_body(w->req, &n);
    const char *type = request_header(w->req, "content-type");
    struct errmsg msg = {{0}};

    if (!n || !strcmp(w->call->method, "GET")) {
        *ret = json_object();
        return true;
    }
    if (!type || strncasecmp(type, "application/json", 16)) {
        problem_set(&w->problem, 415, "content-type", "Content-Type", "application/json",
                    type ? type : "none", "请求内容须为 application/json。",
                    "The body must be application/json.");
        return false;
    }
    if (json_parse(p, n, ret, &msg) != OK) {
        problem_set(&w->problem, 400, "broken-json", "body", "one JSON object", msg.text,
                    "请求内容不是完整的 JSON，请检查后重发。",
                    "The body is not whole JSON. Check it and send it again.");
        return false;
    }
    if (json_is_object(*ret))
        return true;
    json_free(*ret);
    *ret = NULL;
    problem_set(&w->problem, 422, "not-an-object", "body", "one JSON object", "another value",
                "请求内容须为一个 JSON 对象。", "The body must be one JSON object.");
    return false;
}

static void lay_over(struct work *w, struct json *in)
{
    for (int i = 0; i < CALL_QUERY_MAX && w->call->query[i]; i++)
        json_set_text(in, w->call->query[i], request_query(w->req, w->call->query[i]));
    for (const char *at = strchr(w->call->path, '{'); at; at = strchr(at, '{')) {
        size_t len = strcspn(++at, "}");
        const char *name = arena_strndup(w->arena, at, len);
        json_set_text(in, name, request_param(w->req, name));
    }
}

bool input_read(struct work *w)
{
    struct json *in = NULL;

    if (!read_body(w, &in))
        return false;
    lay_over(w, in);
    w->in = clean(w, in, "", "", 0);
    json_free(in);
    return w->in;
}
