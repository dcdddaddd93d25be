#include "net/door.h"

#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TURN_MAX 64 /* connections taken in one turn of the loop */
#define LOOK_EVERY_MS 1000
#define REST_MS 250
#define ROOM_AFTER_REST 16
#define LEAVING_MAX 4
#define LOG_EVERY_MS 5000
#define CLIENTS 4096 /* buckets of the table of clients; a power of two */

struct client {
    struct client *next;
    struct address network;
    int count;
};

struct guest {
    struct guest *next, **at; /* of the door, the newest first */
    struct door *door;
    struct conn *conn;
    struct client *client; /* NULL: not counted */
    struct address address;
    struct guest_calls calls;
    void *user;
    int64_t late_ms, waits_since_ms; /* monotonic; 0: never, not waiting */
    bool proxy, counted, leaving;
};

struct door {
    struct door_config config;
    struct watch *watch;
    struct guest *guests;
    struct client *clients[CLIENTS];
    int spare_fd; /* given up to tell one newcomer that there is no room */
    int64_t logged_ms;
    int leaving; /* were closed for others, and still have their descriptor */
    bool resting;
};

static int64_t now_ms(void)
{
    return host_mono_ms(host_system());
}

/* ---- clients ----------------------------------------------------------------------------------*/

static struct client **client_at(struct door *d, const struct address *network)
{
    uint64_t h = 1469598103934665603ULL;

    for (size_t i = 0; i < sizeof network->bytes; i++)
        h = (h ^ network->bytes[i]) * 1099511628211ULL;
    struct client **at = &d->clients[(h >> 20) % CLIENTS];
    while (*at && memcmp(&(*at)->network, network, sizeof *network))
        at = &(*at)->next;
    return at;
}

static struct address network_of(const struct address *a)
{
    struct address n = *a;

    if (!address_is_v4(a))
        memset(n.bytes + 8, 0, 8);
    return n;
}

static struct client *client_of(struct door *d, const struct address *a)
{
    struct address network = network_of(a);
    struct client **at = client_at(d, &network);

    if (!*at) {
        *at = mem_alloc(sizeof **at);
        (*at)->network = network;
    }
    return *at;
}

static void client_less(struct door *d, struct client *c)
{
    assert(c->count > 0);
    if (--c->count)
        return;
    struct client **at = client_at(d, &c->network);
    assert(*at == c);
    *at = c->next;
    mem_free(c);
}

/* ---- guests -----------------------------------------------------------------------------------*/

static void uncount(struct guest *g)
{
    if (g->client)
        client_less(g->door, g->client);
    g->client = NULL;
    if (g->counted)
        limits_give(g->door->config.limits, g->door->config.total, 1);
    g->counted = false;
}

static void on_data(struct conn *c, unsigned char *p, size_t n, void *user)
{
    struct guest *g = user;

    (void)c;
    g->calls.on_data(g, p, n);
}

static void on_writable(struct conn *c, void *user)
{
    struct guest *g = user;

    (void)c;
    g->calls.on_writable(g);
}

static void on_close(struct conn *c, void *user)
{
    struct guest *g = user;

    (void)c;
    uncount(g);
    if (g->leaving)
        g->door->leaving--;
    *g->at = g->next;
    if (g->next)
        g->next->at = g->at;
    g->calls.on_close(g);
    mem_free(g);
}

static const struct conn_calls calls_of_conn = {on_data, on_writable, on_close};

/* The one that has waited longest: of this client, or, c NULL, of the one with the most. */
static struct guest *longest_waiting(struct door *d, const struct client *c)
{
    struct guest *best = NULL;

    for (struct guest *g = d->guests; g; g = g->next) {
        if (!g->waits_since_ms || g->leaving || (c && g->client != c) || conn_is_full(g->conn))
            continue;
        int more = best && !c ? (g->client ? g->client->count : 0) -
                                    (best->client ? best->client->count : 0)
                              : 0;
        if (!best || more > 0 || (!more && g->waits_since_ms <= best->waits_since_ms))
            best = g;
    }
    return best;
}

/* false: nobody waits. */
static bool make_room(struct door *d, const struct client *c)
{
    struct guest *g = longest_waiting(d, c);

    if (!g)
        return false;
    g->leaving = true;
    d->leaving++;
    uncount(g);
    conn_close(g->conn);
    return true;
}

/* ---- the door ---------------------------------------------------------------------------------*/

static const char busy_body[] =
    "{\"code\":\"busy\",\"detail\":\"本站连接数已满，请稍后重试。 This site has as many "
    "connections "
    "as it takes; try again in a moment.\",\"status\":503,\"title\":\"暂时无法服务 Unavailable for "
    "now\",\"type\":\"urn:doorstep:problem:busy\"}";

