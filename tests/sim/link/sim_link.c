/* Two engines of shared/sync over a line that is cut, slow and half-open, at sites that crash and
 * lose what was not durable. Everything is drawn from the seed: the same seed gives the same run.
 *
 *   build/sim --seeds 1..300 [--trace]
 *
 * Safety, at every step: what a side stores is the other's outbox, in order, nothing twice and
 * nothing left out; nothing is acknowledged that is not durable; a document announced complete has
 * its bytes. Liveness, after the faults end: within bounded simulated time both outboxes and all
 * documents are over. */
#include "base/crypto.h"
#include "sync/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_FRAMES_MAX 4096
#define WORK_MAX 512
#define DOCS_MAX 8
#define FAULT_MS 120000
#define HEAL_MS 900000

static uint64_t rng;
static bool tracing;
static int64_t now;
static uint64_t seed_now;

static uint64_t draw(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static uint64_t below(uint64_t n)
{
    return draw() % n;
}

struct letter { /* one frame on the line */
    int64_t at;
    size_t n;
    unsigned char *p;
};

struct line { /* one direction, in order */
    struct letter q[WIRE_FRAMES_MAX];
    int head, tail;
    int64_t free_at; /* the line is busy until then */
};

struct work { /* what the host has promised to do: done at `at`, lost in a crash before */
    int64_t at;
    struct link_input in;
    uint64_t first_id, count, prev_pos, pos;
    unsigned char stream[16];
    int doc;
    size_t doc_upto;
};

struct doc {
    unsigned char digest[32];
    unsigned char *bytes;
    size_t n, have; /* have: durable at the side that fetches */
    bool done;
};

struct side {
    const char *name;
    struct link *link;
    bool open;
    uint64_t outbox; /* events 1..outbox, position = id; durable */
    uint64_t stored; /* ids of the peer's events held durably: 1..stored */
    uint64_t acked;
    unsigned char stream[16], known_stream[16];
    struct work work[WORK_MAX];
    int works;
    int64_t skew, wall_skew;
    unsigned oldest, newest; /* versions of its program */
};

static struct side side[2];
static struct line line[2];          /* line[i] carries from side i */
static struct doc docs[2][DOCS_MAX]; /* docs[i]: fetched by side i */
static int doc_count[2];
static bool connected, half_open;
static int64_t line_bytes_per_s, line_delay, opened_at;
static char broken[300];
static uint64_t skews_told;

static void breach(const char *what, struct side *s, uint64_t a, uint64_t b)
{
    if (!broken[0])
        snprintf(broken, sizeof broken, "%s at %s (%" PRIu64 ", %" PRIu64 "), t=%" PRId64 " ms",
                 what, s->name, a, b, now);
}

static void trace(const char *what, const struct side *s, uint64_t a, uint64_t b)
{
    if (tracing)
        printf("%8" PRId64 " %-4s %-12s %" PRIu64 " %" PRIu64 "\n", now, s ? s->name : "-", what, a,
               b);
}

static void step(int i, const struct link_input *in);

static void line_clear(struct line *l)
{
    for (; l->head != l->tail; l->head = (l->head + 1) % WIRE_FRAMES_MAX)
        free(l->q[l->head].p);
    l->free_at = 0;
}

static void disconnect(void)
{
    connected = false;
    for (int i = 0; i < 2; i++) {
        line_clear(&line[i]);
        side[i].open = false;
    }
    trace("cut", NULL, 0, 0);
}

static void post(int i, const unsigned char *p, size_t n)
{
    struct line *l = &line[i];
    struct letter *m = &l->q[l->tail];

    l->free_at = (l->free_at > now ? l->free_at : now) + (int64_t)n * 1000 / line_bytes_per_s;
    m->at = l->free_at + line_delay;
    m->n = n;
    m->p = malloc(n ? n : 1);
    memcpy(m->p, p, n);
    l->tail = (l->tail + 1) % WIRE_FRAMES_MAX;
    if (l->tail == l->head)
        breach("the line overflows: the window does not hold", &side[i], n, 0);
}

static void later(struct side *s, struct work w, int64_t in_ms)
{
    if (s->works == WORK_MAX) {
        breach("too much work: the window does not hold", s, 0, 0);
        return;
    }
    w.at = now + in_ms;
    if (s->works && w.at < s->work[s->works - 1].at)
        w.at = s->work[s->works - 1].at; /* one store thread: in order */
    s->work[s->works++] = w;
}

static int doc_index(int i, const unsigned char *digest)
{
    for (int k = 0; k < doc_count[i]; k++)
        if (!memcmp(docs[i][k].digest, digest, 32))
            return k;
    return -1;
}

/* An event is its id and some filling. */
static uint64_t event_id(const struct sync_event *ev)
{
    struct reader r = {ev->bytes, ev->len, false};

    return reader_u64(&r);
}

static void do_read(int i, const struct link_effect *x)
{
    struct side *s = &side[i];
    struct work w = {0};

    w.in.kind = IN_EVENTS;
    w.first_id = x->pos + 1;
    w.count = s->outbox > x->pos ? s->outbox - x->pos : 0;
    if (w.count > 50)
        w.count = 50;
    w.pos = x->pos + w.count;
    later(s, w, (int64_t)below(20));
}

static void do_store(int i, const struct link_effect *x)
{
    struct side *s = &side[i];
    struct work w = {0};

    w.in.kind = IN_STORED;
    w.in.token = x->token;
    w.in.err = below(400) == 0 && now < FAULT_MS ? ERR_FULL : OK;
    w.first_id = event_id(&x->events[0]);
    w.count = x->event_count;
    w.prev_pos = x->prev_pos;
    w.pos = x->pos;
    memcpy(w.stream, x->stream, 16);
    for (size_t k = 0; k < x->event_count; k++)
        if (event_id(&x->events[k]) != w.first_id + k)
            breach("events out of order in a batch", s, event_id(&x->events[k]), w.first_id + k);
    if (w.first_id + w.count - 1 != w.pos)
        breach("a batch whose position is not its last event", s, w.first_id, w.pos);
    later(s, w, (int64_t)below(30));
}

static void do_chunks(int i, const struct link_effect *x)
{
    struct side *s = &side[i];
    struct work w = {0};

    memcpy(w.in.digest, x->digest, 32);
    w.in.offset = x->offset;
    if (x->kind == FX_READ_CHUNK) {
        w.in.kind = IN_CHUNK;
        w.doc = doc_index(1 - i, x->digest);
        w.count = x->byte_max;
        later(s, w, (int64_t)below(10));
        return;
    }
    w.in.kind = IN_CHUNK_STORED;
    w.doc = doc_index(i, x->digest);
    struct doc *d = &docs[i][w.doc];
    if (x->total != d->n || memcmp(d->bytes + x->offset, x->bytes, x->bytes_len))
        breach("a chunk with other bytes", s, x->offset, x->bytes_len);
    w.doc_upto = x->offset + x->bytes_len;
    later(s, w, (int64_t)below(10));
}

/* The version that both speak; 0: none. */
static unsigned common(void)
{
    unsigned both = side[0].newest < side[1].newest ? side[0].newest : side[1].newest;

    return both < side[0].oldest || both < side[1].oldest ? 0 : both;
}

/* What the peer's clock showed lies between the opening of the line and now. */
static void check_skew(int i, int64_t told)
{
    int64_t is = side[1 - i].wall_skew - side[i].wall_skew;

    if (told > is || told < is - (now - opened_at))
        breach("another clock than the peer's", &side[i], (uint64_t)told, (uint64_t)is);
}

static void effects(int i, const struct link_effects *fx)
{
    struct side *s = &side[i], *peer = &side[1 - i];

    for (int k = 0; k < fx->count; k++) {
        const struct link_effect *x = &fx->item[k];
        switch (x->kind) {
        case FX_SEND:
            if (connected && !half_open)
                post(i, x->bytes, x->bytes_len);
            break;
        case FX_UP:
            trace("up", s, x->version, (uint64_t)x->skew_ms);
            if (!common() || x->version != common() || link_version(s->link) != common())
                breach("another version than both speak", s, x->version, common());
            check_skew(i, x->skew_ms);
            break;
        case FX_SKEW:
            if (common() < 3)
                breach("a clock that version 2 does not tell", s, 0, 0);
            check_skew(i, x->skew_ms);
            skews_told++;
            break;
        case FX_READ:
            do_read(i, x);
            break;
        case FX_STORE:
            do_store(i, x);
            break;
        case FX_ACKED:
            if (x->pos > peer->stored)
                breach("acknowledged before it was durable", s, x->pos, peer->stored);
            if (x->pos > s->acked)
                s->acked = x->pos;
            trace("acked", s, x->pos, peer->stored);
            break;
        case FX_READ_CHUNK:
        case FX_STORE_CHUNK:
            do_chunks(i, x);
            break;
        case FX_NONE:
            breach("a document refused that is there", s, 0, 0);
            break;
        case FX_ASK_LEASE: {
            struct work w = {0};
            w.in.kind = IN_LEASE;
            w.in.mono_ms = x->mono_ms;
            w.in.lease_now_ms = w.in.promised_ms = now;
            w.in.length_ms = 1000000;
            later(s, w, (int64_t)below(30));
            break;
        }
        case FX_LEASE:
            if (x->mono_ms > now + s->skew)
                breach("a lease from the future", s, (uint64_t)x->mono_ms, (uint64_t)now);
            break;
        case FX_RECALL:
        case FX_RECALLED:
        case FX_HAVE:
        case FX_HEAD:
            break;
        case FX_CLOSE:
            if (x->code != BYE_STORE && x->code != BYE_SILENT && !x->by_peer &&
                (x->code != BYE_VERSION || common()))
                breach(x->reason, s, x->code, 0);
            trace(x->reason, s, x->code, x->by_peer);
            s->open = false;
            break;
        }
    }
}

static void step(int i, const struct link_input *in)
{
    struct link_input copy = *in;
    struct arena *turn = arena_create();
    struct link_effects *fx = calloc(1, sizeof *fx);

    copy.now_ms = now + side[i].skew;
    copy.wall_ms = now + side[i].wall_skew;
    link_step(side[i].link, &copy, turn, fx);
    effects(i, fx);
    free(fx);
    arena_destroy(turn);
}

static void connect_(void)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &side[i];
        struct link_input in = {.kind = IN_OPENED, .pos = s->stored, .head_pos = s->outbox};
        connected = true;
        opened_at = now;
        half_open = false;
        s->open = true;
        s->works = 0;
        memcpy(in.stream, s->stream, 16);
        memcpy(in.recv_stream, s->known_stream, 16);
        step(i, &in);
    }
    trace("connect", NULL, 0, 0);
}

