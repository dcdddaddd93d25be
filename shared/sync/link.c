/* The engine of one link.
 *
 *   CLOSED --IN_OPENED--> HELLO (ours is sent) --their HELLO--> UP --anything wrong, BYE--> CLOSED
 *
 * Up: events go out in batches within a window, come in as batches that are stored and then
 * acknowledged. Documents are in link_papers.c. */
#include "sync/inside.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BATCH_EVENTS WIRE_BATCH_EVENTS_MAX
#define BATCH_BYTES (192 * 1024)
#define DEFLATE_LEVEL 3 /* half the time of 6, a tenth more bytes */

struct link *link_create(const struct link_config *c)
{
    struct link *l = mem_alloc(sizeof *l);

    assert(!c->oldest == !c->newest && c->oldest <= c->newest);
    l->c = *c;
    if (!c->newest) {
        l->c.oldest = WIRE_OLDEST;
        l->c.newest = WIRE_NEWEST;
    }
    l->chunk_bytes = LINK_CHUNK_BYTES_START;
    return l;
}

void link_destroy(struct link *l)
{
    if (!l)
        return;
    deflater_destroy(l->out);
    inflater_destroy(l->in);
    mem_free(l);
}

bool link_is_up(const struct link *l)
{
    return l->phase == PHASE_UP;
}

unsigned link_version(const struct link *l)
{
    return l->version;
}

/* ---- events going out ---- --------------------------------------------------------------------*/

/* protocol.md 4: "At most eight batches and two MiB of events are on their way unacknowledged." */
static void pump(struct turn *t)
{
    struct link *l = t->l;
    struct link_effect *x;

    if (l->phase != PHASE_UP || l->reading || l->sent_pos >= l->head_pos ||
        l->in_flight >= LINK_WINDOW_BATCHES || l->in_flight_bytes >= LINK_WINDOW_BYTES)
        return;
    x = link_effect(t, FX_READ);
    x->pos = l->sent_pos;
    x->event_max = BATCH_EVENTS;
    x->byte_max = BATCH_BYTES;
    l->reading = true;
}

static void on_events(struct turn *t, const struct link_input *in)
{
    struct link *l = t->l;
    struct frame f = {.kind = FRAME_EVENTS, .pos = in->pos, .count = in->event_count};
    struct buf raw = {0}, packed = {0};

    l->reading = false;
    if (!in->event_count || in->pos <= l->sent_pos)
        return;
    for (size_t i = 0; i < in->event_count; i++) {
        buf_varint(&raw, in->events[i].len);
        buf_append(&raw, in->events[i].bytes, in->events[i].len);
    }
    if (!l->out)
        l->out = deflater_create(DEFLATE_LEVEL, l->c.dictionary, l->c.dictionary_len);
    deflater_run(l->out, raw.data, raw.len, &packed);
    f.raw_bytes = raw.len;
    f.bytes = packed.data;
    f.bytes_len = packed.len;
    link_send(t, &f);
    l->sent_pos = in->pos;
    l->window[l->in_flight++] = (struct sent_batch){in->pos, raw.len};
    l->in_flight_bytes += raw.len;
    buf_free(&raw);
    buf_free(&packed);
    pump(t);
}

static void on_ack(struct turn *t, const struct frame *f)
{
    struct link *l = t->l;
    int n = 0;

    if (f->pos > l->sent_pos || f->pos < l->acked_pos) {
        link_bye(t, BYE_PROTOCOL, "an acknowledgement of what was not sent, or going back");
        return;
    }
    while (n < l->in_flight && l->window[n].pos <= f->pos)
        l->in_flight_bytes -= l->window[n++].bytes;
    l->in_flight -= n;
    memmove(l->window, l->window + n, (size_t)l->in_flight * sizeof *l->window);
    l->acked_pos = f->pos;
    link_effect(t, FX_ACKED)->pos = f->pos;
    pump(t);
}

/* ---- events coming in ---- --------------------------------------------------------------------*/

