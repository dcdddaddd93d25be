/* The context of libwebsockets. A stop is asked for with a flag and a wake-up, so that no signal
 * handler and no other thread ever touches the library beyond lws_cancel_service(). */
#include "net/loop.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/inside.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#define FILES_MAX (128 * 1024)

struct timer {
    lws_sorted_usec_list_t sul; /* first: the callback gets this */
    struct timer *next, **at;
    void (*fn)(void *arg);
    void *arg;
};

struct called {
    struct called *next;
    void (*fn)(void *arg);
    void *arg;
};

#define WAKES_MAX 4

struct loop {
    struct lws_context *context;
    struct timer *timers;
    struct called wakes[WAKES_MAX];
    int wake_count;
    struct called *endings;
    void (*on_stop)(void *arg);
    void *on_stop_arg;
    _Atomic bool stopping;
    bool ended, many, catching;
    pthread_t signals;
};

#define ANSWER_SECONDS 20 /* for the next step of a connection: a bad line needs some */

static int wake_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len)
{
    struct loop *l = wsi ? lws_context_user(lws_get_context(wsi)) : NULL;

    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED && l && !l->ended) {
        for (int i = 0; i < l->wake_count; i++)
            l->wakes[i].fn(l->wakes[i].arg);
        if (l->stopping) {
            l->ended = true;
            if (l->on_stop)
                l->on_stop(l->on_stop_arg);
            if (l->many)
                lws_context_destroy(
                    l->context); /* the first call only closes: service returns then */
        }
    }
    return 0;
}

static const struct lws_protocols wake_protocols[] = {
    {"doorstep-wake", wake_callback, 0, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static void say(int level, const char *line)
{
    log_line(level & LLL_ERR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "net", "library=\"%.*s\"",
             (int)strcspn(line, "\n"), line);
}

/* As many connections as the system lets us have; the library sizes its tables by it. */
static void allow_files(void)
{
    struct rlimit files;

    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

struct loop *loop_create(bool many, struct errmsg *e)
{
    struct loop *l = mem_alloc(sizeof *l);
    struct lws_context_creation_info info = {0};

    lws_set_log_level(LLL_ERR, say);
    signal(SIGPIPE, SIG_IGN);
    l->many = many;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = wake_protocols;
    info.user = l;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                   (many ? LWS_SERVER_OPTION_LIBUV : 0);
    info.max_http_header_data = 8192; /* of what a parent answers to a dial */
    info.max_http_header_pool = 16;
    info.pt_serv_buf_size = 64 * 1024;
    info.timeout_secs = ANSWER_SECONDS;
    info.gid = info.uid = -1;
    if (many)
        allow_files();
    l->context = lws_create_context(&info);
    if (!l->context && many) { /* slower with many links, and right */
        log_line(LOG_LEVEL_WARN, "net",
                 "loop=poll reason=\"libwebsockets-evlib-uv is not installed; thousands of links "
                 "will be slow\"");
        l->many = false;
        info.options &= ~(uint64_t)LWS_SERVER_OPTION_LIBUV;
        l->context = lws_create_context(&info);
    }
    if (l->context) {
        info.vhost_name = "wake";
        if (!lws_create_vhost(l->context, &info)) {
            lws_context_destroy(l->context);
            l->context = NULL;
        }
    }
    if (!l->context) {
        errmsg_set(e, "the event loop cannot be made");
        mem_free(l);
        return NULL;
    }
    return l;
}

void loop_destroy(struct loop *l)
{
    if (!l)
        return;
    loop_stop(l);
    if (l->catching)
        pthread_join(l->signals, NULL);
    l->ended = true;
    lws_context_destroy(l->context);
    while (l->timers) {
        struct timer *t = l->timers;
        l->timers = t->next;
        mem_free(t);
    }
    while (l->endings) {
        struct called *x = l->endings;
        l->endings = x->next;
        x->fn(x->arg);
        mem_free(x);
    }
    mem_free(l);
}

void loop_run(struct loop *l)
{
    while (!l->ended && lws_service(l->context, 0) >= 0)
        ;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
    loop_wake(l);
    if (l->catching)
        pthread_kill(l->signals, SIGUSR2);
}

void loop_wake(struct loop *l)
{
    if (!l->ended)
        lws_cancel_service(l->context);
}

void loop_on_wake(struct loop *l, void (*fn)(void *arg), void *arg)
{
    assert(l->wake_count < WAKES_MAX);
    l->wakes[l->wake_count++] = (struct called){.fn = fn, .arg = arg};
}

void loop_on_end(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct called *x = mem_alloc(sizeof *x);

    *x = (struct called){l->endings, fn, arg};
    l->endings = x;
}

void loop_on_stop(struct loop *l, void (*fn)(void *arg), void *arg)
{
    l->on_stop = fn;
    l->on_stop_arg = arg;
}

static void *await_signals(void *arg)
{
    struct loop *l = arg;
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR2); /* ours: wakes this thread at the end */
    while (!l->stopping && !sigwait(&set, &got))
        if (got != SIGUSR2) {
            log_line(LOG_LEVEL_INFO, "net", "stopping=yes signal=%d", got);
            l->stopping = true;
            loop_wake(l);
        }
    return NULL;
}

void loop_catch_signals(struct loop *l)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    l->catching = !pthread_create(&l->signals, NULL, await_signals, l);
}

static void unlink_timer(struct timer *t)
{
    *t->at = t->next;
    if (t->next)
        t->next->at = t->at;
}

static void fire(lws_sorted_usec_list_t *sul)
{
    struct timer *t = (struct timer *)sul;
    void (*fn)(void *) = t->fn;
    void *arg = t->arg;

    unlink_timer(t);
    mem_free(t);
    fn(arg);
}

struct timer *loop_timer(struct loop *l, int64_t ms, void (*fn)(void *arg), void *arg)
{
    struct timer *t = mem_alloc(sizeof *t);

    t->fn = fn;
    t->arg = arg;
    t->next = l->timers;
    t->at = &l->timers;
    if (t->next)
        t->next->at = &t->next;
    l->timers = t;
    lws_sul_schedule(l->context, 0, &t->sul, fire, (ms ? ms : 1) * LWS_US_PER_MS);
    return t;
}

void timer_cancel(struct timer *t)
{
    if (!t)
        return;
    lws_sul_cancel(&t->sul);
    unlink_timer(t);
    mem_free(t);
}

struct lws_context *loop_context(struct loop *l)
{
    return l->context;
}
