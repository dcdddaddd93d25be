/* Live changes. Changes are gathered for a moment, then one reader job asks for every open socket
 * which of them its caller may see. A ring of the last changes lets a client go on after a break.
 */
#include "api/live.h"

#include "api/identity.h"
#include "api/inside.h"
#include "base/crypto.h"
#include "base/host.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/ws.h"

#include <stdio.h>
#include <string.h>

#define RING 1024
#define GATHER_MS 50
#define QUEUED_BYTES_MAX (256 * 1024)
#define LOOK_EVERY_MS 1000

struct change {
    uint64_t seq;
    char id[40]; /* of the dossier */
};

struct socket {
    struct socket *next;
    struct live *live;
    struct ws *ws; /* NULL: gone, freed after the job that still names it */
    char token[201];
    uint64_t sent; /* looked at all changes up to here */
    bool greeted;
    bool checked;     /* the running job looks at this socket */
    bool signed_in;   /* it was found to be somebody's */
    int64_t since_ms; /* when it came; monotonic */
};

struct live {
    struct api *api;
    struct ws_endpoint endpoint;
    struct socket *sockets;
    int count;
    char epoch[17];
    uint64_t seq;
    struct change ring[RING];
    struct timer *gather, *look;
    bool running;
};

struct viewing {
    struct socket *socket;
    char token[201];
    uint64_t from;
    bool *visible; /* per change of the check */
    bool signed_in;
};

struct check {
    struct job job;
    struct live *live;
    struct arena *arena;
    struct change *change;
    int changes;
    struct viewing *verdict;
    int verdicts;
};

static void start(struct live *l);
static void dismiss(struct live *l, struct socket *s, int code, const char *reason);

static void say(struct socket *s, const char *kind, const char *id, uint64_t seq)
{
    const struct dossier_type *t = id ? dossier_type_of(s->live->api->office->work, id) : NULL;
    struct json *o = json_object();
    struct buf text = {0};
    json_set_text(o, "kind", kind);
    json_set_text(o, "type", t ? t->name : NULL);
    json_set_text(o, "id", id);
    json_set_text(o, "case_no", t && !t->letter ? id : NULL);
    json_set_int(o, "seq", (int64_t)seq);
    if (!strcmp(kind, "hello"))
        json_set_text(o, "epoch", s->live->epoch);
    json_canonical(o, &text);
    ws_send(s->ws, text.data, text.len, false);
    buf_free(&text);
    json_free(o);
}

/* ---- the check --------------------------------------------------------------------------------*/

static enum err visible(struct check *c, struct db *db, const struct caller *caller, const char *id,
                        bool *ret, struct errmsg *e)
{
    struct office *o = api_office(c->live->api);
    const struct dossier_type *t = dossier_type_of(o->work, id);

    *ret = false;
    return t ? t->visible(o, db, caller, id, ret, e) : OK;
}

static enum err check_run(struct job *job, struct db *db, struct errmsg *e)
{
    struct check *c = (struct check *)job;
    for (int i = 0; i < c->verdicts; i++) {
        struct viewing *v = &c->verdict[i];
        struct caller caller;
        enum err err =
            identity_caller(api_office(c->live->api), db, v->token, c->arena, &caller, e);
        if (err != OK)
            return err;
        v->signed_in = caller.user[0];
        for (int k = 0; err == OK && v->signed_in && k < c->changes; k++)
            if (c->change[k].seq > v->from)
                err = visible(c, db, &caller, c->change[k].id, &v->visible[k], e);
        if (err != OK)
            return err;
    }
    return OK;
}

static void drop_gone(struct live *l)
{
    for (struct socket **at = &l->sockets; *at;) {
        struct socket *s = *at;
        if (s->ws) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        mem_free(s);
    }
}

static void tell(struct check *c, struct viewing *v)
{
    struct socket *s = v->socket;
    if (!s->ws)
        return;
    if (!v->signed_in) {
        dismiss(s->live, s, 4401, "sign in first");
        return;
    }
    if (!s->signed_in)
        limits_give(s->live->api->limits, LIMIT_LIVE_UNSIGNED, 1);
    s->signed_in = true;
    if (!s->greeted)
        say(s, "hello", NULL, s->live->seq);
    s->greeted = true;
    if (ws_queued_bytes(s->ws) > QUEUED_BYTES_MAX) {
        ws_close(s->ws, 4408, "too slow; connect again");
        return;
    }
    for (int k = 0; k < c->changes; k++)
        if (v->visible[k])
            say(s, "changed", c->change[k].id, c->change[k].seq);
    if (c->changes && c->change[c->changes - 1].seq > s->sent)
        s->sent = c->change[c->changes - 1].seq;
}

