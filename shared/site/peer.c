/* One peer: it outlives its socket for as long as jobs name it. */
#include "base/mem.h"
#include "site/peer.h"

#include <string.h>

const struct host *peer_host(const struct peer *p)
{
    return p->site->office.host;
}

/* protocol.md 8: the link has nothing to do by itself before. */
void peer_rest(struct peer *p)
{
    int64_t ping = p->said_ms + LINK_PING_MS, dead = p->heard_ms + LINK_DEAD_MS;

    p->site->peers[p->at].due_ms = ping < dead ? ping : dead;
}

void peer_step(struct peer *p, struct link_input *in)
{
    struct site *s = p->site;
    struct link_effects fx;
    struct link_input answer;

    if (!p->ws || !p->link)
        return;
    in->now_ms = host_mono_ms(peer_host(p));
    in->wall_ms = host_wall_ms(peer_host(p));
    arena_reset(s->turn);
    link_step(p->link, in, s->turn, &fx);
    s->stepping++;
    effects_do(p, &fx);
    s->stepping--;
    if (in->kind == IN_FRAME)
        p->heard_ms = in->now_ms;
    for (int i = 0; i < fx.count; i++)
        if (fx.item[i].kind == FX_SEND)
            p->said_ms = in->now_ms;
    peer_rest(p);
    if (p->promise.renew)
        s->peers[p->at].due_ms = 0;
    if (lease_answer_ready(p, &answer))
        peer_step(p, &answer);
}

static struct peer **shelf_of(struct site *s, const char *code)
{
    unsigned n = 0;

    for (const char *c = code; *c; c++)
        n = n * 31 + (unsigned char)*c;
    return &s->shelf[n % PEER_SHELVES];
}

/* The open connection of a site, or NULL. */
struct peer *peer_find(struct site *s, const char *code)
{
    struct peer *p = *shelf_of(s, code);

    while (p && (!p->ws || strcmp(p->x.peer, code)))
        p = p->beside;
    return p;
}

void peer_add(struct site *s, struct peer *p)
{
    struct peer **shelf = shelf_of(s, p->x.peer);

    if (s->peer_count == s->peer_cap) {
        s->peer_cap = s->peer_cap ? s->peer_cap * 2 : 16;
        s->peers = mem_realloc(s->peers, sizeof *s->peers * (size_t)s->peer_cap);
    }
    p->at = s->peer_count;
    s->peers[s->peer_count++] = (struct seat){.peer = p};
    p->beside = *shelf;
    *shelf = p;
}

void peer_remove(struct site *s, struct peer *p)
{
    struct peer **at = shelf_of(s, p->x.peer);

    while (*at != p)
        at = &(*at)->beside;
    *at = p->beside;
    s->peers[p->at] = s->peers[--s->peer_count];
    s->peers[p->at].peer->at = p->at;
}

void peer_release(struct peer *p)
{
    if (p->ws || p->jobs || p->held)
        return;
    papers_next(p->site);
    peer_remove(p->site, p);
    link_destroy(p->link);
    buf_free(&p->waiting);
    mem_free(p->heads);
    mem_free(p->refused);
    mem_free(p);
}
