/* A problem as RFC 9457 JSON, in the language of the reader. Pure: no request here. */
#include "api/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    int status;
    const char *zh, *en;
} titles[] = {
    {400, "请求无法读懂", "The request cannot be read"},
    {401, "请先登录", "Sign in first"},
    {403, "没有权限", "Not allowed"},
    {404, "没有找到", "Not found"},
    {405, "不支持这种方法", "Method not allowed"},
    {408, "请求超时", "The request took too long"},
    {409, "与当前状态冲突", "Conflict with the current state"},
    {410, "已经失效", "Gone"},
    {412, "内容已被他人更改", "Changed in the meantime"},
    {413, "内容过大", "Too large"},
    {415, "不支持的内容类型", "Unsupported kind of content"},
    {416, "请求的范围无效", "Range not satisfiable"},
    {417, "不支持的要求", "Expectation failed"},
    {422, "内容有误", "Something is not right"},
    {423, "正在处理", "Locked"},
    {426, "须升级协议", "Upgrade required"},
    {428, "缺少条件", "A condition is required"},
    {429, "尝试次数过多", "Too many tries"},
    {431, "请求头过大", "Headers too large"},
    {460, "校验和不符", "Checksum mismatch"},
    {500, "程序出错", "Internal error"},
    {501, "不支持", "Not implemented"},
    {503, "暂时无法服务", "Unavailable for now"},
    {505, "不支持的版本", "Version not supported"},
    {507, "磁盘已满", "The disk is full"},
};

static const char *title_of(int status, bool english)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return english ? titles[i].en : titles[i].zh;
    return english ? "Refused" : "未能办理";
}

/* The weight of the best range that begins with ${tag}; -1: not named. */
static double weight_of(const char *list, const char *tag)
{
    double best = -1;
    size_t n = strlen(tag);
    for (const char *p = list; *p;) {
        p += strspn(p, " \t,");
        size_t len = strcspn(p, ",");
        if (len >= n && !strncasecmp(p, tag, n) && (len == n || strchr("-; ,", p[n]))) {
            double q = 1;
            const char *semi = memchr(p, ';', len);
            const char *at = semi ? strstr(semi, "q=") : NULL;
            if (at && at < p + len)
                q = strtod(at + 2, NULL);
            if (q > best)
                best = q;
        }
        p += len;
    }
    return best;
}

bool reply_english(const char *accept_language)
{
    if (!accept_language)
        return false;
    double en = weight_of(accept_language, "en");
    return en > 0 && en > weight_of(accept_language, "zh");
}

static void set_some(struct json *o, const char *key, const char *text)
{
    if (text[0])
        json_set_text(o, key, text);
}

struct json *reply_problem_json(const struct problem *p, bool english)
{
    struct json *o = json_object();
    char type[80] = "urn:doorstep:problem:";
    strncat(type, p->code[0] ? p->code : "refused", sizeof type - strlen(type) - 1);
    json_set_text(o, "type", type);
    set_some(o, "code", p->code);
    json_set_text(o, "title", title_of(p->status, english));
    json_set_int(o, "status", p->status);
    const char *detail = english ? (p->en[0] ? p->en : p->zh) : (p->zh[0] ? p->zh : p->en);
    json_set_text(o, "detail", detail[0] ? detail : title_of(p->status, english));
    set_some(o, "field", p->field);
    set_some(o, "expected", p->expected);
    set_some(o, "found", p->found);
    if (p->allowed_count || p->status == 409) {
        struct json *allowed = json_array();
        for (int i = 0; i < p->allowed_count; i++)
            json_push_text(allowed, p->allowed[i]);
        json_set(o, "allowed", allowed);
    }
    return o;
}
