/* A line between two programs on loopback: counts TCP payload, and can be slow.
 *
 *   bench_line PORT TARGET_PORT [BYTES_PER_S DELAY_MS QUEUE_BYTES]
 *
 * PORT 0: any that is free. Prints "port=N". At SIGUSR1 it prints one line of JSON: payload up (to
 * the target) and down, when the first connection was accepted (CLOCK_MONOTONIC), how many there
 * were. Ends at SIGTERM.
 *
 * A slow line takes bytes as a modem does: they leave one after the other at the rate, and arrive
 * the delay later. It holds at most QUEUE_BYTES that have not left; then it does not read, and its
 * receive buffer is the smallest that the kernel allows. A deep queue would measure the queue: what
 * waits in it nobody can overtake. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX 64
#define RING (256 * 1024)
#define PIECES_MAX 4096
#define PIECE_SLOW 256 /* a slow line gives on what it has in small pieces, as it comes */

struct way { /* one direction of a connection */
    int from, to;
    unsigned char *ring;
    size_t start, len;
    struct piece {
        int64_t due_ns;
        size_t n;
    } pieces[PIECES_MAX];
    int first, count;
    bool eof, shut;
};

static struct pair {
    bool used;
    struct way way[2]; /* up, down */
} * pairs[PAIRS_MAX];

static int64_t rate, delay_ns,
    free_ns[2]; /* when each direction of the line has sent all that it took */
static size_t queue_max = RING;
static unsigned long long bytes[2];
static int64_t first_accept_ns;
static int accepted;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void option(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

static size_t room(const struct way *w, int dir, int64_t now)
{
    size_t left = RING - w->len, waiting = 0;

    if (w->count == PIECES_MAX || w->eof)
        return 0;
    if (!rate)
        return left;
    if (free_ns[dir] > now)
        waiting = (size_t)((double)(free_ns[dir] - now) * (double)rate / 1e9);
    if (waiting >= queue_max)
        return 0;
    if (left > queue_max - waiting)
        left = queue_max - waiting;
    return left > PIECE_SLOW ? PIECE_SLOW : left;
}

static bool take(struct way *w, int dir, int64_t now)
{
    size_t at = (w->start + w->len) % RING, n = room(w, dir, now);

    if (n > RING - at)
        n = RING - at;
    ssize_t got = n ? read(w->from, w->ring + at, n) : -1;
    if (got < 0)
        return !n || errno == EAGAIN || errno == EINTR;
    if (!got) {
        w->eof = true;
        return true;
    }
    bytes[dir] += (unsigned long long)got;
    w->len += (size_t)got;
    struct piece *p = &w->pieces[(w->first + w->count++) % PIECES_MAX];
    *p = (struct piece){.due_ns = now, .n = (size_t)got};
    if (rate) {
        free_ns[dir] =
            (free_ns[dir] > now ? free_ns[dir] : now) + (int64_t)((double)got * 1e9 / (double)rate);
        p->due_ns = free_ns[dir] + delay_ns;
    }
    return true;
}

static bool give(struct way *w, int64_t now)
{
    while (w->count && w->pieces[w->first].due_ns <= now) {
        struct piece *p = &w->pieces[w->first];
        size_t n = p->n > RING - w->start ? RING - w->start : p->n;
        ssize_t put = send(w->to, w->ring + w->start, n, MSG_NOSIGNAL);
        if (put < 0)
            return errno == EAGAIN || errno == EINTR;
        w->start = (w->start + (size_t)put) % RING;
        w->len -= (size_t)put;
        p->n -= (size_t)put;
        if (!p->n) {
            w->first = (w->first + 1) % PIECES_MAX;
            w->count--;
        }
    }
    if (w->eof && !w->len && !w->shut) {
        shutdown(w->to, SHUT_WR);
        w->shut = true;
    }
    return true;
}

static void end(struct pair *x)
{
    for (int d = 0; d < 2; d++) {
        free(x->way[d].ring);
        x->way[d].ring = NULL;
    }
    close(x->way[0].from);
    close(x->way[0].to);
    x->used = false;
}

static void begin(int listener, uint16_t target)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(target),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int a = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), b, i = 0;

    if (a < 0)
        return;
    if (!accepted++)
        first_accept_ns = now_ns();
    b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (rate)
        option(b, SOL_SOCKET, SO_RCVBUF, 2048);
    while (i < PAIRS_MAX && pairs[i] && pairs[i]->used)
        i++;
    if (i == PAIRS_MAX || connect(b, (struct sockaddr *)&to, sizeof to)) {
        close(a);
        close(b);
        return;
    }
    fcntl(b, F_SETFL, O_NONBLOCK);
    if (!pairs[i])
        pairs[i] = malloc(sizeof **pairs);
    memset(pairs[i], 0, sizeof **pairs);
    pairs[i]->used = true;
    option(a, IPPROTO_TCP, TCP_NODELAY, 1);
    option(b, IPPROTO_TCP, TCP_NODELAY, 1);
    for (int d = 0; d < 2; d++) {
        struct way *w = &pairs[i]->way[d];
        w->from = d ? b : a;
        w->to = d ? a : b;
        w->ring = malloc(RING);
    }
}

