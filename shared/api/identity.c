#include "api/identity.h"

#include "net/http.h"
#include "office/sessions.h"

#include <string.h>
#include <strings.h>

const char *identity_token(struct request *req, struct arena *a, bool *ret_by_cookie)
{
    *ret_by_cookie = false;
    const char *auth = request_header(req, "authorization");
    if (auth && !strncasecmp(auth, "Bearer ", 7) && strlen(auth + 7) <= IDENTITY_TOKEN_MAX)
        return arena_strdup(a, auth + 7);
    static const char name[] = "doorstep_session=";
    const char *p = request_header(req, "cookie");
    while (p && *p) {
        p += strspn(p, " ;");
        size_t n = strcspn(p, ";");
        if (n >= sizeof name - 1 && !strncmp(p, name, sizeof name - 1) && n <= IDENTITY_TOKEN_MAX) {
            *ret_by_cookie = true;
            return arena_strndup(a, p + sizeof name - 1, n - (sizeof name - 1));
        }
        p += n;
    }
    return "";
}

static bool origin_is_ours(struct request *req, const char *origin)
{
    const char *host = request_header(req, "host");
    const char *at = strstr(origin, "://");
    return host && at && !strcasecmp(at + 3, host);
}

bool identity_foreign(struct request *req, bool by_cookie, struct problem *p)
{
    const char *origin = request_header(req, "origin");
    const char *fetch = request_header(req, "sec-fetch-site");
    bool ours = (origin && origin_is_ours(req, origin)) || (fetch && !strcmp(fetch, "same-origin"));
    if (ours || (!by_cookie && !origin))
        return false;
    problem_set(p, 403, "foreign-origin", "Origin", "the address of this site",
                origin ? origin : "no Origin and no Sec-Fetch-Site",
                "请求不是从本站页面发出的，未予办理。请在本站页面上重试；程序请使用 Bearer 令牌。",
                "This request did not come from a page of this site. Try again on our page; "
                "programs use a bearer token.");
    return true;
}

enum err identity_caller(struct office *o, struct db *db, const char *token, struct arena *a,
                         struct caller *ret, struct errmsg *e)
{
    memset(ret, 0, sizeof *ret);
    ret->user = ret->name = ret->role = ret->query_code = "";
    ret->site = o->site;
    ret->channel = "online";
    if (!token[0])
        return OK;
    struct caller found = *ret;
    enum err err = session_find(o, db, token, &found, a);
    if (err == OK)
        *ret = found;
    else if (err != ERR_NOT_FOUND && err != ERR_DENIED && err != ERR_INVALID) {
        errmsg_set(e, "look up the session: %s", err_name(err));
        return err;
    }
    if (!ret->query_code)
        ret->query_code = "";
    return OK;
}
