/* From a request to one store job and back. Not here: what a call means (office, dossiers), what it
 * is told (input.c), and the bytes of uploads, documents and pages, which are streamed by files of
 * their own. */
#include "api/call.h"

#include "api/explain.h"
#include "api/identity.h"
#include "api/input.h"
#include "api/inside.h"
#include "api/live.h"
#include "api/refusals.h"
#include "api/replay.h"
#include "api/reply.h"
#include "api/static.h"
#include "base/crypto.h"
#include "base/deflate.h"
#include "base/host.h"
#include "base/mem.h"
#include "net/http.h"
#include "site/site.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define GZIP_FROM_BYTES 1024 /* a shorter answer fits into a packet */

void call_header(struct work *w, const char *name, const char *value)
{
    assert(w->header_count < WORK_HEADERS_MAX);
    w->header[w->header_count][0] = name;
    w->header[w->header_count++][1] = value;
}

/* ---- on the store thread ----------------------------------------------------------------------*/

static void tag_of(const struct buf *body, char out[28])
{
    unsigned char hash[32];
    crypto_sha256(body->data, body->len, hash);
    out[0] = '"';
    hex_encode(hash, 8, out + 1);
    strcpy(out + 17, "\"");
}

/* If-Match: the case as this caller would see it now must carry the tag that the caller names. */
static enum err match(struct work *w, struct db *db)
{
    struct json *now = NULL;
    assert(w->call->show);
    enum err err = w->call->show(api_office(w->api), db, &w->caller, w->in, &now, &w->problem);
    if (err != OK)
        return err;
    struct buf text = {0};
    char tag[28];
    json_canonical(now, &text);
    tag_of(&text, tag);
    buf_free(&text);
    json_free(now);
    if (!strcmp(w->if_match, "*") || strstr(w->if_match, tag))
        return OK;
    problem_set(&w->problem, 412, "changed-meanwhile", "If-Match", tag, w->if_match,
                "这件事项刚刚有了变化，请重新打开后再办理。",
                "This case has changed since you opened it. Open it again, then act.");
    return ERR_CONFLICT;
}

static bool role_allowed(const char *roles, const char *role)
{
    size_t n = strlen(role);
    for (const char *p = roles; n && (p = strstr(p, role)); p += n)
        if (p > roles && p[-1] == ' ' && p[n] == ' ')
            return true;
    return false;
}

static enum err admit(struct work *w, struct db *db, struct errmsg *e)
{
    enum err err = identity_caller(api_office(w->api), db, w->token, w->arena, &w->caller, e);
    if (err != OK)
        return err;
    if (!w->caller.user[0]) {
        const char *code = json_get_text(w->in, "code");
        w->caller.query_code = code ? code : "";
        if (w->call->flags & CALL_PUBLIC)
            return OK;
        problem_set(&w->problem, 401, "sign-in-needed", NULL, "a session",
                    w->token[0] ? "a session that has ended" : "no session",
                    w->token[0] ? "登录已失效，请重新登录。" : "请先登录。",
                    w->token[0] ? "Your session has ended. Sign in again." : "Sign in first.");
        return ERR_DENIED;
    }
    if (w->call->roles && !role_allowed(w->call->roles, w->caller.role)) {
        problem_set(&w->problem, 403, "role-not-allowed", NULL, w->call->roles + 1, w->caller.role,
                    "您的岗位没有这项权限。", "Your role may not do this.");
        return ERR_DENIED;
    }
    return OK;
}

/* One drawing at a time: the libraries behind it are many and large. */
static enum err draw(struct work *w, struct errmsg *e)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one);
    enum err err = w->print(w->out, &w->body, e);
    pthread_mutex_unlock(&one);
    return err;
}

static enum err work_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct work *w = (struct work *)job;
    enum err err = admit(w, db, e);
    if (err == OK && w->key[0])
        err = replay_find(w, db, e);
    if (err != OK || w->replayed)
        return err;
    if (w->if_match)
        err = match(w, db);
    if (err == OK && w->call->admit && !w->call->admit(w))
        err = ERR_DENIED;
    if (err == OK)
        err = w->call->fn(api_office(w->api), db, &w->caller, w->in, &w->out, &w->problem);
    if (err != OK)
        return err;
    w->status = w->call->flags & CALL_CREATES ? 201 : 200;
    if (w->print)
        return draw(w, e);
    if (w->out)
        json_canonical(w->out, &w->body);
    if (w->call->flags & CALL_TAGGED)
        tag_of(&w->body, w->etag);
    if (w->key[0])
        err = replay_keep(w, db, e);
    if (err == OK && w->call->settle)
        w->call->settle(w);
    if (err == OK && w->gzip && w->body.len >= GZIP_FROM_BYTES)
        gzip_pack(w->body.data, w->body.len, &w->packed);
    return err;
}

/* ---- back on the loop -------------------------------------------------------------------------*/