static void answer_events(int i, struct work *w)
{
    struct sync_event *events = calloc(w->count ? w->count : 1, sizeof *events);
    struct buf *bytes = calloc(w->count ? w->count : 1, sizeof *bytes);

    for (uint64_t k = 0; k < w->count; k++) {
        buf_u64(&bytes[k], w->first_id + k);
        for (uint64_t n = (w->first_id + k) * 37 % 300; n--;)
            buf_u8(&bytes[k], (unsigned)(n * 31 & 0xff));
        events[k] = (struct sync_event){bytes[k].data, bytes[k].len};
    }
    w->in.events = events;
    w->in.event_count = w->count;
    w->in.pos = w->pos;
    step(i, &w->in);
    for (uint64_t k = 0; k < w->count; k++)
        buf_free(&bytes[k]);
    free(bytes);
    free(events);
}

static void answer_stored(int i, struct work *w)
{
    struct side *s = &side[i];

    if (w->in.err == OK && w->prev_pos != s->stored)
        w->in.err = ERR_CONFLICT; /* behind a batch that failed */
    if (w->in.err == OK) {
        if (w->first_id != s->stored + 1)
            breach(w->first_id <= s->stored ? "an event twice" : "an event left out", s,
                   w->first_id, s->stored);
        s->stored = w->pos;
        memcpy(s->known_stream, w->stream, 16);
        trace("stored", s, w->first_id, w->pos);
    }
    step(i, &w->in);
}

