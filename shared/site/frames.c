/* Frames that come in, and those that wait. */
#include "site/frames.h"

#include "site/step.h"

#include <assert.h>
#include <stdio.h>

/* Events that are inflated and wait for the writer, of all links together; more stays as it came. A
 * thousand children that return at once have a gigabyte in their windows. */
#define STORE_BYTES_MAX (4 << 20)
#define WAITING_BYTES_MAX (2 * WIRE_FRAME_BYTES_MAX) /* of one link: more than its window */

static bool crowded(const struct site *s)
{
    return s->store_bytes > STORE_BYTES_MAX;
}

static void hold(struct peer *p)
{
    struct site *s = p->site;

    assert(!p->held);
    p->held = true;
    p->held_next = NULL;
    if (!s->held)
        s->held_end = &s->held;
    *s->held_end = p;
    s->held_end = &p->held_next;
}

/* Events wait for room, and what comes behind them waits with them, but for what says that the peer
 * lives: nothing depends on the order of that. */
static bool must_wait(const struct peer *p, const unsigned char *bytes, size_t n)
{
    unsigned kind = n ? bytes[0] : 0;

    if (p->held)
        return kind != FRAME_CLOCK_ASK && kind != FRAME_PING && kind != FRAME_PONG;
    return kind == FRAME_EVENTS && crowded(p->site);
}

static void wait_with(struct peer *p, const void *bytes, size_t n)
{
    if (p->waiting.len + n > WAITING_BYTES_MAX) {
        ws_close(p->ws, 1008, "too much at once");
        return;
    }
    buf_u32(&p->waiting, (uint32_t)n);
    buf_append(&p->waiting, bytes, n);
    if (p->link && !p->held)
        hold(p);
}

/* A peer that does not let us in says so at once; its connection may be gone before our store has
 * opened the link, and the frame with it. */
static bool took_early_bye(struct peer *p, const void *bytes, size_t n)
{
    struct link_effects fx = {.count = 1};
    struct frame f;
    struct errmsg e;

    if (p->link || wire_unpack(bytes, n, WIRE_NEWEST, &f, &e) != OK || f.kind != FRAME_BYE)
        return false;
    fx.item[0] = (struct link_effect){.kind = FX_CLOSE, .code = f.code, .by_peer = true};
    snprintf(fx.item[0].reason, sizeof fx.item[0].reason, "%s", f.reason);
    step_effects(p, &fx);
    return true;
}

void frames_take(struct peer *p, const void *bytes, size_t n)
{
    struct link_input in = {.kind = IN_FRAME, .bytes = bytes, .bytes_len = n};

    assert(p->ws && n <= WIRE_FRAME_BYTES_MAX); /* net lets no longer message through */
    if (took_early_bye(p, bytes, n))
        return;
    if (!p->link || must_wait(p, bytes, n))
        wait_with(p, bytes, n);
    else
        step_link(p, &in);
}

void frames_opened(struct peer *p)
{
    struct buf all = p->waiting;
    struct reader r = {.p = all.data, .left = all.len};

    p->waiting = (struct buf){0};
    while (p->ws && r.left) {
        size_t n = reader_u32(&r);
        const unsigned char *bytes = reader_bytes(&r, n);
        assert(!r.bad); /* wait_with() wrote it */
        frames_take(p, bytes, n);
    }
    buf_free(&all);
}

void frames_let_in(struct site *s)
{
    while (s->held && !crowded(s)) {
        struct peer *p = s->held;
        assert(p->held && p->site == s);
        s->held = p->held_next;
        p->held = false;
        frames_opened(p);
        peer_release(p);
    }
}