static void link_next(struct work *w)
{
    const char *next = json_get_text(w->out, "next");
    if (!next)
        return;
    struct buf link = {0};
    buf_printf(&link, "<%s?", request_path(w->req));
    for (int i = 0; i < CALL_QUERY_MAX && w->call->query[i]; i++) {
        const char *name = w->call->query[i];
        const char *value = strcmp(name, "cursor") ? json_get_text(w->in, name) : next;
        if (!value)
            continue;
        buf_printf(&link, "%s=", name);
        for (const unsigned char *p = (const unsigned char *)value; *p; p++)
            if (strchr("-._~", *p) || (*p >= '0' && *p <= '9') ||
                ((*p | 32) >= 'a' && (*p | 32) <= 'z'))
                buf_putc(&link, (char)*p);
            else
                buf_printf(&link, "%%%02X", *p);
        buf_putc(&link, '&');
    }
    link.len--;
    buf_puts(&link, ">; rel=\"next\"");
    call_header(w, "Link", arena_strdup(w->arena, buf_text(&link)));
    buf_free(&link);
}

/* "/api/v1/cases/{case_no}" with what the answer calls so. */
static void locate(struct work *w)
{
    struct buf path = {0};
    const char *at = w->call->location;
    const char *open = strchr(at, '{');
    if (open) {
        const char *name = arena_strndup(w->arena, open + 1, strcspn(open + 1, "}"));
        const char *value = json_get_text(w->out, name);
        if (!value)
            return;
        buf_append(&path, at, (size_t)(open - at));
        buf_puts(&path, value);
    } else {
        buf_puts(&path, at);
    }
    call_header(w, "Location", arena_strdup(w->arena, buf_text(&path)));
    buf_free(&path);
}

static void work_free(struct work *w)
{
    json_free(w->in);
    json_free(w->found);
    json_free(w->out);
    buf_free(&w->body);
    buf_free(&w->packed);
    arena_destroy(w->arena);
    mem_free(w);
}

static void reply_body(struct work *w)
{
    const struct buf *body = w->packed.len ? &w->packed : &w->body;
    if (!w->print && !strcmp(w->call->method, "GET")) {
        if (w->packed.len)
            call_header(w, "Content-Encoding", "gzip");
        call_header(w, "Vary", "Accept-Encoding");
    }
    reply_send(w->req, w->status, (const char *const(*)[2])w->header, w->header_count,
               w->print ? "application/pdf" : "application/json", body->data, body->len);
}

static void reply_to(struct work *w)
{
    const char *const(*headers)[2] = (const char *const(*)[2])w->header;
    if (w->problem.status) {
        if (w->problem.status == 401)
            call_header(w, "WWW-Authenticate", "Bearer realm=\"doorstep\"");
        reply_problem(w->req, &w->problem, headers, w->header_count);
        return;
    }
    if (w->replayed)
        call_header(w, "Idempotency-Replayed", "true");
    if (w->etag[0]) /* the same content in another coding is equal, not the same bytes */
        call_header(w, "ETag", w->packed.len ? arena_printf(w->arena, "W/%s", w->etag) : w->etag);
    if (w->call->flags & CALL_PAGED)
        link_next(w);
    if (w->call->location && w->status == 201 && w->out)
        locate(w);
    const char *none = request_header(w->req, "if-none-match");
    if (w->etag[0] && none && strstr(none, w->etag) && w->status == 200)
        reply_send(w->req, 304, headers, w->header_count, NULL, NULL, 0);
    else if (!w->body.len)
        reply_send(w->req, 204, headers, w->header_count, NULL, NULL, 0);
    else
        reply_body(w);
}

/* What a resident's code was worth. */
static void end_tries(struct work *w)
{
    int status = w->problem.status;
    if (w->call->flags & CALL_CODED)
        tries_end(w->api->tries, &w->tried,
                  !status                          ? TRIED_RIGHT
                  : status == 403 || status == 404 ? TRIED_WRONG
                                                   : TRIED_NOT);
}

static void finish(struct work *w)
{
    end_tries(w);
    if (w->call->after)
        w->call->after(w);
    reply_to(w);
    work_free(w);
}

static const char *subject_of(const struct work *w)
{
    return w->call->subject ? w->call->subject : "case_no";
}

static void work_done(struct job *job)
{
    struct work *w = (struct work *)job;
    if (job->err == OK)
        memset(&w->problem, 0, sizeof w->problem);
    else if (!w->problem.status)
        explain_err(job->err, &job->msg, &w->problem);
    if (job->err == OK && (w->call->flags & CALL_WRITE) && !w->replayed) {
        const char *id = json_get_text(w->out, subject_of(w));
        if (!id)
            id = json_get_text(w->in, subject_of(w));
        if (id)
            live_changed(w->api->live, id);
        site_changed(w->api->site);
    }
    finish(w);
}

static void run(struct work *w)
{
    w->job = (struct job){.run = work_run, .done = work_done};
    if (w->call->flags & CALL_WRITE)
        store_write(api_store(w->api), &w->job);
    else
        store_read(api_store(w->api), &w->job);
}

