/* Uploads by tus 1.0. The bytes so far are a file whose size is the offset, so an upload goes on
 * after any break, also a killed process. Nothing is acknowledged before fsync.
 *
 *   POST   row -> (body as PATCH) -> 201
 *   PATCH  row -> receive -> [reader: fsync, checksum, digest, blob] -> [writer: row] -> 204
 *   HEAD   row -> (finish what a crash left whole but unnamed) -> 200
 *
 * One sender at a time: a newer PATCH of the same upload takes over from one whose line hangs. */
#include "api/uploads.h"

#include "api/explain.h"
#include "api/inside.h"
#include "api/reply.h"
#include "api/upload_file.h"
#include "api/upload_use.h"
#include "base/crypto.h"
#include "base/host.h"
#include "base/mem.h"
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR_MS (3600LL * 1000)

enum upload_call { UPLOAD_POST, UPLOAD_HEAD, UPLOAD_PATCH, UPLOAD_DELETE };

struct transfer {
    struct job job;
    struct transfer *next; /* in uploads.receiving */
    struct api *api;
    struct request *req;
    enum upload_call call;
    struct upload_file file;
    int64_t claimed_offset; /* Upload-Offset of a PATCH */
    bool listed;            /* receiving: in the list */
    bool superseded;        /* a newer sender took over */
    bool ended;             /* the body is in */
    bool finishing;
    struct problem problem;
};

struct uploads {
    struct api *api;
    char dir[4096];
    struct transfer *receiving;
    struct upload_use *use;
};

static void receive(struct transfer *t);
static void finish(struct transfer *t);

/* ---- answers ----------------------------------------------------------------------------------*/

static void unlist(struct transfer *t)
{
    for (struct transfer **at = &t->api->uploads->receiving; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    t->listed = false;
}

static void transfer_free(struct transfer *t)
{
    if (t->listed)
        unlist(t);
    upload_file_close(&t->file);
    mem_free(t);
}

static void answer(struct transfer *t, int status)
{
    const char *pair[10][2];
    char offset[24], length[24], expires[40], location[80];
    int n = 0;
#define PAIR(name, value) (pair[n][0] = (name), pair[n++][1] = (value))
    PAIR("Tus-Resumable", "1.0.0");
    PAIR("Cache-Control", "no-store");
    if (t->problem.status == 412)
        PAIR("Tus-Version", "1.0.0");
    if (!t->problem.status && t->call != UPLOAD_DELETE) {
        snprintf(offset, sizeof offset, "%lld", (long long)t->file.offset);
        PAIR("Upload-Offset", offset);
        if (t->call == UPLOAD_HEAD) {
            snprintf(length, sizeof length, "%lld", (long long)t->file.length);
            PAIR("Upload-Length", length);
        }
        if (t->call == UPLOAD_POST) {
            snprintf(location, sizeof location, "/api/v1/uploads/%s", t->file.id);
            PAIR("Location", location);
        }
        if (t->file.digest[0])
            PAIR("Doorstep-Digest", t->file.digest);
        else {
            upload_file_http_date(t->file.expires_ms, expires);
            PAIR("Upload-Expires", expires);
        }
    }
#undef PAIR
    if (t->problem.status)
        reply_problem(t->req, &t->problem, (const char *const(*)[2])pair, n);
    else
        reply_send(t->req, status, (const char *const(*)[2])pair, n, NULL, NULL, 0);
    transfer_free(t);
}

static void refuse(struct transfer *t, enum err err, const struct errmsg *e)
{
    if (!t->problem.status)
        explain_err(err, e, &t->problem);
    if (!t->ended)
        request_discard(t->req);
    answer(t, 0);
}

static void refuse_with(struct transfer *t, int status, const char *code, const char *field,
                        const char *expected, const char *found, const char *zh, const char *en)
{
    problem_set(&t->problem, status, code, field, expected, found, zh, en);
    refuse(t, ERR_INVALID, NULL);
}

static int success_status(const struct transfer *t)
{
    return t->call == UPLOAD_POST ? 201 : t->call == UPLOAD_HEAD ? 200 : 204;
}

/* ---- the end of a body: durable, checked, named -----------------------------------------------*/

static enum err record_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct transfer *t = (struct transfer *)job;
    return upload_file_record(&t->file, api_office(t->api), db, e);
}

