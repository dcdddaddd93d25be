/* Documents of one link (protocol.md 5): pulled chunk by chunk by the side that wants them, so that
 * a transfer resumes at any byte and an event never waits for more than one chunk of each. */
#include "sync/inside.h"

#include <string.h>

#define CHUNK_BYTES_MIN 1024
#define CHUNK_AIM_MS 200

static struct fetch *fetch_of(const struct link *l, const unsigned char digest[32])
{
    for (int i = 0; i < LINK_FETCHES_MAX; i++)
        if (l->fetch[i].on && !memcmp(l->fetch[i].digest, digest, 32))
            return (struct fetch *)(uintptr_t)&l->fetch[i];
    return NULL;
}

bool link_is_fetching(const struct link *l, const unsigned char digest[32])
{
    return fetch_of(l, digest);
}

/* protocol.md 5: "more than one only while the line carries whole chunks of 256 KiB." */
bool link_can_fetch(const struct link *l)
{
    int on = 0;

    for (int i = 0; i < LINK_FETCHES_MAX; i++)
        on += l->fetch[i].on;
    return l->phase == PHASE_UP &&
           (!on || (on < LINK_FETCHES_MAX && l->chunk_bytes == WIRE_CHUNK_BYTES_MAX));
}

static void ask_chunk(struct turn *t, struct fetch *x)
{
    struct frame f = {.kind = FRAME_WANT, .offset = x->offset, .max = t->l->chunk_bytes};

    memcpy(f.digest, x->digest, 32);
    x->asked_ms = t->now_ms;
    x->max = t->l->chunk_bytes;
    link_send(t, &f);
}

void papers_wanted(struct turn *t, const struct link_input *in)
{
    struct link *l = t->l;
    int i = 0;

    if (!link_can_fetch(l) || fetch_of(l, in->digest))
        return;
    while (l->fetch[i].on)
        i++;
    l->fetch[i] = (struct fetch){.on = true, .resumed = in->offset > 0, .offset = in->offset};
    memcpy(l->fetch[i].digest, in->digest, 32);
    ask_chunk(t, &l->fetch[i]);
}

/* protocol.md 5: "The chunk is as large as the line carries in about 200 ms." */
static void measure(struct link *l, int64_t took_ms, size_t n)
{
    size_t next = l->chunk_bytes;

    if (took_ms > 2 * CHUNK_AIM_MS)
        next = n * CHUNK_AIM_MS / (size_t)took_ms;
    else if (took_ms < CHUNK_AIM_MS && n >= l->chunk_bytes)
        next = 2 * l->chunk_bytes;
    l->chunk_bytes = next < CHUNK_BYTES_MIN        ? CHUNK_BYTES_MIN
                     : next > WIRE_CHUNK_BYTES_MAX ? WIRE_CHUNK_BYTES_MAX
                                                   : next;
}

void papers_on_chunk(struct turn *t, const struct frame *f)
{
    struct fetch *at = fetch_of(t->l, f->digest);
    struct link_effect *x;

    if (!at || f->offset != at->offset || f->bytes_len > at->max) {
        link_bye(t, BYE_PROTOCOL, "a chunk that was not asked for");
        return;
    }
    measure(t->l, t->now_ms - at->asked_ms, f->bytes_len);
    at->max = 0; /* until it is stored, no other may come */
    x = link_effect(t, FX_STORE_CHUNK);
    memcpy(x->digest, f->digest, 32);
    x->offset = f->offset;
    x->total = f->total;
    x->bytes = f->bytes;
    x->bytes_len = f->bytes_len;
}

void papers_chunk_stored(struct turn *t, const struct link_input *in)
{
    struct fetch *at = fetch_of(t->l, in->digest);

    if (!at)
        return;
    if (in->err == ERR_CORRUPT &&
        at->resumed) { /* a power failure may have spoilt what we had: once more, whole */
        at->resumed = false;
        at->offset = 0;
        ask_chunk(t, at);
    } else if (in->err == ERR_CORRUPT) {
        link_bye(t, BYE_PROTOCOL, "a document whose bytes are not its digest");
    } else if (in->err != OK) {
        link_bye(t, BYE_STORE, "cannot store documents now");
    } else if (in->finished) {
        at->on = false;
    } else {
        at->offset = in->offset;
        ask_chunk(t, at);
    }
}

void papers_on_want(struct turn *t, const struct frame *f)
{
    struct serve *free = NULL;
    struct link_effect *x;

    for (int i = 0; i < LINK_FETCHES_MAX; i++) {
        struct serve *s = &t->l->serve[i];
        if (s->on && !memcmp(s->digest, f->digest, 32)) {
            link_bye(t, BYE_PROTOCOL,
                     "a second chunk of a document asked for before the first came");
            return;
        }
        if (!s->on)
            free = s;
    }
    if (!free) {
        link_bye(t, BYE_PROTOCOL, "chunks of more than twelve documents asked for at once");
        return;
    }
    *free = (struct serve){.on = true, .offset = f->offset};
    memcpy(free->digest, f->digest, 32);
    x = link_effect(t, FX_READ_CHUNK);
    memcpy(x->digest, f->digest, 32);
    x->offset = f->offset;
    x->byte_max = f->max;
}

void papers_chunk_read(struct turn *t, const struct link_input *in)
{
    struct frame f = {
        .kind = FRAME_CHUNK, .offset = in->offset, .bytes = in->bytes, .bytes_len = in->bytes_len};
    int i = 0;

    while (i < LINK_FETCHES_MAX &&
           !(t->l->serve[i].on && !memcmp(in->digest, t->l->serve[i].digest, 32)))
        i++;
    if (i == LINK_FETCHES_MAX || in->offset != t->l->serve[i].offset)
        return;
    t->l->serve[i].on = false;
    memcpy(f.digest, in->digest, 32);
    if (in->total < 0 || in->offset > (uint64_t)in->total ||
        (!in->bytes_len && in->offset != (uint64_t)in->total))
        f.kind = FRAME_NONE;
    else
        f.total = (uint64_t)in->total;
    link_send(t, &f);
}

void papers_on_none(struct turn *t, const struct frame *f)
{
    struct fetch *at = fetch_of(t->l, f->digest);

    if (!at || !at->max) {
        link_bye(t, BYE_PROTOCOL, "a document refused that was not asked for");
        return;
    }
    at->on = false;
    memcpy(link_effect(t, FX_NONE)->digest, f->digest, 32);
}
