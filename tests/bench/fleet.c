/* Many nodes at one hub, in one process: the production engine of each link (sync/link.h) over TLS
 * on an epoll loop of its own. A thousand programs would take the machine that the hub is measured
 * on.
 *
 *   bench_fleet prepare DIR FILE NODES CASES      enrol them at the hub in DIR (not running), write
 * them to FILE bench_fleet return  FILE PORT CA CN MS SECONDS  all dial within MS, with all they
 * have; ends when all is acknowledged bench_fleet idle    FILE PORT CA CN SECONDS   all dial, some
 * at a time, and stay; ends at the end of the input bench_fleet check   DIR what the hub holds
 *
 * Prints "loaded", waits for a line, begins; then lines of JSON. As the product does, a node asks
 * for the clock, pings, dials again after 0.5 s doubling to 30 s, and shows the signed head of its
 * chain when all is acknowledged. What it is not: the node's store (what it is asked to store it
 * says it has) and its key (one for all; each has a certificate of its own). */
#include "fleet/fleet.h"

#include "base/json.h"
#include "base/crypto.h"
#include "base/host.h"
#include "base/mem.h"
#include "ledger/chain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 48    /* idle: handshakes under way */
#define TICK_SLOTS 20 /* a twentieth of the nodes ticks each 50 ms */
#define STORES_MAX 16
#define HEAD_MAX 4096 /* of the answer to the upgrade */

extern const unsigned char sync_dictionary_2[];
extern const size_t sync_dictionary_2_len;

enum phase { AWAY, CONNECTING, SHAKING, UPGRADING, OPEN };

struct node {
    const struct fleet_node *is;
    X509 *cert;
    STACK_OF(X509) * chain;
    enum phase phase;
    int fd;
    SSL *ssl;
    bool wants_write;
    struct buf in, out, message;
    struct link *link;
    uint64_t acked;
    bool up, done, head_shown;
    int64_t dial_at_ms, backoff_ms;
    int64_t first_ms, up_ms, done_ms; /* first dial, link up, last ACK */
    int dials;
};

static struct node *nodes;
static size_t count, up_count, done_count, opening;
static int64_t now;
static int poller;
static long long redials, came_down;
static struct sockaddr_in hub;
static SSL_CTX *tls;
static const char *hub_cn;
static EVP_PKEY *key;
static struct arena *turn;
static char why[200] = "";

static int64_t mono_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_fleet: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- certificates -----------------------------------------------------------------------------*/

static void read_certificate(struct node *n)
{
    BIO *b = BIO_new_mem_buf(n->is->cert, (int)n->is->cert_len);
    X509 *x;

    n->cert = PEM_read_bio_X509(b, NULL, NULL, NULL);
    n->chain = sk_X509_new_null();
    while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
        sk_X509_push(n->chain, x);
    ERR_clear_error();
    BIO_free(b);
    if (!n->cert)
        die("a certificate");
}

static void open_tls(const struct fleet *f, const char *ca)
{
    BIO *b = BIO_new_mem_buf(f->key, (int)f->key_len);

    key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
    BIO_free(b);
    tls = SSL_CTX_new(TLS_client_method());
    if (!key || !tls || SSL_CTX_load_verify_locations(tls, ca, NULL) != 1)
        die("the key, or the authority");
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
}

/* ---- the engine -------------------------------------------------------------------------------*/

static void drop(struct node *n, const char *reason);

static void frame_out(struct node *n, const void *p, size_t len)
{
    static const unsigned char mask[4]; /* of zeros: nothing to hide */

    buf_u8(&n->out, 0x82);
    if (len < 126) {
        buf_u8(&n->out, 0x80 | (unsigned)len);
    } else if (len < 65536) {
        buf_u8(&n->out, 0x80 | 126);
        buf_u16(&n->out, (unsigned)len);
    } else {
        buf_u8(&n->out, 0x80 | 127);
        buf_u64(&n->out, len);
    }
    buf_append(&n->out, mask, 4);
    buf_append(&n->out, p, len);
}

