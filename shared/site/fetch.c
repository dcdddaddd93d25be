/* Which papers are fetched, and from whom. */
#include "site/fetch.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "site/papers.h"
#include "site/step.h"

#include <assert.h>
#include <string.h>

static bool refused(const struct peer *p, const unsigned char digest[32])
{
    for (int i = 0; i < p->refused_count; i++)
        if (!memcmp(p->refused[i], digest, 32))
            return true;
    return false;
}

/* By any link: two would write the same partial file. */
static bool being_fetched(const struct site *s, const unsigned char digest[32])
{
    for (int i = 0; i < s->fetching_count; i++)
        if (!memcmp(s->fetching[i].digest, digest, 32))
            return true;
    return false;
}

static bool may_fetch(const struct peer *p, const unsigned char digest[32])
{
    return p && p->ws && p->link && link_can_fetch(p->link) && !refused(p, digest);
}

static void fetch(struct peer *p, const struct link_end_paper_row *x,
                  const unsigned char digest[32])
{
    struct site *s = p->site;
    struct link_input in = {.kind = IN_WANTED};

    assert(!being_fetched(s, digest));
    if (blob_exists(s->blobs, x->digest)) { /* here all the time: the row had been forgotten */
        papers_found(p, digest);
        return;
    }
    memcpy(in.digest, digest, 32);
    in.offset = (uint64_t)blob_partial_size(s->blobs, x->digest);
    if (s->fetching_count == s->fetching_cap) {
        s->fetching_cap = s->fetching_cap ? s->fetching_cap * 2 : 16;
        s->fetching = mem_realloc(s->fetching, sizeof *s->fetching * (size_t)s->fetching_cap);
    }
    s->fetching[s->fetching_count].peer = p;
    memcpy(s->fetching[s->fetching_count++].digest, digest, 32);
    step_link(p, &in);
}

static struct peer *whom_to_ask(struct site *s, const struct link_end_paper_row *x,
                                const unsigned char digest[32])
{
    struct peer *parent = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;
    struct peer *source = x->from[0] ? peer_find(s, x->from) : parent;

    if (may_fetch(source, digest))
        return source;
    if (may_fetch(parent, digest))
        return parent;
    if (x->from[0] && source && source->up && !refused(source, digest))
        return NULL;
    for (int i = 0; i < s->peer_count; i++)
        if (may_fetch(s->peers[i].peer, digest))
            return s->peers[i].peer;
    return NULL;
}

void fetch_wanted(struct site *s, const struct link_end_paper_row *rows, int n)
{
    unsigned char digest[32];

    peer_fetched(s);
    for (int i = 0; i < n; i++) {
        if (!hex_decode(rows[i].digest + 7, digest, 32) || being_fetched(s, digest))
            continue;
        struct peer *p = whom_to_ask(s, &rows[i], digest);
        if (p)
            fetch(p, &rows[i], digest);
    }
}