static void check_done(struct job *job)
{
    struct check *c = (struct check *)job;
    struct live *l = c->live;
    for (int i = 0; job->err == OK && i < c->verdicts; i++)
        tell(c, &c->verdict[i]);
    l->running = false;
    drop_gone(l);
    arena_destroy(c->arena);
    mem_free(c);
    start(l);
}

static uint64_t oldest(const struct live *l)
{
    return l->seq > RING ? l->seq - RING : 0;
}

/* What the sockets have not been told yet goes into one job. */
static void gathered(void *arg)
{
    struct live *l = arg;
    l->gather = NULL;
    if (l->running)
        return;
    struct check *c = mem_alloc(sizeof *c);
    uint64_t from = l->seq;
    c->live = l;
    c->arena = arena_create();
    c->verdict = arena_alloc(c->arena, sizeof *c->verdict * (size_t)(l->count + 1));
    for (struct socket *s = l->sockets; s; s = s->next) {
        if (!s->ws || !s->checked || (s->greeted && s->sent == l->seq))
            continue;
        if (s->sent < oldest(l)) {
            say(s, "reload", NULL, l->seq);
            s->sent = l->seq;
        }
        struct viewing *v = &c->verdict[c->verdicts++];
        v->socket = s;
        v->from = s->sent;
        memcpy(v->token, s->token, sizeof v->token);
        if (s->sent < from)
            from = s->sent;
    }
    c->changes = (int)(l->seq - from);
    c->change = arena_alloc(c->arena, sizeof *c->change * (size_t)(c->changes + 1));
    for (int k = 0; k < c->changes; k++)
        c->change[k] = l->ring[(from + 1 + (uint64_t)k) % RING];
    for (int i = 0; i < c->verdicts; i++)
        c->verdict[i].visible = arena_alloc(c->arena, (size_t)c->changes + 1);
    if (!c->verdicts) {
        arena_destroy(c->arena);
        mem_free(c);
        return;
    }
    l->running = true;
    c->job.run = check_run;
    c->job.done = check_done;
    store_read(api_store(l->api), &c->job);
}

static void start(struct live *l)
{
    bool wanted = false;
    for (struct socket *s = l->sockets; s; s = s->next)
        wanted = wanted || (s->ws && s->checked && (!s->greeted || s->sent != l->seq));
    if (wanted && !l->running && !l->gather)
        l->gather = loop_timer(l->api->loop, GATHER_MS, gathered, l);
}

void live_changed(struct live *l, const char *id)
{
    struct change *last = &l->ring[l->seq % RING];
    if (l->gather && l->seq && !strcmp(last->id, id))
        return;
    struct change *c = &l->ring[++l->seq % RING];
    c->seq = l->seq;
    snprintf(c->id, sizeof c->id, "%s", id);
    start(l);
}

/* ---- sockets ----------------------------------------------------------------------------------*/

static void cookie_token(struct socket *s, const char *cookie)
{
    static const char name[] = "doorstep_session=";
    const char *at = cookie ? strstr(cookie, name) : NULL;
    if (!at)
        return;
    at += sizeof name - 1;
    size_t n = strcspn(at, ";");
    if (n < sizeof s->token)
        memcpy(s->token, at, n);
}

/* A page of another site must not listen through the browser's cookie. */
static bool same_origin(struct ws *ws)
{
    const char *origin = ws_header(ws, "origin"), *host = ws_header(ws, "host");
    const char *at = origin ? strstr(origin, "://") : NULL;
    return !origin || (host && at && !strcmp(at + 3, host));
}

static int64_t now_ms(const struct live *l)
{
    return host_mono_ms(l->api->office->host);
}

/* A socket that is told to go counts no more, although the client may take its time. */
static void uncount(struct live *l, struct socket *s)
{
    s->ws = NULL;
    l->count--;
    limits_give(l->api->limits, LIMIT_LIVE_SOCKETS, 1);
    if (!s->signed_in)
        limits_give(l->api->limits, LIMIT_LIVE_UNSIGNED, 1);
}

static void dismiss(struct live *l, struct socket *s, int code, const char *reason)
{
    struct ws *ws = s->ws;
    ws_set_user(ws, NULL);
    uncount(l, s);
    ws_close(ws, code, reason);
    if (!l->running)
        drop_gone(l);
}

