/* One peer: it outlives its socket for as long as tasks name it. */
#include "site/peer.h"

#include "base/mem.h"
#include "sync/link.h"

#include <assert.h>
#include <string.h>

const struct host *peer_host(const struct peer *p)
{
    return p->site->office.host;
}

/* protocol.md 8: the link has nothing to do by itself before. */
void peer_rest(struct peer *p)
{
    int64_t ping = p->said_ms + LINK_PING_MS, dead = p->heard_ms + LINK_DEAD_MS;

    assert(p->site->peers[p->at].peer == p);
    p->site->peers[p->at].due_ms = ping < dead ? ping : dead;
}

static struct peer **shelf_of(struct site *s, const char *code)
{
    unsigned n = 0;

    for (const char *c = code; *c; c++)
        n = n * 31 + (unsigned char)*c;
    return &s->shelf[n % PEER_SHELVES];
}

struct peer *peer_find(struct site *s, const char *code)
{
    struct peer *p = *shelf_of(s, code);

    assert(code[0]);
    while (p && (!p->ws || strcmp(p->x.peer, code)))
        p = p->beside;
    return p;
}

void peer_add(struct site *s, struct peer *p)
{
    struct peer **shelf = shelf_of(s, p->x.peer);

    assert(p->x.peer[0] && p->site == s);
    if (s->peer_count == s->peer_cap) {
        s->peer_cap = s->peer_cap ? s->peer_cap * 2 : 16;
        s->peers = mem_realloc(s->peers, sizeof *s->peers * (size_t)s->peer_cap);
    }
    p->at = s->peer_count;
    s->peers[s->peer_count++] = (struct seat){.peer = p};
    p->beside = *shelf;
    *shelf = p;
}

static void remove_from_lists(struct peer *p)
{
    struct site *s = p->site;
    struct peer **at = shelf_of(s, p->x.peer);

    while (*at != p) {
        assert(*at); /* it was put there by peer_add() */
        at = &(*at)->beside;
    }
    *at = p->beside;
    assert(s->peer_count > 0 && s->peers[p->at].peer == p);
    s->peers[p->at] = s->peers[--s->peer_count];
    s->peers[p->at].peer->at = p->at;
}

void peer_fetched(struct site *s)
{
    int n = 0;

    for (int i = 0; i < s->fetching_count; i++) {
        const struct peer *p = s->fetching[i].peer;
        assert(p->site == s);
        if (p->ws && p->link && link_is_fetching(p->link, s->fetching[i].digest))
            s->fetching[n++] = s->fetching[i];
    }
    s->fetching_count = n;
}

void peer_release(struct peer *p)
{
    assert(p->jobs >= 0);
    if (p->ws || p->jobs || p->held)
        return;
    peer_fetched(p->site);
    remove_from_lists(p);
    link_destroy(p->link);
    buf_free(&p->waiting);
    mem_free(p->heads);
    mem_free(p->refused);
    mem_free(p);
}
