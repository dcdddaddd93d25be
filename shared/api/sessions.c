/* Sign in, who am I, sign out. The token goes to programs in the body and to browsers in a cookie
 * that no script can read. */
#include "api/call.h"

#include "api/inside.h"
#include "api/refusals.h"
#include "base/host.h"
#include "office/sessions.h"
#include "net/http.h"

#include <string.h>

#define COOKIE_SECONDS (12 * 3600)

static const char *username_of(const struct work *w)
{
    const char *name = json_get_text(w->in, "username");
    return name ? name : "";
}

/* Counted before anybody looks: those that run at once are all counted. */
static bool open_before(struct work *w)
{
    int64_t seconds;
    if (tries_sign_in(w->api->tries, username_of(w), w->network, host_mono_ms(w->api->office->host),
                      &w->tried, &w->problem, &seconds))
        return true;
    call_header(w, "Retry-After", arena_printf(w->arena, "%lld", (long long)seconds));
    refusals_log(w->api->refusals, "sign-in", w->problem.code, username_of(w),
                 request_peer_ip(w->req));
    return false;
}

static void open_toil(struct work *w)
{
    session_hash(w->in, w->found);
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
    const char *token = json_get_text(w->out, "token");
    int status = w->problem.status;
    tries_end(w->api->tries, &w->tried,
              !status                          ? TRIED_RIGHT
              : status == 401 || status == 403 ? TRIED_WRONG
                                               : TRIED_NOT);
    if (!status && token)
        set_cookie(w, token, COOKIE_SECONDS);
    else if (status == 401 || status == 403)
        refusals_log(w->api->refusals, "sign-in", w->problem.code, username_of(w),
                     request_peer_ip(w->req));
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
     .location = "/api/v1/sessions/current",
     .before = open_before,
     .look = session_look,
     .toil = open_toil,
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