/* ---- look and toil ----------------------------------------------------------------------------*/

static struct work *work_of(struct worker_job *job)
{
    return (struct work *)((char *)job - offsetof(struct work, toil));
}

static void toil_run(struct worker_job *job)
{
    struct work *w = work_of(job);
    w->call->toil(w);
}

static void busy(struct work *w)
{
    limits_note_refusal(w->api->limits, LIMIT_SIGN_INS_WAITING);
    explain_err(ERR_BUSY, NULL, &w->problem);
    finish(w);
}

static void toil_done(struct worker_job *job)
{
    struct work *w = work_of(job);
    if (job->dropped)
        busy(w);
    else if (w->problem.status)
        finish(w);
    else
        run(w);
}

static void toil(struct work *w)
{
    w->toil = (struct worker_job){.run = toil_run, .done = toil_done};
    if (!w->api->workers || !workers_put(w->api->workers, &w->toil))
        busy(w);
}

static enum err look_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct work *w = (struct work *)job;
    (void)e;
    return w->call->look(api_office(w->api), db, &w->caller, w->in, &w->found, &w->problem);
}

static void look_done(struct job *job)
{
    struct work *w = (struct work *)job;
    if (job->err == OK) {
        toil(w);
        return;
    }
    if (!w->problem.status)
        explain_err(job->err, &job->msg, &w->problem);
    finish(w);
}

static void start(struct work *w)
{
    request_hold(w->req);
    if (w->call->look) {
        w->job = (struct job){.run = look_run, .done = look_done};
        store_read(api_store(w->api), &w->job);
    } else if (w->call->toil) {
        toil(w);
    } else {
        run(w);
    }
}

/* ---- a request comes --------------------------------------------------------------------------*/

static void hash_request(struct work *w)
{
    size_t n;
    const unsigned char *p = request_body(w->req, &n);
    struct sha256 *h = sha256_create();
    sha256_update(h, w->call->method, strlen(w->call->method) + 1);
    sha256_update(h, request_path(w->req), strlen(request_path(w->req)) + 1);
    sha256_update(h, p, n);
    sha256_final(h, w->request_hash);
    sha256_destroy(h);
}

static bool read_headers(struct work *w)
{
    unsigned flags = w->call->flags;
    const char *accepts = request_header(w->req, "accept-encoding");
    w->network = arena_strdup(w->arena, request_network(w->req));
    w->gzip = !strcmp(w->call->method, "GET") && static_accepts(accepts, "gzip");
    w->token = identity_token(w->req, w->arena, &w->by_cookie);
    if (strcmp(w->call->method, "GET") && identity_foreign(w->req, w->by_cookie, &w->problem)) {
        refusals_log(w->api->refusals, "call", w->problem.code, "", request_peer_ip(w->req));
        return false;
    }
    const char *key = request_header(w->req, "idempotency-key");
    w->key = "";
    if (key && key[0] && (flags & (CALL_CREATES | CALL_REPLAYS)) && !(flags & CALL_SECRET)) {
        if (strlen(key) > REPLAY_KEY_MAX) {
            problem_set(&w->problem, 422, "idempotency-key-long", "Idempotency-Key",
                        "at most 128 characters", NULL, "Idempotency-Key 过长。",
                        "The Idempotency-Key is too long.");
            return false;
        }
        w->key = arena_strdup(w->arena, key);
        hash_request(w);
    }
    const char *if_match = request_header(w->req, "if-match");
    if (if_match && (flags & CALL_MATCHES))
        w->if_match = arena_strdup(w->arena, if_match);
    return true;
}

/* A code that opens a case: may it be tried now? */
static bool code_may_be_tried(struct work *w)
{
    const char *code = json_get_text(w->in, "code"), *no = json_get_text(w->in, subject_of(w));
    int64_t seconds;
    if (!(w->call->flags & CALL_CODED) || !code || !code[0])
        return true;
    if (!no)
        no = json_get_text(w->in, "case");
    if (tries_code(w->api->tries, no ? no : "", w->network, host_mono_ms(w->api->office->host),
                   &w->tried, &w->problem, &seconds))
        return true;
    refusals_log(w->api->refusals, "code", w->problem.code, "", request_peer_ip(w->req));
    call_header(w, "Retry-After", arena_printf(w->arena, "%lld", (long long)seconds));
    return false;
}

void call_handle(struct request *req, void *arg)
{
    struct call_bound *bound = arg;
    struct work *w = mem_alloc(sizeof *w);
    w->api = bound->api;
    w->call = bound->call;
    w->req = req;
    w->arena = arena_create();
    w->started_ms = host_wall_ms(w->api->office->host);
    w->api->call_count++;
    if (read_headers(w) && input_read(w) && code_may_be_tried(w) &&
        (!w->call->before || w->call->before(w))) {
        start(w);
        return;
    }
    assert(w->problem.status);
    reply_to(w);
    work_free(w);
}