static void record_done(struct job *job)
{
    struct transfer *t = (struct transfer *)job;
    if (job->err != OK) {
        t->file.digest[0] = 0;
        refuse(t, job->err, &job->msg);
        return;
    }
    upload_file_remove_bytes(&t->file);
    answer(t, success_status(t));
}

static enum err finish_run(struct job *job, struct db *db, struct errmsg *e)
{
    (void)db;
    struct transfer *t = (struct transfer *)job;
    return upload_file_finish(&t->file, &t->problem, e);
}

static enum err forget_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct transfer *t = (struct transfer *)job;
    return upload_file_forget(&t->file, db, e);
}

static void forget_done(struct job *job)
{
    struct transfer *t = (struct transfer *)job;
    if (job->err != OK && !t->problem.status) {
        refuse(t, job->err, &job->msg);
        return;
    }
    upload_file_remove_bytes(&t->file);
    if (job->err == OK && t->file.length)
        upload_use_end(t->api->uploads->use, t->file.length);
    answer(t, 204);
}

static void finish_done(struct job *job)
{
    struct transfer *t = (struct transfer *)job;
    if (job->err != OK && t->problem.status == 415) { /* never a paper: do not keep it */
        t->job = (struct job){.run = forget_run, .done = forget_done};
        store_write(api_store(t->api), &t->job);
    } else if (job->err != OK) {
        refuse(t, job->err, &job->msg);
    } else if (t->file.digest[0] && !t->file.recorded) {
        t->job = (struct job){.run = record_run, .done = record_done};
        store_write(api_store(t->api), &t->job);
    } else {
        answer(t, success_status(t));
    }
}

static void finish(struct transfer *t)
{
    t->ended = t->finishing = true;
    t->job = (struct job){.run = finish_run, .done = finish_done};
    store_read(api_store(t->api), &t->job);
}

/* ---- the body ---------------------------------------------------------------------------------*/

static void on_body(struct request *req, const void *p, size_t n, void *arg)
{
    (void)req;
    struct transfer *t = arg;
    if (t->problem.status)
        return; /* the rest is read and dropped; the answer comes at the end */
    if (t->superseded) {
        problem_set(&t->problem, 423, "taken-over", NULL, NULL, NULL, "这次上传已由新的连接继续。",
                    "A newer connection goes on with this upload.");
        return;
    }
    struct errmsg msg;
    enum err err = upload_file_write(&t->file, p, n, &t->problem, &msg);
    if (err != OK && !t->problem.status)
        explain_err(err, &msg, &t->problem);
    t->api->upload_bytes += n;
}

static void on_end(struct request *req, void *arg)
{
    (void)req;
    struct transfer *t = arg;
    t->ended = true;
    if (t->listed)
        unlist(t);
    if (t->problem.status && t->problem.status != 507)
        answer(t, 0);
    else
        finish(t);
}

/* The line broke: what came stays, the sender asks with HEAD and goes on. */
static void on_gone(struct request *req, void *arg)
{
    (void)req;
    struct transfer *t = arg;
    if (t->ended)
        return;
    t->ended = true;
    answer(t, 204); /* to nobody: gives the request back */
}

static void receive(struct transfer *t)
{
    if (request_gone(t->req)) { /* nothing came with it; the answer only gives the request back */
        t->ended = true;
        answer(t, 204);
        return;
    }
    struct uploads *u = t->api->uploads;
    for (struct transfer *x = u->receiving; x; x = x->next)
        if (!strcmp(x->file.id, t->file.id))
            x->superseded = true;
    struct errmsg msg;
    enum err err = upload_file_open(&t->file, &msg);
    if (err != OK) {
        refuse(t, err, &msg);
        return;
    }
    t->next = u->receiving;
    u->receiving = t;
    t->listed = true;
    request_on_body(t->req, on_body, on_end, on_gone, t);
    request_resume(t->req);
}

/* ---- the calls --------------------------------------------------------------------------------*/

