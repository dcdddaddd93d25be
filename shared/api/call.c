/* From a request to one store job and back. Not here: what a call means (casework), and the bytes
 * of uploads, documents and pages, which are streamed by files of their own. */
#include "api/call.h"

#include "api/inside.h"
#include "api/reply.h"
#include "base/crypto.h"
#include "office/sessions.h"
#include "base/host.h"
#include "base/mem.h"
#include "net/http.h"
#include "site/site.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IDEMPOTENCY_KEEP_MS (7LL * 24 * 3600 * 1000)
#define TOKEN_LEN_MAX 200
#define KEY_LEN_MAX 128

void call_header(struct work *w, const char *name, const char *value)
{
    assert(w->header_count < WORK_HEADERS_MAX);
    w->header[w->header_count][0] = name;
    w->header[w->header_count++][1] = value;
}

const char *call_token(struct request *req, struct arena *a, bool *ret_by_cookie)
{
    *ret_by_cookie = false;
    const char *auth = request_header(req, "authorization");
    if (auth && !strncasecmp(auth, "Bearer ", 7) && strlen(auth + 7) <= TOKEN_LEN_MAX)
        return arena_strdup(a, auth + 7);
    static const char name[] = "doorstep_session=";
    const char *p = request_header(req, "cookie");
    while (p && *p) {
        p += strspn(p, " ;");
        size_t n = strcspn(p, ";");
        if (n >= sizeof name - 1 && !strncmp(p, name, sizeof name - 1) && n <= TOKEN_LEN_MAX) {
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

bool call_foreign(struct request *req, bool by_cookie, struct problem *p)
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

enum err call_caller(struct api *api, struct db *db, const char *token, struct arena *a,
                     struct caller *ret, struct errmsg *e)
{
    memset(ret, 0, sizeof *ret);
    ret->user = ret->name = ret->role = ret->query_code = "";
    ret->site = api->office->site;
    ret->channel = "online";
    if (!token[0])
        return OK;
    struct caller found = *ret;
    enum err err = session_find(api->office, db, token, &found, a);
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

void call_explain(enum err err, const struct errmsg *e, struct problem *p)
{
    if (err == ERR_FULL)
        problem_set(p, 507, "disk-full", NULL, NULL, NULL,
                    "本站磁盘已满，未作任何更改。请联系管理员清理磁盘后重试。",
                    "The disk of this site is full; nothing was changed. Ask the administrator to "
                    "make room, then try again.");
    else if (err == ERR_BUSY || err == ERR_CLOSED)
        problem_set(p, 503, "busy", NULL, NULL, NULL, "本站正忙，请稍后重试。",
                    "This site is busy. Try again in a moment.");
    else if (err == ERR_IO || err == ERR_CORRUPT)
        problem_set(
            p, 503, "storage-failed", NULL, NULL, e->text,
            "本站存储出现故障，未作任何更改。请联系管理员。",
            "The storage of this site failed; nothing was changed. Call the administrator.");
    else if (err == ERR_NOT_FOUND)
        problem_set(p, 404, "not-found", NULL, NULL, NULL, "没有找到，请核对编号。",
                    "There is nothing of this number here. Please check it.");
    else if (err == ERR_DENIED)
        problem_set(p, 403, "not-allowed", NULL, NULL, NULL, "您的账号没有这项权限。",
                    "Your account may not do this.");
    else if (err == ERR_CONFLICT)
        problem_set(p, 409, "conflict", NULL, NULL, e->text, "与当前状态冲突，未作更改。",
                    "This conflicts with the current state; nothing was changed.");
    else if (err == ERR_INVALID)
        problem_set(p, 422, "invalid", NULL, NULL, e->text, "内容有误，请核对后重试。",
                    "Something in the request is not right. Please check it.");
    else
        problem_set(p, 500, "internal", NULL, NULL, e->text, "程序出错，未作任何更改。",
                    "The program failed; nothing was changed.");
}

/* ---- on the store thread ----------------------------------------------------------------------*/

/* Is there a kept answer? Sets w->replayed, or the problem when the key meant another request. */
static enum err replay(struct work *w, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT request_hash, status, body FROM idempotency "
                                  "WHERE caller = $caller AND key = $key");
    bind_text(st, "caller", w->caller.user);
    bind_text(st, "key", w->key);
    bool row;
    enum err err = db_step(st, &row, e);
    if (err != OK || !row)
        return err;
    size_t n;
    const void *hash = col_blob(st, 0, &n);
    if (n != 32 || memcmp(hash, w->request_hash, 32)) {
        problem_set(&w->problem, 422, "idempotency-key-reused", "Idempotency-Key",
                    "a new key for a new request", w->key,
                    "同一个 Idempotency-Key 已用于另一个请求。请换一个新的。",
                    "This Idempotency-Key was used for another request. Take a new one.");
        err = ERR_INVALID;
    } else {
        w->status = (int)col_int(st, 1);
        buf_puts(&w->body, col_text(st, 2));
        w->replayed = true;
    }
    db_reset(st);
    return err;
}

static enum err keep_answer(struct work *w, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "DELETE FROM idempotency WHERE created_ms < $1");
    bind_int(st, 1, w->started_ms - IDEMPOTENCY_KEEP_MS);
    enum err err = db_run(st, e);
    if (err != OK)
        return err;
    st =
        db_stmt(db, "INSERT INTO idempotency (caller, key, request_hash, status, body, created_ms) "
                    "VALUES ($caller, $key, $hash, $status, $body, $created)");
    bind_text(st, "caller", w->caller.user);
    bind_text(st, "key", w->key);
    bind_blob(st, "hash", w->request_hash, 32);
    bind_int(st, "status", w->status);
    bind_text(st, "body", buf_text(&w->body));
    bind_int(st, "created", w->started_ms);
    return db_run(st, e);
}

static void tag_of(const struct buf *body, char out[24])
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
    enum err err = w->call->show(api_office(w->api), db, &w->caller, w->in, &now, &w->problem);
    if (err != OK)
        return err;
    struct buf text = {0};
    char tag[24];
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
    enum err err = call_caller(w->api, db, w->token, w->arena, &w->caller, e);
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
        err = replay(w, db, e);
    if (err != OK || w->replayed)
        return err;
    if (w->if_match)
        err = match(w, db);
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
    return w->key[0] ? keep_answer(w, db, e) : OK;
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

static void work_free(struct work *w)
{
    json_free(w->in);
    json_free(w->out);
    buf_free(&w->body);
    arena_destroy(w->arena);
    mem_free(w);
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
    if (w->etag[0])
        call_header(w, "ETag", w->etag);
    if (w->call->flags & CALL_PAGED)
        link_next(w);
    const char *none = request_header(w->req, "if-none-match");
    if (w->etag[0] && none && strstr(none, w->etag) && w->status == 200)
        reply_send(w->req, 304, headers, w->header_count, NULL, NULL, 0);
    else if (!w->body.len)
        reply_send(w->req, 204, headers, w->header_count, NULL, NULL, 0);
    else
        reply_send(w->req, w->status, headers, w->header_count,
                   w->print ? "application/pdf" : "application/json", w->body.data, w->body.len);
}

static void work_done(struct job *job)
{
    struct work *w = (struct work *)job;
    if (job->err == OK)
        memset(&w->problem, 0, sizeof w->problem);
    else if (!w->problem.status)
        call_explain(job->err, &job->msg, &w->problem);
    if (job->err == OK && (w->call->flags & CALL_WRITE) && !w->replayed) {
        const char *tells = w->call->tells ? w->call->tells : "case_no";
        const char *id = json_get_text(w->out, tells);
        if (!id)
            id = json_get_text(w->in, tells);
        if (id)
            api_changed(w->api, id);
        site_changed(w->api->site);
    }
    if (w->call->after)
        w->call->after(w);
    if (w->req)
        reply_to(w);
    work_free(w);
}

/* The body as an object, with what the path and the query say laid over it. */
static bool read_input(struct work *w)
{
    size_t n;
    const unsigned char *p = request_body(w->req, &n);
    struct errmsg msg = {{0}};
    if (n && strcmp(w->call->method, "GET")) {
        const char *type = request_header(w->req, "content-type");
        if (!type || strncasecmp(type, "application/json", 16)) {
            problem_set(&w->problem, 415, "content-type", "Content-Type", "application/json",
                        type ? type : "none", "请求内容须为 application/json。",
                        "The body must be application/json.");
            return false;
        }
        if (json_parse((const char *)p, n, &w->in, &msg) != OK) {
            problem_set(&w->problem, 400, "broken-json", "body", "one JSON object", msg.text,
                        "请求内容不是完整的 JSON，请检查后重发。",
                        "The body is not whole JSON. Check it and send it again.");
            return false;
        }
        if (!json_is_object(w->in)) {
            problem_set(&w->problem, 422, "not-an-object", "body", "one JSON object",
                        "another value", "请求内容须为一个 JSON 对象。",
                        "The body must be one JSON object.");
            return false;
        }
    }
    if (!w->in)
        w->in = json_object();
    for (int i = 0; i < CALL_QUERY_MAX && w->call->query[i]; i++)
        json_set_text(w->in, w->call->query[i], request_query(w->req, w->call->query[i]));
    for (const char *at = strchr(w->call->path, '{'); at; at = strchr(at, '{')) {
        size_t len = strcspn(++at, "}");
        const char *name = arena_strndup(w->arena, at, len);
        json_set_text(w->in, name, request_param(w->req, name));
    }
    return true;
}

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
    w->token = call_token(w->req, w->arena, &w->by_cookie);
    if (strcmp(w->call->method, "GET") && call_foreign(w->req, w->by_cookie, &w->problem))
        return false;
    const char *key = request_header(w->req, "idempotency-key");
    w->key = "";
    if (key && key[0] && (flags & (CALL_CREATES | CALL_REPLAYS)) && !(flags & CALL_SECRET)) {
        if (strlen(key) > KEY_LEN_MAX) {
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
    if (!read_headers(w) || !read_input(w)) {
        reply_to(w);
        work_free(w);
        return;
    }
    if (w->call->before && !w->call->before(w)) {
        if (w->problem.status)
            reply_to(w);
        work_free(w);
        return;
    }
    request_hold(req);
    w->job.run = work_run;
    w->job.done = work_done;
    if (w->call->flags & CALL_WRITE)
        store_write(api_store(w->api), &w->job);
    else
        store_read(api_store(w->api), &w->job);
}