static void on_batch(struct turn *t, const struct frame *f)
{
    struct link *l = t->l;
    struct buf raw = {0};
    struct sync_event *events = arena_alloc(t->a, f->count * sizeof *events);
    struct link_effect *x;
    struct reader r;

    if (f->pos <= l->seen_pos || l->next_token - l->stored_token >= 64) {
        link_bye(t, BYE_PROTOCOL,
                 "a batch at a position that was already sent, or beyond the window");
        return;
    }
    if (!l->in)
        l->in = inflater_create(l->c.dictionary, l->c.dictionary_len);
    if (inflater_run(l->in, f->bytes, f->bytes_len, &raw, f->raw_bytes) != OK ||
        raw.len != f->raw_bytes) {
        buf_free(&raw);
        link_bye(t, BYE_PROTOCOL, "a batch that does not inflate to what it says");
        return;
    }
    r.p = arena_keep(t->a, raw.data);
    r.left = raw.len;
    r.bad = false;
    for (uint64_t i = 0; i < f->count; i++) {
        uint64_t n = reader_varint(&r);
        events[i].len = n <= r.left ? (size_t)n : 0;
        events[i].bytes = reader_bytes(&r, n <= r.left ? (size_t)n : r.left + 1);
    }
    if (r.bad || r.left) {
        link_bye(t, BYE_PROTOCOL, "a batch whose events do not fill it");
        return;
    }
    x = link_effect(t, FX_STORE);
    x->prev_pos = l->seen_pos;
    l->seen_pos = f->pos;
    l->pending_pos[++l->next_token % 64] = f->pos;
    x->token = l->next_token;
    x->events = events;
    x->event_count = f->count;
    x->pos = f->pos;
    memcpy(x->stream, l->peer_stream, 16);
}

/* protocol.md 4: "An ACK names only events that the receiver has stored." */
static void on_stored(struct turn *t, const struct link_input *in)
{
    struct link *l = t->l;
    struct frame f = {.kind = FRAME_ACK};

    if (in->token != l->stored_token + 1)
        return; /* of an earlier connection */
    l->stored_token = in->token;
    if (in->err == ERR_PEER) {
        link_bye(t, BYE_PROTOCOL, "an event that this site may not take from this peer");
        return;
    }
    if (in->err == ERR_WITHHELD) {
        link_bye(t, BYE_WITHHELD,
                 "an event without its personal part, which nobody ordered to be forgotten");
        return;
    }
    if (in->err != OK) {
        link_bye(t, BYE_STORE, "cannot store now");
        return;
    }
    f.pos = l->pending_pos[in->token % 64];
    link_send(t, &f);
}

/* ---- hello, clock, liveness ---- --------------------------------------------------------------*/

static void ask_clock(struct turn *t)
{
    struct frame f = {.kind = FRAME_CLOCK_ASK, .mono_ms = t->now_ms, .wall_ms = t->wall_ms};

    t->l->clock_ms = t->now_ms;
    link_send(t, &f);
}

static void on_opened(struct turn *t, const struct link_input *in)
{
    struct link *l = t->l;
    struct frame f = {.kind = FRAME_HELLO,
                      .oldest = l->c.oldest,
                      .newest = l->c.newest,
                      .pos = in->pos,
                      .wall_ms = t->wall_ms};
    struct link_config c = l->c;

    deflater_destroy(l->out);
    inflater_destroy(l->in);
    size_t chunk = l->chunk_bytes;
    memset(l, 0, sizeof *l);
    l->c = c;
    l->chunk_bytes = chunk;
    l->phase = PHASE_HELLO;
    l->head_pos = in->head_pos;
    l->known_pos = in->pos;
    l->recalling = in->recalling;
    l->heard_ms = l->said_ms = t->now_ms;
    memcpy(l->stream, in->stream, 16);
    memcpy(l->known_stream, in->recv_stream, 16);
    memcpy(f.site, c.site, 13);
    memcpy(f.peer, c.peer, 13);
    memcpy(f.stream, in->stream, 16);
    memcpy(f.recv_stream, in->recv_stream, 16);
    link_send(t, &f);
}

/* protocol.md 3: "The link speaks the lower of both newest versions." */
static bool agree(struct turn *t, const struct frame *f)
{
    struct link *l = t->l;
    char why[128];

    l->version = wire_common(l->c.oldest, l->c.newest, f->oldest, f->newest);
    if (l->version)
        return true;
    snprintf(why, sizeof why,
             "no common version: this side speaks %u to %u, the other %u to %u; the program %s is "
             "too old",
             l->c.oldest, l->c.newest, f->oldest, f->newest,
             f->newest < l->c.oldest ? "of the other" : "of this side");
    link_bye(t, BYE_VERSION, why);
    return false;
}

static void tell_skew(struct turn *t, const struct frame *f)
{
    if (t->l->version >= 3)
        link_effect(t, FX_SKEW)->skew_ms = f->wall_ms - t->wall_ms;
}