static struct transfer *begin(struct request *req, struct api *api, enum upload_call call)
{
    struct transfer *t = mem_alloc(sizeof *t);
    t->api = api;
    t->req = req;
    t->call = call;
    upload_file_init(&t->file, api->uploads->dir, api_blobs(api));
    t->ended = call == UPLOAD_HEAD || call == UPLOAD_DELETE;
    api->call_count++;
    request_hold(req);
    if (!t->ended)
        request_pause(req);
    const char *version = request_header(req, "tus-resumable");
    if (!version || strcmp(version, "1.0.0")) {
        refuse_with(t, 412, "tus-version", "Tus-Resumable", "1.0.0", version,
                    "上传协议版本须为 tus 1.0.0。", "The upload protocol must be tus 1.0.0.");
        return NULL;
    }
    if (call == UPLOAD_POST)
        return t;
    const char *id = request_param(req, "id");
    if (!upload_file_set_id(&t->file, id)) {
        refuse_with(t, 404, "no-upload", "id", NULL, id, "没有这个上传，可能已过期，请重新上传。",
                    "There is no such upload; it may have expired. Start it again.");
        return NULL;
    }
    return t;
}

static bool has_offset_body(struct request *req)
{
    const char *type = request_header(req, "content-type");
    return type && !strncasecmp(type, "application/offset+octet-stream", 31);
}

static bool whole_number(const char *text, int64_t *ret)
{
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return !*end && !errno;
}

static bool read_checksum(struct transfer *t)
{
    const char *text = request_header(t->req, "upload-checksum");
    if (!text || upload_file_expect(&t->file, text))
        return true;
    refuse_with(t, 400, "checksum-kind", "Upload-Checksum", "sha1 or sha256, a blank, base64", text,
                "校验和须为 sha1 或 sha256。", "The checksum must be sha1 or sha256.");
    return false;
}

void uploads_options(struct request *req, void *arg)
{
    (void)arg;
    static const char *const pair[][2] = {
        {"Tus-Resumable", "1.0.0"},
        {"Tus-Version", "1.0.0"},
        {"Tus-Extension", "creation,creation-with-upload,termination,checksum,expiration"},
        {"Tus-Max-Size", "67108864"},
        {"Tus-Checksum-Algorithm", "sha1,sha256"},
    };
    reply_send(req, 204, pair, sizeof pair / sizeof pair[0], NULL, NULL, 0);
}

static enum err create_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct transfer *t = (struct transfer *)job;
    return upload_file_create(&t->file, db, e);
}

static void create_done(struct job *job)
{
    struct transfer *t = (struct transfer *)job;
    if (job->err != OK) {
        upload_file_remove_bytes(&t->file);
        upload_use_end(t->api->uploads->use, t->file.length);
        refuse(t, job->err, &job->msg);
    } else if (has_offset_body(t->req)) {
        receive(t);
    } else {
        if (!t->ended)
            request_discard(t->req);
        t->ended = true;
        answer(t, 201);
    }
}

void uploads_post(struct request *req, void *arg)
{
    struct api *api = arg;
    struct transfer *t = begin(req, api, UPLOAD_POST);
    if (!t || !read_checksum(t))
        return;
    const char *text = request_header(req, "upload-length");
    if (!whole_number(text, &t->file.length) || !t->file.length) {
        refuse_with(t, 400, "upload-length", "Upload-Length", "the size in bytes, at least 1", text,
                    "须在 Upload-Length 中给出文件大小，且不能为空文件。",
                    "Upload-Length must give the size of the file; an empty file is not taken.");
        return;
    }
    if (t->file.length > UPLOAD_BYTES_MAX) {
        refuse_with(t, 413, "upload-too-large", "Upload-Length", "at most 67108864", text,
                    "文件过大，单个文件不超过 64 MB。",
                    "The file is too large: at most 64 MB each.");
        return;
    }
    if (!upload_file_room(&t->file)) {
        struct errmsg none = {{0}};
        refuse(t, ERR_FULL, &none);
        return;
    }
    if (!upload_use_begin(api->uploads->use, request_network(req), t->file.length, &t->problem)) {
        refuse(t, ERR_BUSY, NULL);
        return;
    }
    unsigned char id[16];
    const struct host *host = api->office->host;
    host_random(host, id, sizeof id);
    hex_encode(id, sizeof id, t->file.id);
    upload_file_metadata(&t->file, request_header(req, "upload-metadata"));
    t->file.created_ms = host_wall_ms(host);
    t->file.expires_ms = t->file.created_ms + api->limits->max[LIMIT_UNNAMED_PAPER_HOURS] * HOUR_MS;
    t->job = (struct job){.run = create_run, .done = create_done};
    store_write(api_store(api), &t->job);
}