static void answer_chunk_stored(int i, struct work *w)
{
    struct doc *d = &docs[i][w->doc];

    if (w->in.offset != d->have)
        breach("a chunk at another offset than what is here", &side[i], w->in.offset, d->have);
    d->have = w->doc_upto;
    d->done = d->have == d->n;
    w->in.offset = d->have;
    w->in.finished = d->done;
    step(i, &w->in);
}

static void work_due(int i)
{
    struct side *s = &side[i];

    while (s->works && s->work[0].at <= now) {
        struct work w = s->work[0];
        memmove(s->work, s->work + 1, (size_t)--s->works * sizeof *s->work);
        switch (w.in.kind) {
        case IN_EVENTS:
            answer_events(i, &w);
            break;
        case IN_STORED:
            answer_stored(i, &w);
            break;
        case IN_CHUNK: {
            struct doc *d = &docs[1 - i][w.doc];
            size_t left = d->n - (size_t)w.in.offset;
            w.in.bytes = d->bytes + w.in.offset;
            w.in.bytes_len = left < w.count ? left : w.count;
            w.in.total = (int64_t)d->n;
            step(i, &w.in);
            break;
        }
        case IN_CHUNK_STORED:
            answer_chunk_stored(i, &w);
            break;
        case IN_LEASE:
            step(i, &w.in);
            break;
        case IN_OPENED:
        case IN_FRAME:
        case IN_TICK:
        case IN_LOCAL:
        case IN_WANTED:
        case IN_HEAD:
        case IN_BYE:
        case IN_RECALL:
        case IN_RECALLED:
        case IN_HAVE:
            break;
        }
    }
}