/* The events behind pos, as link_end_read() would give them. */
static void events_behind(const struct node *n, uint64_t pos, size_t event_max, size_t byte_max,
                          struct link_input *ret)
{
    size_t bytes = 0, k = 0, left = pos < n->is->event_count ? n->is->event_count - (size_t)pos : 0;
    const struct sync_event *list = n->is->events + pos;

    while (k < left && k < event_max && (!k || bytes + list[k].len <= byte_max))
        bytes += list[k++].len;
    *ret = (struct link_input){.kind = IN_EVENTS, .events = list, .event_count = k, .pos = pos + k};
}

static void step(struct node *n, struct link_input *in)
{
    struct link_effects fx;
    struct link_input answers[STORES_MAX];
    char reason[128] = "";
    bool closing = false;
    int answer_count = 0;

    in->now_ms = now;
    in->wall_ms = host_wall_ms(host_system());
    arena_reset(turn);
    link_step(n->link, in, turn, &fx);
    for (int i = 0; i < fx.count; i++) {
        const struct link_effect *x = &fx.item[i];
        if (x->kind == FX_SEND) {
            frame_out(n, x->bytes, x->bytes_len);
        } else if (x->kind == FX_UP) {
            n->up = true;
            n->up_ms = now;
            up_count++;
            opening--;
        } else if (x->kind == FX_READ && answer_count < STORES_MAX) {
            events_behind(n, x->pos, x->event_max, x->byte_max, &answers[answer_count++]);
        } else if (x->kind == FX_STORE && answer_count < STORES_MAX) {
            came_down += (long long)x->event_count;
            answers[answer_count++] = (struct link_input){.kind = IN_STORED, .token = x->token};
        } else if (x->kind == FX_ACKED) {
            n->acked = x->pos;
            if (n->is->event_count && n->acked == n->is->event_count && !n->done) {
                n->done = true;
                n->done_ms = now;
                done_count++;
            }
        } else if (x->kind == FX_CLOSE) {
            snprintf(reason, sizeof reason, "%s", x->reason);
            closing = true;
        }
    }
    for (int i = 0; i < answer_count && n->link; i++)
        step(n, &answers[i]);
    if (closing && n->phase != AWAY)
        drop(n, reason);
}

static void opened(struct node *n)
{
    struct link_config c = {.parent_side = false,
                            .dictionary = sync_dictionary_2,
                            .dictionary_len = sync_dictionary_2_len};
    struct link_input in = {
        .kind = IN_OPENED, .pos = n->is->hub_pos, .head_pos = n->is->event_count};

    snprintf(c.site, sizeof c.site, "%s", n->is->code);
    snprintf(c.peer, sizeof c.peer, "%s", hub_cn);
    memcpy(in.stream, n->is->stream, 16);
    memcpy(in.recv_stream, n->is->hub_stream, 16);
    n->phase = OPEN;
    n->link = link_create(&c);
    step(n, &in);
}

static void show_head(struct node *n)
{
    struct link_input in = {.kind = IN_HEAD, .seq = n->is->event_count};

    snprintf(in.origin, sizeof in.origin, "%s", n->is->code);
    memcpy(in.digest, n->is->hash, 32);
    ledger_sign_head(n->is->seed, in.origin, in.seq, in.digest, in.signature);
    n->head_shown = true;
    step(n, &in);
}

/* ---- the socket -------------------------------------------------------------------------------*/

static void watch(struct node *n, int op, bool write)
{
    struct epoll_event ev = {.events = EPOLLIN | (write ? (uint32_t)EPOLLOUT : 0), .data.ptr = n};

    n->wants_write = write;
    if (epoll_ctl(poller, op, n->fd, &ev))
        die("epoll");
}

