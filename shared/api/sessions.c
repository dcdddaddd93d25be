/* Sign in, who am I, sign out. The token goes to programs in the body and to browsers in a cookie
 * that no script can read. */
#include "api/call.h"

#include "api/guard.h"
#include "api/inside.h"
#include "base/host.h"
#include "net/http.h"

#include <string.h>

#define COOKIE_SECONDS (12 * 3600)

static const char *username_of(const struct work *w)
{
    const char *name = json_get_text(w->in, "username");
    return name ? name : "";
}

static bool open_before(struct work *w)
{
    int64_t now = host_mono_ms(w->api->office->host);
    int64_t wait = guard_wait_ms(w->api->guard, username_of(w), request_peer_ip(w->req), now);
    if (!wait)
        return true;
    char *seconds = arena_printf(w->arena, "%lld", (long long)(wait + 999) / 1000);
    problem_set(&w->problem, 429, "too-many-tries", "username", "a pause before the next try", NULL,
                "密码输错次数过多，请稍后再试。忘记密码请联系管理员。",
                "Too many wrong passwords. Wait a little; ask the administrator for a new one.");
    call_header(w, "Retry-After", seconds);
    return false;
}

static void set_cookie(struct work *w, const char *token, int seconds)
{
    call_header(w, "Set-Cookie",
                arena_printf(w->arena,
                             "doorstep_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s",
                             token, seconds, request_is_https(w->req) ? "; Secure" : ""));
    call_header(w, "Cache-Control", "no-store");
}

static void open_after(struct work *w)
{
    const char *ip = request_peer_ip(w->req);
    const char *token = json_get_text(w->out, "token");
    if (!w->problem.status && token) {
        guard_passed(w->api->guard, username_of(w), ip);
        set_cookie(w, token, COOKIE_SECONDS);
    } else if (w->problem.status == 401 || w->problem.status == 403) {
        guard_failed(w->api->guard, username_of(w), ip, host_mono_ms(w->api->office->host));
    }
}

static enum err current(struct office *office, struct db *db, const struct caller *caller,
                        const struct json *in, struct json **out, struct problem *problem)
{
    (void)office;
    (void)db;
    (void)in;
    (void)problem;
    struct json *user = json_object();
    json_set_text(user, "username", caller->user);
    json_set_text(user, "name", caller->name);
    json_set_text(user, "role", caller->role);
    json_set_text(user, "site", caller->site);
    *out = json_object();
    json_set(*out, "user", user);
    return OK;
}

static bool close_before(struct work *w)
{
    json_set_text(w->in, "token", w->token);
    return true;
}

static void close_after(struct work *w)
{
    if (!w->problem.status)
        set_cookie(w, "", 0);
}

const struct call sessions_calls[] = {
    {.method = "POST",
     .path = "/api/v1/sessions",
     .fn = session_open,
     .flags = CALL_WRITE | CALL_PUBLIC | CALL_CREATES | CALL_SECRET,
     .before = open_before,
     .after = open_after},
    {.method = "GET", .path = "/api/v1/sessions/current", .fn = current},
    {.method = "DELETE",
     .path = "/api/v1/sessions/current",
     .fn = session_close,
     .flags = CALL_WRITE,
     .before = close_before,
     .after = close_after},
    {0},
};