static void deliver(void)
{
    for (int i = 0; i < 2; i++)
        while (connected && line[i].head != line[i].tail && line[i].q[line[i].head].at <= now) {
            struct letter m = line[i].q[line[i].head];
            struct link_input in = {.kind = IN_FRAME, .bytes = m.p, .bytes_len = m.n};
            line[i].head = (line[i].head + 1) % WIRE_FRAMES_MAX;
            if (side[1 - i].open)
                step(1 - i, &in);
            free(m.p);
        }
    if (connected && (!side[0].open || !side[1].open))
        disconnect();
}

static void want_documents(int i)
{
    struct side *s = &side[i];

    for (int k = 0; k < doc_count[i] && s->open && link_can_fetch(s->link); k++)
        if (!docs[i][k].done && !link_is_fetching(s->link, docs[i][k].digest)) {
            struct link_input in = {.kind = IN_WANTED, .offset = docs[i][k].have};
            memcpy(in.digest, docs[i][k].digest, 32);
            step(i, &in);
        }
}

/* A crash: the engine and what was not durable are gone. While there are faults, the program that
 * comes back may be another one. */
static void crash(int i)
{
    static const struct {
        unsigned oldest, newest;
    } programs[] = {{WIRE_OLDEST, WIRE_NEWEST}, {2, 2}, {2, 3}, {3, 4}, {2, 4}};
    struct side *s = &side[i];
    size_t k = now < FAULT_MS ? below(sizeof programs / sizeof programs[0]) : 0;
    struct link_config c = {.parent_side = i == 1,
                            .oldest = programs[k].oldest,
                            .newest = programs[k].newest,
                            .dictionary = "case.filed/1",
                            .dictionary_len = 12};

    s->oldest = programs[k].oldest;
    s->newest = programs[k].newest;

    memcpy(c.site, i ? "331002003000" : "331002003901", 13);
    memcpy(c.peer, i ? "331002003901" : "331002003000", 13);
    link_destroy(s->link);
    s->link = link_create(&c);
    s->works = 0;
    trace("crash", s, s->outbox, s->stored);
    if (connected)
        disconnect();
}

