/* Papers. A signed-in caller sees those of the cases he may see; a resident names ?case= and
 * ?code=. A paper that another site still holds is asked for, ahead of everything else, and 503
 * says when to come again. */
#include "api/documents.h"

#include "api/explain.h"
#include "api/identity.h"
#include "api/inside.h"
#include "api/reply.h"
#include "api/tries.h"
#include "base/host.h"
#include "base/mem.h"
#include "ledger/blob.h"
#include "office/papers.h"
#include "net/http.h"
#include "site/site.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct reading {
    struct job job;
    struct api *api;
    struct request *req;
    struct arena *arena;
    const char *token, *digest, *case_no, *code;
    bool by_cookie;
    char type[64];
    char state[16];
    int fd;
    int64_t size;
    struct tried tried;
    struct problem problem;
};

static void not_found(struct reading *r)
{
    problem_set(&r->problem, 404, "no-document", "digest", NULL, r->digest,
                "没有这份材料，或您无权查看。", "There is no such paper, or you may not see it.");
}

static enum err find_row(struct reading *r, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT size, media_type, state FROM document WHERE digest = $1");
    bind_text(st, 1, r->digest);
    bool row;
    enum err err = db_step(st, &row, e);
    if (err != OK)
        return err;
    if (!row) {
        not_found(r);
        return ERR_NOT_FOUND;
    }
    r->size = col_int(st, 0);
    snprintf(r->type, sizeof r->type, "%s", col_text(st, 1));
    snprintf(r->state, sizeof r->state, "%s", col_text(st, 2));
    db_reset(st);
    return OK;
}

static enum err reading_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct reading *r = (struct reading *)job;
    struct caller caller;
    enum err err = identity_caller(api_office(r->api), db, r->token, r->arena, &caller, e);
    if (err != OK)
        return err;
    if (!caller.user[0])
        caller.query_code = r->code;
    if (!caller.user[0] && !r->code[0]) {
        problem_set(&r->problem, 401, "sign-in-needed", NULL,
                    "a session, or ?case= and ?code=", NULL, "请先登录，或提供办件编号和查询码。",
                    "Sign in, or give the case number and its query code.");
        return ERR_DENIED;
    }
    bool sees;
    err = paper_visible(api_office(r->api), db, &caller, r->digest, r->case_no, &sees, e);
    if (err != OK)
        return err;
    if (!sees) {
        not_found(r);
        return ERR_NOT_FOUND;
    }
    err = find_row(r, db, e);
    if (err == OK && !strcmp(r->state, "here"))
        err = blob_read(api_blobs(r->api), r->digest, &r->fd, &r->size, e);
    return err;
}

static void answer(struct reading *r)
{
    char tag[80];
    snprintf(tag, sizeof tag, "\"%s\"", r->digest);
    const char *pair[3][2] = {
        {"ETag", tag},
        {"Cache-Control", "private, max-age=600"},
        {"Content-Disposition", "inline"},
    };
    const char *const(*pairs)[2] = (const char *const(*)[2])pair;
    const char *none = request_header(r->req, "if-none-match");
    if (none && strstr(none, tag)) {
        close(r->fd);
        reply_send(r->req, 304, pairs, 2, NULL, NULL, 0);
    } else {
        r->api->document_count++;
        reply_file(r->req, pairs, 3, r->type, r->fd, r->size);
    }
}

static void reading_done(struct job *job)
{
    struct reading *r = (struct reading *)job;
    if (job->err != OK && !r->problem.status)
        explain_err(job->err, &job->msg, &r->problem);
    tries_end(r->api->tries, &r->tried,
              !r->problem.status                                     ? TRIED_RIGHT
              : r->problem.status == 404 || r->problem.status == 403 ? TRIED_WRONG
                                                                     : TRIED_NOT);
    if (r->problem.status) {
        reply_problem(r->req, &r->problem, NULL, 0);
    } else if (r->fd >= 0) {
        answer(r);
    } else {
        static const char *const pair[][2] = {{"Retry-After", "2"}, {"Cache-Control", "no-store"}};
        site_want_document(r->api->site, r->digest);
        problem_set(&r->problem, 503, "document-on-its-way", "digest", NULL, r->digest,
                    "材料正在从其他站点传来，请稍候。",
                    "This paper is on its way from another site.");
        reply_problem(r->req, &r->problem, pair, 2);
    }
    arena_destroy(r->arena);
    mem_free(r);
}

/* false: too many codes were tried; it is answered. */
static bool code_may_be_tried(struct reading *r)
{
    char text[24];
    const char *pair[][2] = {{"Retry-After", text}};
    int64_t seconds;
    if (!r->code[0] ||
        tries_code(r->api->tries, r->case_no, request_network(r->req),
                   host_mono_ms(r->api->office->host), &r->tried, &r->problem, &seconds))
        return true;
    snprintf(text, sizeof text, "%lld", (long long)seconds);
    reply_problem(r->req, &r->problem, (const char *const(*)[2])pair, 1);
    arena_destroy(r->arena);
    mem_free(r);
    return false;
}

void documents_get(struct request *req, void *arg)
{
    struct api *api = arg;
    struct reading *r = mem_alloc(sizeof *r);
    const char *digest = request_param(req, "digest"), *no = request_query(req, "case");
    const char *code = request_query(req, "code");
    r->api = api;
    r->req = req;
    r->fd = -1;
    r->arena = arena_create();
    r->digest = arena_strdup(r->arena, digest ? digest : "");
    r->case_no = arena_strdup(r->arena, no ? no : "");
    r->code = arena_strdup(r->arena, code ? code : "");
    r->token = identity_token(req, r->arena, &r->by_cookie);
    api->call_count++;
    request_hold(req);
    if (!code_may_be_tried(r))
        return;
    if (!digest_valid(r->digest)) {
        problem_set(&r->problem, 404, "no-document", "digest", "sha256: and 64 hex digits",
                    r->digest, "材料编号有误。", "This is not the digest of a paper.");
        r->job.err = ERR_NOT_FOUND;
        reading_done(&r->job);
        return;
    }
    r->job.run = reading_run;
    r->job.done = reading_done;
    store_read(api_store(api), &r->job);
}