static void on_hello(struct turn *t, const struct frame *f)
{
    struct link_effect *up;
    struct link *l = t->l;

    if (l->phase != PHASE_HELLO) {
        link_bye(t, BYE_PROTOCOL, "a second hello");
        return;
    }
    if (!agree(t, f))
        return;
    if (strcmp(f->site, l->c.peer) || strcmp(f->peer, l->c.site)) {
        link_bye(t, BYE_PROTOCOL, "a hello of another site, or meant for another");
        return;
    }
    /* protocol.md 3: "A stream that is not known is read from its beginning." */
    if (!memcmp(f->recv_stream, l->stream, 16)) {
        if (f->pos > l->head_pos) {
            link_bye(t, BYE_BEHIND, "the peer holds more of this outbox than there is");
            return;
        }
        l->sent_pos = l->acked_pos = f->pos;
    }
    /* "So does a parent that knows the child's outbox by another name." */
    static const unsigned char none[16];
    if (!l->c.parent_side && !l->recalling && memcmp(f->recv_stream, none, 16) &&
        memcmp(f->recv_stream, l->stream, 16)) {
        link_bye(t, BYE_BEHIND, "the peer knows this outbox by another name");
        return;
    }
    memcpy(l->peer_stream, f->stream, 16);
    l->seen_pos = memcmp(f->stream, l->known_stream, 16) ? 0 : l->known_pos;
    l->phase = PHASE_UP;
    up = link_effect(t, FX_UP);
    up->skew_ms = f->wall_ms - t->wall_ms;
    up->version = l->version;
    link_effect(t, FX_ACKED)->pos = l->acked_pos;
    if (!l->c.parent_side)
        ask_clock(t);
    pump(t);
}

static void on_clock_ask(struct turn *t, const struct frame *f)
{
    if (!t->l->c.parent_side) {
        link_bye(t, BYE_PROTOCOL, "a parent asks its child for the clock");
        return;
    }
    tell_skew(t, f);
    link_effect(t, FX_ASK_LEASE)->mono_ms = f->mono_ms;
}

static void on_clock(struct turn *t, const struct frame *f)
{
    struct link_effect *x;

    if (t->l->c.parent_side || f->mono_ms > t->now_ms) {
        link_bye(t, BYE_PROTOCOL, "a clock that was not asked for");
        return;
    }
    tell_skew(t, f);
    x = link_effect(t, FX_LEASE);
    x->mono_ms = f->mono_ms;
    x->lease_now_ms = f->now_ms;
    x->promised_ms = f->promised_ms;
    x->length_ms = f->length_ms;
    x->pos = f->pos;
}

static void on_head(struct turn *t, const struct frame *f)
{
    struct link_effect *x = link_effect(t, FX_HEAD);

    memcpy(x->origin, f->origin, sizeof x->origin);
    x->seq = f->seq;
    memcpy(x->digest, f->digest, 32);
    memcpy(x->signature, f->signature, 64);
}

static void on_recall_frame(struct turn *t, const struct frame *f)
{
    struct link_effect *x;

    if (t->l->c.parent_side != (f->kind == FRAME_RECALL)) {
        link_bye(t, BYE_PROTOCOL, "a recall in the wrong direction");
        return;
    }
    x = link_effect(t, f->kind == FRAME_RECALL ? FX_RECALL : FX_RECALLED);
    memcpy(x->stream, t->l->peer_stream, 16);
    memcpy(x->origin, f->origin, sizeof x->origin);
    x->seq = f->seq;
    memcpy(x->digest, f->digest, 32);
    x->verdict = f->verdict;
    x->hlc = f->hlc;
    x->feed = f->feed;
    x->pos = f->pos;
}

static void on_recall(struct turn *t, const struct link_input *in)
{
    struct frame f = {.kind = in->kind == IN_RECALL ? FRAME_RECALL : FRAME_RECALLED,
                      .seq = in->seq,
                      .verdict = in->verdict,
                      .pos = in->pos,
                      .hlc = in->hlc,
                      .feed = in->feed};

    memcpy(f.origin, in->origin, sizeof f.origin);
    memcpy(f.digest, in->digest, 32);
    link_send(t, &f);
}