static enum err load_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct transfer *t = (struct transfer *)job;
    return upload_file_load(&t->file, db, &t->problem, e);
}

static void load_done(struct job *job)
{
    struct transfer *t = (struct transfer *)job;
    if (job->err != OK) {
        refuse(t, job->err, &job->msg);
        return;
    }
    if (t->call == UPLOAD_HEAD) {
        if (t->file.offset == t->file.length && !t->file.digest[0])
            finish(t);
        else
            answer(t, 200);
        return;
    }
    if (t->claimed_offset != t->file.offset) {
        char at[24], said[24];
        snprintf(at, sizeof at, "%lld", (long long)t->file.offset);
        snprintf(said, sizeof said, "%lld", (long long)t->claimed_offset);
        refuse_with(t, 409, "upload-offset", "Upload-Offset", at, said,
                    "续传位置不符，请先用 HEAD 查询。",
                    "The offset does not fit. Ask with HEAD first.");
        return;
    }
    if (t->file.digest[0]) {
        request_discard(t->req);
        t->ended = true;
        answer(t, 204);
        return;
    }
    receive(t);
}

static void load(struct transfer *t)
{
    t->job = (struct job){.run = load_run, .done = load_done};
    store_read(api_store(t->api), &t->job);
}

void uploads_head(struct request *req, void *arg)
{
    struct transfer *t = begin(req, arg, UPLOAD_HEAD);
    if (t)
        load(t);
}

void uploads_patch(struct request *req, void *arg)
{
    struct transfer *t = begin(req, arg, UPLOAD_PATCH);
    if (!t || !read_checksum(t))
        return;
    const char *text = request_header(req, "upload-offset");
    if (!has_offset_body(req))
        refuse_with(t, 415, "content-type", "Content-Type", "application/offset+octet-stream",
                    request_header(req, "content-type"),
                    "内容类型须为 application/offset+octet-stream。",
                    "The body must be application/offset+octet-stream.");
    else if (!whole_number(text, &t->claimed_offset))
        refuse_with(t, 400, "upload-offset", "Upload-Offset", "a whole number", text,
                    "须在 Upload-Offset 中给出续传位置。",
                    "Upload-Offset must give where to go on.");
    else
        load(t);
}

void uploads_delete(struct request *req, void *arg)
{
    struct api *api = arg;
    struct transfer *t = begin(req, api, UPLOAD_DELETE);
    if (!t)
        return;
    for (struct transfer *x = api->uploads->receiving; x; x = x->next)
        if (!strcmp(x->file.id, t->file.id))
            x->superseded = true;
    t->job = (struct job){.run = forget_run, .done = forget_done};
    store_write(api_store(api), &t->job);
}

struct uploads *uploads_create(struct api *api, const char *dir, struct errmsg *e)
{
    if (mkdir(dir, 0700) && errno != EEXIST) {
        errmsg_set(e, "make the folder of uploads %s: %s", dir, strerror(errno));
        return NULL;
    }
    if (access(dir, R_OK | W_OK | X_OK)) {
        errmsg_set(e, "use the folder of uploads %s: %s", dir, strerror(errno));
        return NULL;
    }
    struct uploads *u = mem_alloc(sizeof *u);
    u->api = api;
    snprintf(u->dir, sizeof u->dir, "%s", dir);
    u->use = upload_use_create(api->loop, api_store(api), api->office->host, api->limits,
                               api_blobs(api), dir);
    return u;
}

void uploads_destroy(struct uploads *u)
{
    if (!u)
        return;
    upload_use_destroy(u->use);
    mem_free(u);
}
