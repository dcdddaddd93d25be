/* Ticks, what a glance at the database has found for the links, and settling. */
#include "site/replica.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "site/fetch.h"
#include "site/frames.h"
#include "site/glance.h"
#include "site/leases.h"
#include "site/recalls.h"
#include "site/step.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define HAVE_EVERY_TICKS 3

static void tick(struct peer *p)
{
    struct link_input in = {.kind = IN_TICK};

    peer_rest(p);
    leases_renew(p);
    step_link(p, &in);
}

void replica_tick(struct site *s)
{
    struct peer *up = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;

    if (up) {
        tick(up);
        recalls_look(up, NULL);
    }
    int64_t now_ms = host_mono_ms(s->office.host);

    assert(!s->settling);
    for (int i = 0; i < s->peer_count; i++) {
        if (s->ticks % 60 == 0)
            s->peers[i].peer->refused_count = 0; /* ask again: it may have come by now */
        if (s->peers[i].due_ms <= now_ms && s->peers[i].peer != up)
            tick(s->peers[i].peer);
    }
}

static void show_heads(struct peer *p, const struct glance *g)
{
    for (int i = 0; i < g->head_count && p->ws; i++) {
        struct link_end_head_row *h = &g->heads[i];
        struct link_input in = {.kind = IN_HEAD, .seq = h->seq};
        struct sent_head *known = NULL;
        for (int k = 0; k < p->head_count && !known; k++)
            if (!strcmp(p->heads[k].origin, h->origin))
                known = &p->heads[k];
        if (known && known->seq >= h->seq && !memcmp(known->signature, h->signature, 64))
            continue;
        if (!known) {
            p->heads = mem_realloc(p->heads, sizeof *p->heads * (size_t)(p->head_count + 1));
            known = &p->heads[p->head_count++];
            snprintf(known->origin, sizeof known->origin, "%s", h->origin);
        }
        known->seq = h->seq;
        memcpy(known->signature, h->signature, 64);
        snprintf(in.origin, sizeof in.origin, "%s", h->origin);
        memcpy(in.digest, h->hash, 32);
        link_end_sign(&p->site->office, h);
        memcpy(in.signature, h->signature, 64);
        step_link(p, &in);
    }
}

/* Something may have been written: what goes up need not wait for a glance. */
static void tell_parent(struct site *s)
{
    struct peer *p = s->up ? peer_find(s, s->folder.parent) : NULL;
    uint64_t head = atomic_load(&s->up_head);

    assert(!s->up || s->folder.parent[0]);
    if (p && p->link && p->up && head > p->head_pos)
        step_head(p, head); /* else the glance tells it */
}

static void end_revoked(struct site *s, const struct glance *g)
{
    for (int i = 0; i < g->revoked_count; i++) {
        struct link_input in = {
            .kind = IN_BYE,
            .code = BYE_REFUSED,
            .reason =
                "this site was revoked by its parent; it has to be invited and enrolled again"};
        struct peer *p = peer_find(s, g->revoked[i]);
        if (p)
            step_link(p, &in);
    }
}

/* What it has said is stored, and goes up: a chain has no gaps. It says no more today. */
static void end_offenders(struct site *s)
{
    static const char reason[] = "too much was said that is never this site's to say";

    for (int i = 0; s->offended && i < s->peer_count; i++) {
        struct link_input in = {.kind = IN_BYE, .code = BYE_REFUSED, .reason = reason};
        struct peer *p = s->peers[i].peer;
        if (p->offends && p->link) {
            p->offends = false;
            step_link(p, &in);
            i = -1; /* the list may be another one now */
        }
    }
    s->offended = false;
}

static void take_glance(struct site *s, struct glance *g)
{
    struct peer *parent = s->folder.parent[0] ? peer_find(s, s->folder.parent) : NULL;

    assert(s->folder.parent[0] || (!g->link && !g->head_count));
    if (g->link) {
        json_free(s->link);
        s->link = g->link;
        g->link = NULL;
    }
    end_revoked(s, g);
    for (int i = 0; i < g->link_count; i++) {
        struct peer *p = peer_find(s, g->links[i].peer);
        if (p && g->links[i].head_pos > p->head_pos)
            step_head(p, g->links[i].head_pos);
    }
    fetch_wanted(s, g->wanted, g->wanted_count);
    if (!parent || !parent->up || !g->whole)
        return;
    show_heads(parent, g);
    for (int i = 0; s->ticks % HAVE_EVERY_TICKS == 0 && i < g->unsent_count; i++) {
        struct link_input in = {.kind = IN_HAVE};
        if (hex_decode(g->unsent[i].digest + 7, in.digest, 32))
            step_link(parent, &in);
    }
}

void replica_settle(struct site *s)
{
    struct glance *g;

    if (s->settling)
        return;
    s->settling = true;
    do {
        step_finished(s);
        end_offenders(s);
        if ((g = glance_take(s)))
            take_glance(s, g);
        glance_free(g);
        frames_let_in(s);
        if (s->look && !s->stopping)
            tell_parent(s);
        glance_start(s);
    } while (s->finished);
    s->settling = false;
}

void replica_add_status(struct site *s, struct json *status)
{
    struct json *link = json_get(status, "link"), *children = json_get(status, "children");

    assert(json_is_object(status));
    if (link) {
        json_set_text(link, "state", s->up ? "up" : "down");
        if (s->last_reason[0])
            json_set_text(link, "reason", s->last_reason);
    }
    for (size_t i = 0; i < json_count(children); i++) {
        struct json *c = json_at(children, i);
        const struct peer *p = peer_find(s, json_get_text(c, "site"));
        json_set_text(c, "state", p && p->up ? "up" : "down");
    }
}