/* The newest are first in the list, so the last is the one that has said nothing for longest. */
static struct socket *longest_unsigned(struct live *l)
{
    struct socket *found = NULL;
    for (struct socket *s = l->sockets; s; s = s->next)
        if (s->ws && !s->signed_in)
            found = s;
    return found;
}

static void look(void *arg)
{
    struct live *l = arg;
    int64_t patience = l->api->limits->max[LIMIT_LIVE_SIGN_IN_SECONDS] * 1000, now = now_ms(l);
    struct socket *s;
    l->look = NULL;
    while ((s = longest_unsigned(l)) && now - s->since_ms >= patience)
        dismiss(l, s, 4401, "sign in first");
    if (s)
        l->look = loop_timer(l->api->loop, LOOK_EVERY_MS, look, l);
}

/* Count it in. A place for the unsigned is made by the one that has had it for longest. */
static bool let_in(struct live *l)
{
    struct limits *limits = l->api->limits;
    struct socket *oldest = longest_unsigned(l);
    if (oldest && (limits->used[LIMIT_LIVE_UNSIGNED] >= limits->max[LIMIT_LIVE_UNSIGNED] ||
                   limits->used[LIMIT_LIVE_SOCKETS] >= limits->max[LIMIT_LIVE_SOCKETS]))
        dismiss(l, oldest, 1013, "too many sockets wait for a sign-in");
    if (!limits_take(limits, LIMIT_LIVE_SOCKETS, 1))
        return false;
    if (limits_take(limits, LIMIT_LIVE_UNSIGNED, 1))
        return true;
    limits_give(limits, LIMIT_LIVE_SOCKETS, 1);
    return false;
}

static void on_open(struct ws *ws, void *arg)
{
    struct live *l = arg;
    if (!let_in(l)) {
        ws_close(ws, 1013, "too many live sockets");
        return;
    }
    struct socket *s = mem_alloc(sizeof *s);
    s->live = l;
    s->ws = ws;
    s->sent = l->seq;
    s->since_ms = now_ms(l);
    if (same_origin(ws))
        cookie_token(s, ws_header(ws, "cookie"));
    s->next = l->sockets;
    l->sockets = s;
    l->count++;
    ws_set_user(ws, s);
    s->checked = s->token[0];
    if (!l->look)
        l->look = loop_timer(l->api->loop, LOOK_EVERY_MS, look, l);
    start(l);
}

static void on_message(struct ws *ws, const void *p, size_t n, bool binary, void *arg)
{
    struct live *l = arg;
    struct socket *s = ws_user(ws);
    struct json *in = NULL;
    if (!s)
        return;
    if (binary || json_parse(p, n, &in, NULL) != OK || !json_is_object(in)) {
        json_free(in);
        ws_close(ws, 1003, "one JSON object was expected");
        return;
    }
    const char *token = json_get_text(in, "token"), *epoch = json_get_text(in, "epoch");
    if (token && strlen(token) < sizeof s->token)
        strcpy(s->token, token);
    int64_t since = json_get_int(in, "since", -1);
    if (since >= 0 && (uint64_t)since <= l->seq && epoch && !strcmp(epoch, l->epoch))
        s->sent = (uint64_t)since;
    else if (since >= 0)
        say(s, "reload", NULL, l->seq);
    s->greeted = false;
    s->checked = true;
    json_free(in);
    start(l);
}

static void on_close(struct ws *ws, void *arg)
{
    struct live *l = arg;
    struct socket *s = ws_user(ws);
    if (!s)
        return;
    uncount(l, s);
    if (!l->running)
        drop_gone(l);
}

struct live *live_create(struct api *api)
{
    struct live *l = mem_alloc(sizeof *l);
    unsigned char raw[8];
    l->api = api;
    host_random(api->office->host, raw, sizeof raw);
    hex_encode(raw, sizeof raw, l->epoch);
    l->endpoint = (struct ws_endpoint){
        .path = "/api/v1/live",
        .subprotocol = "doorstep.live.v1",
        .ping_seconds = (int)api->limits->max[LIMIT_LIVE_PING_SECONDS],
        .on_open = on_open,
        .on_message = on_message,
        .on_close = on_close,
        .arg = l,
    };
    return l;
}

void live_destroy(struct live *l)
{
    if (!l)
        return;
    if (l->gather)
        timer_cancel(l->gather);
    timer_cancel(l->look);
    for (struct socket *s = l->sockets; s; s = s->next)
        s->ws = NULL;
    drop_gone(l);
    mem_free(l);
}

const struct ws_endpoint *live_endpoint(struct live *l)
{
    return &l->endpoint;
}

int live_count(const struct live *l)
{
    return l->count;
}
