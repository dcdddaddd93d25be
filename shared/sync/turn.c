/* What a turn of the engine leaves behind: effects, frames, an end. */
#include "sync/inside.h"

#include <assert.h>
#include <string.h>

struct link_effect *link_effect(struct turn *t, enum link_effect_kind kind)
{
    struct link_effect *x;

    assert(t->fx->count < LINK_EFFECTS_MAX);
    x = &t->fx->item[t->fx->count++];
    memset(x, 0, sizeof *x);
    x->kind = kind;
    return x;
}

void link_send(struct turn *t, const struct frame *f)
{
    struct buf b = {0};
    struct link_effect *x = link_effect(t, FX_SEND);

    wire_pack(f, t->l->version, &b);
    x->bytes = arena_keep(t->a, b.data);
    x->bytes_len = b.len;
    t->l->said_ms = t->now_ms;
}

static void text_copy(char *dst, size_t cap, const char *src)
{
    size_t n = strnlen(src, cap - 1);

    memcpy(dst, src, n);
    dst[n] = 0;
}

void link_closed(struct turn *t, enum bye_code code, const char *reason, bool by_peer)
{
    struct link_effect *x = link_effect(t, FX_CLOSE);

    x->code = code;
    x->by_peer = by_peer;
    text_copy(x->reason, sizeof x->reason, reason);
    t->l->phase = PHASE_CLOSED;
    t->l->reading = false;
    memset(t->l->fetch, 0, sizeof t->l->fetch);
    memset(t->l->serve, 0, sizeof t->l->serve);
}

void link_bye(struct turn *t, enum bye_code code, const char *reason)
{
    struct frame f = {.kind = FRAME_BYE, .code = code};

    text_copy(f.reason, sizeof f.reason, reason);
    link_send(t, &f);
    link_closed(t, code, reason, false);
}