static void drop(struct node *n, const char *reason)
{
    snprintf(why, sizeof why, "%s", reason);
    if (n->phase == AWAY)
        return;
    if (n->up)
        up_count--;
    else
        opening--;
    SSL_free(n->ssl);
    close(n->fd);
    n->ssl = NULL;
    n->phase = AWAY;
    n->up = false;
    link_destroy(n->link);
    n->link = NULL;
    buf_free(&n->in);
    buf_free(&n->out);
    buf_free(&n->message);
    uint32_t dice;
    crypto_random(&dice, sizeof dice);
    n->dial_at_ms = now + n->backoff_ms / 2 + (int64_t)(dice % (uint32_t)(n->backoff_ms / 2 + 1));
    n->backoff_ms = n->backoff_ms * 2 > 30000 ? 30000 : n->backoff_ms * 2;
    redials++;
}

static void dial(struct node *n)
{
    int one = 1;

    n->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (n->fd < 0)
        die("socket");
    setsockopt(n->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    n->ssl = SSL_new(tls);
    if (!n->ssl || SSL_use_cert_and_key(n->ssl, n->cert, key, n->chain, 1) != 1 ||
        SSL_set_fd(n->ssl, n->fd) != 1)
        die("tls");
    n->phase = CONNECTING;
    if (!n->dials++)
        n->first_ms = now;
    opening++;
    if (connect(n->fd, (struct sockaddr *)&hub, sizeof hub) && errno != EINPROGRESS)
        die("connect");
    watch(n, EPOLL_CTL_ADD, true);
}

/* Is the peer's certificate the hub's? */
static bool is_hub(struct node *n)
{
    char cn[64] = "";
    X509 *x = SSL_get1_peer_certificate(n->ssl);

    if (x)
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof cn);
    X509_free(x);
    return !strcmp(cn, hub_cn);
}

static bool wait_or_fail(struct node *n, int rc, bool *want_write)
{
    int err = SSL_get_error(n->ssl, rc);

    *want_write = err == SSL_ERROR_WANT_WRITE;
    if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
        return true;
    ERR_clear_error();
    drop(n, n->phase == OPEN ? "the connection ended" : "the handshake failed");
    return false;
}

/* Write what is there; false: the node is gone. */
static bool flush(struct node *n)
{
    bool want_write = false;

    while (n->out.len) {
        int rc = SSL_write(n->ssl, n->out.data, (int)n->out.len);
        if (rc <= 0) {
            if (!wait_or_fail(n, rc, &want_write))
                return false;
            break;
        }
        buf_consume(&n->out, (size_t)rc);
    }
    if (!n->out.len)
        buf_free(&n->out);
    if (want_write != n->wants_write)
        watch(n, EPOLL_CTL_MOD, want_write);
    return true;
}

static void upgrade(struct node *n)
{
    buf_printf(&n->out,
               "GET /sync/v1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: "
               "Upgrade\r\n"
               "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Protocol: doorstep.sync.v1\r\n\r\n",
               ntohs(hub.sin_port));
    n->phase = UPGRADING;
}

/* Whole WebSocket frames at the front of n->in. */
static void take_frames(struct node *n)
{
    while (n->phase == OPEN && n->in.len >= 2) {
        struct reader r = {.p = n->in.data, .left = n->in.len};
        unsigned head = reader_u8(&r), opcode = head & 15;
        uint64_t len = reader_u8(&r) & 127;
        len = len == 126 ? reader_u16(&r) : len == 127 ? reader_u64(&r) : len;
        if (r.bad || r.left < len)
            return;
        if (opcode == 8) {
            char text[126];
            snprintf(text, sizeof text, "%.*s", len > 2 ? (int)len - 2 : 0, (const char *)r.p + 2);
            drop(n, text);
            return;
        }
        if (opcode == 9) {
            buf_u8(&n->out, 0x8a);
            buf_u8(&n->out, 0x80 | (unsigned)len);
            buf_u32(&n->out, 0);
            buf_append(&n->out, r.p, len);
        }
        if (opcode <= 2)
            buf_append(&n->message, r.p, len);
        buf_consume(&n->in, n->in.len - r.left + len);
        if (opcode <= 2 && head & 0x80) {
            struct buf m = n->message;
            struct link_input in = {.kind = IN_FRAME, .bytes = m.data, .bytes_len = m.len};
            n->message = (struct buf){0};
            step(n, &in);
            buf_free(&m);
        }
    }
    if (n->phase == OPEN && !n->in.len)
        buf_free(&n->in);
}