static void begin(uint64_t seed)
{
    memset(side, 0, sizeof side);
    memset(docs, 0, sizeof docs);
    memset(line, 0, sizeof line);
    rng = seed * 0x9e3779b97f4a7c15u + 1;
    now = 0;
    broken[0] = 0;
    connected = half_open = false;
    line_delay = (int64_t)below(400);
    line_bytes_per_s = below(3) ? 1000000 : 8000;
    for (int i = 0; i < 2; i++) {
        side[i].name = i ? "hub" : "node";
        side[i].skew = (int64_t)below(100000);
        side[i].wall_skew = (int64_t)below(2 * 3600 * 1000);
        for (int k = 0; k < 16; k++)
            side[i].stream[k] = (unsigned char)draw();
        doc_count[i] = (int)below(DOCS_MAX + 1);
        for (int k = 0; k < doc_count[i]; k++) {
            struct doc *d = &docs[i][k];
            d->n = 1 + below(below(4) ? 20000 : 300000);
            d->bytes = malloc(d->n);
            for (size_t b = 0; b < d->n; b++)
                d->bytes[b] = (unsigned char)draw();
            crypto_sha256(d->bytes, d->n, d->digest);
        }
        crash(i);
    }
}

static void finish(void)
{
    for (int i = 0; i < 2; i++) {
        link_destroy(side[i].link);
        side[i].link = NULL;
        line_clear(&line[i]);
        for (int k = 0; k < doc_count[i]; k++)
            free(docs[i][k].bytes);
    }
}

static void faults(void)
{
    if (below(300) == 0)
        crash((int)below(2));
    if (connected && below(250) == 0)
        disconnect();
    if (connected && below(800) == 0) {
        half_open = true; /* nothing passes any more, and nobody is told */
        trace("half-open", NULL, 0, 0);
    }
}

static void office_work(void)
{
    for (int i = 0; i < 2; i++)
        if (below(20) == 0) {
            struct link_input in = {.kind = IN_LOCAL};
            side[i].outbox += 1 + below(below(30) ? 4 : 400);
            in.head_pos = side[i].outbox;
            step(i, &in);
        }
}

static bool all_over(void)
{
    for (int i = 0; i < 2; i++) {
        if (side[i].stored != side[1 - i].outbox || side[i].acked != side[i].outbox)
            return false;
        for (int k = 0; k < doc_count[i]; k++)
            if (!docs[i][k].done)
                return false;
    }
    return true;
}

static bool run(uint64_t seed)
{
    int64_t tick = 0, dial = 0;

    seed_now = seed;
    begin(seed);
    for (; now < FAULT_MS + HEAL_MS && !broken[0]; now += 10) {
        if (now < FAULT_MS) {
            faults();
            office_work();
        } else if (now == FAULT_MS) { /* everybody has the program of today */
            for (int i = 0; i < 2; i++)
                crash(i);
        } else if (all_over()) {
            break;
        }
        if (!connected && now >= dial) {
            connect_();
            dial = now + 500 + (int64_t)below(2000);
        }
        deliver();
        for (int i = 0; i < 2; i++) {
            work_due(i);
            want_documents(i);
            if (now >= tick) {
                struct link_input in = {.kind = IN_TICK};
                step(i, &in);
            }
        }
        if (now >= tick)
            tick = now + 1000;
    }
    if (!broken[0] && !all_over())
        snprintf(broken, sizeof broken,
                 "not over: node %" PRIu64 "/%" PRIu64 " hub %" PRIu64 "/%" PRIu64, side[1].stored,
                 side[0].outbox, side[0].stored, side[1].outbox);
    if (broken[0])
        printf("seed %" PRIu64 ": %s\n    again: build/sim --seeds %" PRIu64 "..%" PRIu64
               " --trace\n",
               seed, broken, seed, seed);
    finish();
    return !broken[0];
}

int main(int argc, char **argv)
{
    uint64_t from = 1, to = 300, passed = 0, failed = 0;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--trace")) {
            tracing = true;
        } else if (strcmp(argv[i], "--seeds") || ++i == argc ||
                   sscanf(argv[i], "%" SCNu64 "..%" SCNu64, &from, &to) != 2) {
            fprintf(stderr, "usage: sim --seeds A..B [--trace]\n");
            return 2;
        }
    }
    for (uint64_t s = from; s <= to; s++)
        run(s) ? passed++ : failed++;
    if (to - from >= 20 && !skews_told) { /* a check that never ran */
        printf("no clock was ever told\n");
        failed++;
    }
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
    return failed ? 1 : 0;
}
