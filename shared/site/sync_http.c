/* What the sync port serves besides links: enrolment, at the parent. */
#include "site/sync_http.h"

#include "base/log.h"
#include "base/mem.h"
#include "site/enrol.h"
#include "site/step.h"

#include <assert.h>

struct enrolment {
    struct job job;
    struct site *site;
    struct request *req;
    struct json *in, *out;
    struct problem problem;
};

static enum err enrol_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct enrolment *n = (struct enrolment *)job;

    return enrol_answer(&n->site->folder, &n->site->office, db, n->in, &n->out, &n->problem, e);
}

static void reply_json(struct request *req, int status, const struct json *j)
{
    struct buf text = {0};

    json_canonical(j, &text);
    request_reply(req, status, NULL, 0,
                  status < 400 ? "application/json" : "application/problem+json", text.data,
                  text.len);
    buf_free(&text);
}

static void reply_problem_text(struct request *req, int status, const char *zh, const char *en)
{
    struct json *j = json_object();

    json_set_int(j, "status", status);
    json_set_text(j, "detail", zh);
    json_set_text(j, "detail_en", en);
    reply_json(req, status, j);
    json_free(j);
}

/* It goes on with its new certificate only. */
static void end_old_link(struct site *s, const char *child)
{
    struct link_input in = {
        .kind = IN_BYE, .code = BYE_REFUSED, .reason = "this site was enrolled anew"};
    struct peer *p = peer_find(s, child);

    if (p)
        step_link(p, &in);
}

static void enrol_done(struct job *job)
{
    struct enrolment *n = (struct enrolment *)job;

    assert(job->err != OK || n->out);
    if (job->err == OK) {
        end_old_link(n->site, json_get_text(n->out, "site"));
        log_line(LOG_LEVEL_INFO, "enrol", "enrolled=%s", json_get_text(n->out, "site"));
        reply_json(n->req, 201, n->out);
        n->site->look |= LOOK_OUTBOXES;
    } else if (n->problem.status) {
        log_line(LOG_LEVEL_WARN, "enrol", "refused=%s", n->problem.code);
        reply_problem_text(n->req, n->problem.status, n->problem.zh, n->problem.en);
    } else {
        log_line(LOG_LEVEL_WARN, "enrol", "failed=%s text=\"%s\"", err_name(job->err),
                 job->msg.text);
        reply_problem_text(n->req, 503, "上级站点暂时无法登记，请稍后再试",
                           "The parent cannot enrol now; try again later");
    }
    json_free(n->in);
    json_free(n->out);
    mem_free(n);
}

static void enrol_handle(struct request *req, void *arg)
{
    struct site *s = arg;
    struct errmsg e;
    size_t n;
    const char *body = request_body(req, &n);
    struct json *in = NULL;

    if (json_parse(body ? body : "", n, &in, &e) != OK || !json_is_object(in)) {
        json_free(in);
        reply_problem_text(req, 400, "登记请求无法读懂", "The request cannot be read");
        return;
    }
    struct enrolment *x = mem_alloc(sizeof *x);
    x->site = s;
    x->req = req;
    x->in = in;
    x->job.run = enrol_run;
    x->job.done = enrol_done;
    request_hold(req);
    store_write(s->store, &x->job);
}

const struct route *sync_http_routes(struct site *s, size_t *ret_count)
{
    s->routes[0] = (struct route){.method = "POST",
                                  .path = "/sync/v1/enrol",
                                  .handle = enrol_handle,
                                  .arg = s,
                                  .body_max = 16384};
    *ret_count = 1;
    return s->routes;
}

void sync_http_fallback(struct request *req, void *site)
{
    const struct refusal *why = request_refusal(req);

    (void)site;
    if (why)
        reply_problem_text(req, why->status, why->zh, why->en);
    else
        reply_problem_text(req, 404, "这里只供下级站点连接", "Only child sites connect here");
}