static void take(struct node *n)
{
    if (n->phase == UPGRADING) {
        char *end = strstr(buf_text(&n->in), "\r\n\r\n");
        if (!end && n->in.len < HEAD_MAX)
            return;
        if (!end || strncmp((char *)n->in.data, "HTTP/1.1 101", 12)) {
            drop(n, "no upgrade");
            return;
        }
        buf_consume(&n->in, (size_t)(end + 4 - (char *)n->in.data));
        opened(n);
    }
    take_frames(n);
}

static void ready(struct node *n, uint32_t events)
{
    static unsigned char piece[65536];
    bool want_write;
    int rc;

    if (n->phase == CONNECTING) {
        int err = 0;
        socklen_t len = sizeof err;
        if (events & (EPOLLERR | EPOLLHUP) &&
            !getsockopt(n->fd, SOL_SOCKET, SO_ERROR, &err, &len) && err) {
            drop(n, strerror(err));
            return;
        }
        n->phase = SHAKING;
    }
    if (n->phase == SHAKING) {
        if ((rc = SSL_connect(n->ssl)) != 1) {
            if (wait_or_fail(n, rc, &want_write) && want_write != n->wants_write)
                watch(n, EPOLL_CTL_MOD, want_write);
            return;
        }
        if (!is_hub(n)) {
            drop(n, "another site answers there");
            return;
        }
        upgrade(n);
    }
    while (n->phase >= UPGRADING && (rc = SSL_read(n->ssl, piece, sizeof piece)) > 0) {
        buf_append(&n->in, piece, (size_t)rc);
        take(n);
    }
    if (n->phase >= UPGRADING && wait_or_fail(n, rc, &want_write))
        flush(n);
}

/* ---- time -------------------------------------------------------------------------------------*/

static void tick(struct node *n)
{
    struct link_input in = {.kind = IN_TICK};

    if (n->phase != OPEN)
        return;
    if (n->done && !n->head_shown)
        show_head(n);
    if (n->phase == OPEN)
        step(n, &in);
    if (n->phase == OPEN)
        flush(n);
}