static void on_frame(struct turn *t, const struct link_input *in)
{
    struct frame f, answer = {0};
    struct errmsg e = {""};

    if (wire_unpack(in->bytes, in->bytes_len, t->l->version, &f, &e) != OK) {
        link_bye(t, BYE_PROTOCOL, e.text);
        return;
    }
    t->l->heard_ms = t->now_ms;
    if (t->l->phase != PHASE_UP && f.kind != FRAME_HELLO && f.kind != FRAME_BYE) {
        link_bye(t, BYE_PROTOCOL, "something before hello");
        return;
    }
    switch (f.kind) {
    case FRAME_HELLO:
        on_hello(t, &f);
        break;
    case FRAME_EVENTS:
        on_batch(t, &f);
        break;
    case FRAME_ACK:
        on_ack(t, &f);
        break;
    case FRAME_WANT:
        papers_on_want(t, &f);
        break;
    case FRAME_CHUNK:
        papers_on_chunk(t, &f);
        break;
    case FRAME_NONE:
        papers_on_none(t, &f);
        break;
    case FRAME_RECALL:
    case FRAME_RECALLED:
        on_recall_frame(t, &f);
        break;
    case FRAME_HAVE:
        memcpy(link_effect(t, FX_HAVE)->digest, f.digest, 32);
        break;
    case FRAME_CLOCK_ASK:
        on_clock_ask(t, &f);
        break;
    case FRAME_CLOCK:
        on_clock(t, &f);
        break;
    case FRAME_HEAD:
        on_head(t, &f);
        break;
    case FRAME_PING:
        answer.kind = FRAME_PONG;
        answer.nonce = f.nonce;
        link_send(t, &answer);
        break;
    case FRAME_PONG:
        break;
    case FRAME_BYE:
        link_closed(t, f.code, f.reason, true);
        break;
    }
}

static void on_tick(struct turn *t)
{
    struct link *l = t->l;
    struct frame ping = {.kind = FRAME_PING, .nonce = (uint64_t)t->now_ms};

    if (t->now_ms - l->heard_ms >= LINK_DEAD_MS) {
        link_bye(t, BYE_SILENT, "nothing heard for a minute");
        return;
    }
    if (l->phase != PHASE_UP)
        return;
    if (!l->c.parent_side && t->now_ms - l->clock_ms >= LINK_CLOCK_MS)
        ask_clock(t);
    else if (t->now_ms - l->said_ms >= LINK_PING_MS)
        link_send(t, &ping);
    pump(t);
}

static void on_lease(struct turn *t, const struct link_input *in)
{
    struct frame f = {.kind = FRAME_CLOCK,
                      .mono_ms = in->mono_ms,
                      .now_ms = in->lease_now_ms,
                      .promised_ms = in->promised_ms,
                      .length_ms = in->length_ms,
                      .pos = in->pos,
                      .wall_ms = t->wall_ms};

    if (in->err == OK)
        link_send(t, &f);
}

static void on_own_head(struct turn *t, const struct link_input *in)
{
    struct frame f = {.kind = FRAME_HEAD, .seq = in->seq};

    memcpy(f.origin, in->origin, sizeof f.origin);
    memcpy(f.digest, in->digest, 32);
    memcpy(f.signature, in->signature, 64);
    link_send(t, &f);
}

static void on_have(struct turn *t, const struct link_input *in)
{
    struct frame f = {.kind = FRAME_HAVE};

    memcpy(f.digest, in->digest, 32);
    link_send(t, &f);
}

void link_step(struct link *l, const struct link_input *in, struct arena *turn,
               struct link_effects *fx)
{
    struct turn t = {l, turn, fx, in->now_ms, in->wall_ms};

    fx->count = 0;
    if (in->kind == IN_OPENED) {
        on_opened(&t, in);
        return;
    }
    if (in->kind == IN_LOCAL && in->head_pos > l->head_pos)
        l->head_pos = in->head_pos;
    if (l->phase == PHASE_CLOSED)
        return;
    switch (in->kind) {
    case IN_OPENED:
        break;
    case IN_FRAME:
        on_frame(&t, in);
        break;
    case IN_TICK:
        on_tick(&t);
        break;
    case IN_LOCAL:
        pump(&t);
        break;
    case IN_EVENTS:
        on_events(&t, in);
        break;
    case IN_STORED:
        on_stored(&t, in);
        break;
    case IN_WANTED:
        papers_wanted(&t, in);
        break;
    case IN_CHUNK:
        papers_chunk_read(&t, in);
        break;
    case IN_CHUNK_STORED:
        papers_chunk_stored(&t, in);
        break;
    case IN_LEASE:
        on_lease(&t, in);
        break;
    case IN_HEAD:
        if (l->phase == PHASE_UP)
            on_own_head(&t, in);
        break;
    case IN_BYE:
        link_bye(&t, in->code, in->reason);
        break;
    case IN_RECALL:
    case IN_RECALLED:
        if (l->phase == PHASE_UP && in->err == OK)
            on_recall(&t, in);
        break;
    case IN_HAVE:
        if (l->phase == PHASE_UP)
            on_have(&t, in);
        break;
    }
}