static void tell_busy(struct door *d, int fd)
{
    char text[sizeof busy_body + 300], drop[4096];

    if (!conn_kind_is_tls(d->config.kind)) {
        int n = snprintf(text, sizeof text,
                         "HTTP/1.1 503 Service Unavailable\r\nContent-Type: "
                         "application/problem+json\r\nContent-Length: %zu\r\nRetry-After: "
                         "5\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s",
                         sizeof busy_body - 1, busy_body);
        (void)!recv(fd, drop, sizeof drop, MSG_DONTWAIT);
        (void)!send(fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        (void)!recv(fd, drop, sizeof drop, MSG_DONTWAIT);
    }
    close(fd);
}

static void say_seldom(struct door *d, const char *what)
{
    int64_t now = now_ms();

    if (d->logged_ms && now - d->logged_ms < LOG_EVERY_MS)
        return;
    d->logged_ms = now;
    log_line(LOG_LEVEL_WARN, "net", "refused=connections reason=\"%s\" in_use=%lld", what,
             (long long)d->config.limits->used[d->config.total]);
}

static bool trusts(const struct door *d, const struct address *a)
{
    for (size_t i = 0; i < d->config.trusted_count; i++)
        if (network_has(&d->config.trusted[i], a))
            return true;
    return false;
}

/* Count it in, with room made where somebody waits. false: there is none. */
static bool let_in(struct door *d, struct guest *g)
{
    struct limits *l = d->config.limits;

    if (l->used[d->config.total] >= l->max[d->config.total] && !make_room(d, NULL)) {
        limits_note_refusal(l, d->config.total);
        say_seldom(d, "there are as many as the site takes");
        return false;
    }
    /* looked up only now: with the one that gave way its client may be gone */
    struct client *c = g->proxy ? NULL : client_of(d, &g->address);
    bool many = c && d->config.per_client && c->count >= l->max[LIMIT_CONNECTIONS_PER_CLIENT];
    if (many && !make_room(d, c)) {
        limits_note_refusal(l, LIMIT_CONNECTIONS_PER_CLIENT);
        say_seldom(d, "a client has as many as it may");
        return false;
    }
    g->counted = limits_take(l, d->config.total, 1);
    assert(g->counted);
    g->client = c;
    if (c)
        c->count++;
    return true;
}

static void enter(struct door *d, int fd, const struct sockaddr_storage *from)
{
    struct guest *g = mem_alloc(sizeof *g);
    int on = 1;

    g->door = d;
    (void)address_of((const struct sockaddr *)from, &g->address);
    g->proxy = trusts(d, &g->address);
    if (!let_in(d, g)) {
        mem_free(g);
        tell_busy(d, fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    g->calls = *d->config.calls;
    g->conn = conn_adopt(d->config.kind, fd, &calls_of_conn, g);
    if (!g->conn) {
        uncount(g);
        mem_free(g);
        return;
    }
    g->next = d->guests;
    g->at = &d->guests;
    if (g->next)
        g->next->at = &g->next;
    d->guests = g;
    d->config.on_enter(g, d->config.arg);
}

static void rested(void *arg)
{
    struct door *d = arg;

    d->resting = false;
    if (d->spare_fd < 0)
        d->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    conn_watch_rest(d->watch, false);
}

/* The system has no descriptor: those that wait outside are told so, one after the other, by the
 * spare one, and some that wait inside give way for those who come after the rest. */
static void rest(struct door *d)
{
    say_seldom(d, strerror(errno));
    if (d->spare_fd >= 0)
        close(d->spare_fd);
    d->spare_fd = -1;
    for (int i = 0; i < TURN_MAX; i++) {
        int fd = accept4(d->config.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            break;
        limits_note_refusal(d->config.limits, d->config.total);
        tell_busy(d, fd);
    }
    for (int i = 0; i < ROOM_AFTER_REST && make_room(d, NULL); i++)
        ;
    d->resting = true;
    conn_watch_rest(d->watch, true);
    (void)loop_timer(d->config.loop, REST_MS, rested, d);
}

static void on_ready(void *arg)
{
    struct door *d = arg;

    /* those who leave go first: their descriptors are needed */
    for (int i = 0; i < TURN_MAX && !d->resting && d->leaving < LEAVING_MAX; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd =
            accept4(d->config.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            enter(d, fd, &from);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest(d);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

static void look(void *arg)
{
    struct door *d = arg;
    int64_t now = now_ms();

    for (struct guest *g = d->guests, *next; g; g = next) {
        next = g->next; /* a guest ends later than its on_late */
        if (g->late_ms && g->late_ms <= now) {
            g->late_ms = 0;
            g->calls.on_late(g);
        }
    }
    (void)loop_timer(d->config.loop, LOOK_EVERY_MS, look, d);
}

static void end(void *arg)
{
    struct door *d = arg;

    assert(!d->guests);
    if (d->spare_fd >= 0)
        close(d->spare_fd);
    mem_free(d);
}

struct door *door_open(const struct door_config *c, struct errmsg *e)
{
    struct door *d = mem_alloc(sizeof *d);

    d->config = *c;
    d->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    d->watch = conn_watch(c->kind, c->fd, on_ready, d);
    if (d->watch) {
        loop_on_end(c->loop, end, d);
        (void)loop_timer(c->loop, LOOK_EVERY_MS, look, d);
        return d;
    }
    if (d->spare_fd >= 0)
        close(d->spare_fd);
    mem_free(d);
    errmsg_set(e, "the event loop takes no listening socket");
    return NULL;
}

/* ---- for the owner of a guest -----------------------------------------------------------------*/

struct conn *guest_conn(struct guest *g)
{
    return g->conn;
}

const struct address *guest_address(const struct guest *g)
{
    return &g->address;
}

bool guest_is_proxy(const struct guest *g)
{
    return g->proxy;
}

void guest_set_user(struct guest *g, void *user)
{
    g->user = user;
}

void *guest_user(struct guest *g)
{
    return g->user;
}

void guest_hand_over(struct guest *g, const struct guest_calls *calls, void *user)
{
    g->calls = *calls;
    g->user = user;
}

void guest_patience(struct guest *g, int64_t seconds)
{
    g->late_ms = seconds ? now_ms() + seconds * 1000 : 0;
}

void guest_waits(struct guest *g, bool waits)
{
    g->waits_since_ms = waits ? now_ms() : 0;
}

void guest_is_known(struct guest *g)
{
    if (g->client)
        client_less(g->door, g->client);
    g->client = NULL;
}