/* One turn of at most ms. */
static void serve(int ms)
{
    static struct epoll_event list[256];
    static int64_t next_slot_ms;
    static size_t slot;
    int n;

    now = mono_us() / 1000;
    if (!next_slot_ms)
        next_slot_ms = now;
    for (; now >= next_slot_ms; next_slot_ms += 1000 / TICK_SLOTS, slot = (slot + 1) % TICK_SLOTS)
        for (size_t i = slot; i < count; i += TICK_SLOTS)
            tick(&nodes[i]);
    if (next_slot_ms - now < ms)
        ms = (int)(next_slot_ms - now);
    n = epoll_wait(poller, list, 256, ms < 0 ? 0 : ms);
    now = mono_us() / 1000;
    for (int i = 0; i < n; i++)
        ready(list[i].data.ptr, list[i].events);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int fleet_return(int64_t spread_ms, int64_t seconds)
{
    int64_t start = mono_us() / 1000, *took = mem_alloc(sizeof *took * (count + 1)),
            *came = mem_alloc(sizeof *came * (count + 1));
    long long events = 0;

    for (size_t i = 0; i < count; i++)
        nodes[i].dial_at_ms = start + (int64_t)i * spread_ms / (int64_t)count;
    while (done_count < count && mono_us() / 1000 - start < seconds * 1000) {
        int64_t next = 50;
        now = mono_us() / 1000;
        for (size_t i = 0; i < count; i++)
            if (nodes[i].phase == AWAY) {
                if (nodes[i].dial_at_ms <= now)
                    dial(&nodes[i]);
                else if (nodes[i].dial_at_ms - now < next)
                    next = nodes[i].dial_at_ms - now;
            }
        serve((int)next);
    }
    int64_t over = mono_us() / 1000;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        events += (long long)nodes[i].acked;
        if (nodes[i].done) {
            came[n] = nodes[i].up_ms - nodes[i].first_ms;
            took[n++] = nodes[i].done_ms - nodes[i].first_ms;
        }
    }
    qsort(took, n, sizeof *took, by_value);
    qsort(came, n, sizeof *came, by_value);
    printf("{\"nodes\":%zu,\"done\":%zu,\"events\":%lld,\"seconds\":%.3f,\"up_median_ms\":%lld,"
           "\"up_max_ms\":%lld,"
           "\"least_ms\":%lld,\"median_ms\":%lld,\"p99_ms\":%lld,\"max_ms\":%lld,\"redials\":%lld,"
           "\"came_down\":%lld,\"why\":\"%s\"}\n",
           count, done_count, events, (double)(over - start) / 1000,
           (long long)(n ? came[n / 2] : -1), (long long)(n ? came[n - 1] : -1),
           (long long)(n ? took[0] : -1), (long long)(n ? took[n / 2] : -1),
           (long long)(n ? took[n * 99 / 100] : -1), (long long)(n ? took[n - 1] : -1), redials,
           came_down, why);
    fflush(stdout);
    for (int i = 0; i < 40; i++) /* the heads go out */
        serve(50);
    mem_free(took);
    mem_free(came);
    return done_count == count ? 0 : 1;
}

static bool input_over(void)
{
    struct pollfd p = {.fd = 0, .events = POLLIN};
    char c[64];

    return poll(&p, 1, 0) > 0 && read(0, c, sizeof c) <= 0;
}

static int fleet_idle(int64_t seconds)
{
    int64_t start = mono_us() / 1000;
    bool told = false;

    while (!input_over() && mono_us() / 1000 - start < seconds * 1000) {
        now = mono_us() / 1000;
        for (size_t i = 0; i < count && opening < AT_ONCE && up_count + opening < count; i++)
            if (nodes[i].phase == AWAY && nodes[i].dial_at_ms <= now)
                dial(&nodes[i]);
        serve(20);
        if (!told && up_count == count) {
            told = true;
            printf("{\"up\":%zu,\"seconds\":%.3f,\"redials\":%lld,\"why\":\"%s\"}\n", up_count,
                   (double)(mono_us() / 1000 - start) / 1000, redials, why);
            fflush(stdout);
        }
    }
    printf("{\"up\":%zu,\"redials\":%lld,\"why\":\"%s\"}\n", up_count, redials, why);
    return up_count == count ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct fleet f;
    char line[64];

    json_use_arenas();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc == 6 && !strcmp(argv[1], "prepare")) {
        fleet_prepare(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
        return 0;
    }
    if (argc == 3 && !strcmp(argv[1], "check")) {
        fleet_check(argv[2]);
        return 0;
    }
    bool returning = argc == 8 && !strcmp(argv[1], "return");
    if (!returning && !(argc == 7 && !strcmp(argv[1], "idle")))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    fleet_load(argv[2], &f);
    hub = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)atoi(argv[3])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    hub_cn = argv[5];
    open_tls(&f, argv[4]);
    turn = arena_create();
    poller = epoll_create1(EPOLL_CLOEXEC);
    count = f.count;
    nodes = mem_alloc(sizeof *nodes * (count + 1));
    for (size_t i = 0; i < count; i++) {
        nodes[i].is = &f.nodes[i];
        nodes[i].backoff_ms = 500;
        read_certificate(&nodes[i]);
    }
    printf("loaded\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 1;
    return returning ? fleet_return(atoll(argv[6]), atoll(argv[7])) : fleet_idle(atoll(argv[6]));
}