static void report(void)
{
    printf("{\"up\":%llu,\"down\":%llu,\"first_accept_ns\":%lld,\"connections\":%d}\n", bytes[0],
           bytes[1], (long long)first_accept_ns, accepted);
    fflush(stdout);
}

/* One turn: what is ready is moved; sleeps until something is. */
static bool turn(int listener, int signals, uint16_t target)
{
    struct pollfd fds[2 + 2 * PAIRS_MAX] = {{.fd = listener, .events = POLLIN},
                                            {.fd = signals, .events = POLLIN}};
    int64_t now = now_ns(), wake = now + 1000000000;
    int n = 2, at[PAIRS_MAX];
    struct timespec t;

    for (int i = 0; i < PAIRS_MAX; i++) {
        if (!pairs[i] || !pairs[i]->used)
            continue;
        at[i] = n;
        for (int d = 0; d < 2; d++) { /* fds: the two ends, a then b */
            struct way *in = &pairs[i]->way[d], *out = &pairs[i]->way[!d];
            short events = 0;
            if (room(in, d, now))
                events |= POLLIN;
            else if (rate && !in->eof && wake > now + 2000000)
                wake = now + 2000000;
            if (out->count && out->pieces[out->first].due_ns <= now)
                events |= POLLOUT;
            else if (out->count && out->pieces[out->first].due_ns < wake)
                wake = out->pieces[out->first].due_ns;
            fds[n++] = (struct pollfd){.fd = events ? in->from : -1, .events = events};
        }
    }
    t = (struct timespec){.tv_sec = (wake - now) / 1000000000,
                          .tv_nsec = (wake - now) % 1000000000};
    if (ppoll(fds, (nfds_t)n, &t, NULL) < 0 && errno != EINTR)
        return false;
    now = now_ns();
    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *x = pairs[i];
        if (!x || !x->used)
            continue;
        bool good = true;
        for (int d = 0; good && d < 2; d++)
            if (fds[at[i] + d].revents & (POLLIN | POLLHUP | POLLERR))
                good = take(&x->way[d], d, now);
        for (int d = 0; good && d < 2; d++)
            good = give(&x->way[d], now);
        if (!good || (x->way[0].shut && x->way[1].shut))
            end(x);
    }
    if (fds[0].revents & POLLIN)
        begin(listener, target);
    if (fds[1].revents & POLLIN) {
        struct signalfd_siginfo s;
        if (read(signals, &s, sizeof s) != sizeof s || s.ssi_signo != SIGUSR1)
            return false;
        report();
    }
    return true;
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sigset_t set;

    if (argc != 3 && argc != 6)
        return 2;
    if (argc == 6) {
        rate = atoll(argv[3]);
        delay_ns = atoll(argv[4]) * 1000000;
        queue_max = (size_t)atoll(argv[5]);
        option(listener, SOL_SOCKET, SO_RCVBUF, 2048);
    }
    here.sin_port = htons((uint16_t)atoi(argv[1]));
    option(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0 || bind(listener, (struct sockaddr *)&here, len) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&here, &len)) {
        perror("bench_line");
        return 1;
    }
    printf("port=%d\n", ntohs(here.sin_port));
    fflush(stdout);
    while (turn(listener, signals, (uint16_t)atoi(argv[2])))
        ;
    return 0;
}
