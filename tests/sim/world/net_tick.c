/* Ticks, and what a glance at the store finds for the lines: site/replica.c. */
#include "net.h"

#include "base/crypto.h"

#include <string.h>

struct heads {
    char peer[SITES][13];
    uint64_t pos[SITES];
    int count;
};

static enum err read_heads(struct site *s, void *arg, struct errmsg *e)
{
    struct heads *h = arg;
    struct stmt *st = db_stmt(s->db, "SELECT peer, head_pos FROM link");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row && h->count < SITES) {
        snprintf(h->peer[h->count], 13, "%s", col_text(st, 0));
        h->pos[h->count++] = (uint64_t)col_int(st, 1);
    }
    db_reset(st);
    return err;
}

void net_local(struct site *s)
{
    struct heads h = {0};

    if (!in_read(s, read_heads, &h))
        return;
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++) {
            struct conn *c = &conns[i];
            if (!c->open || net_site_of(c, e) != s)
                continue;
            struct conn_end *x = &c->end[e];
            for (int k = 0; k < h.count && c->open; k++)
                if (!strcmp(h.peer[k], x->x.peer) && h.pos[k] > x->head_pos && x->link) {
                    struct link_input in = {.kind = IN_LOCAL, .head_pos = h.pos[k]};
                    x->head_pos = h.pos[k];
                    net_step(c, e, &in);
                }
        }
}

struct glance {
    struct link_end_paper_row wanted[32], unsent[32];
    int wanted_count, unsent_count;
    struct link_end_head_row heads[16];
    int head_count;
};

static enum err read_glance(struct site *s, void *arg, struct errmsg *e)
{
    struct glance *g = arg;
    enum err err = link_end_wanted(s->db, 32, g->wanted, &g->wanted_count, e);

    if (err == OK && s->office.tier == TIER_COMMUNITY)
        err = link_end_unsent(s->db, 32, g->unsent, &g->unsent_count, e);
    if (err == OK && s->office.parent[0])
        err = link_end_heads(&s->office, s->db, 16, g->heads, &g->head_count, e);
    return err;
}

static void show(struct conn *c, struct site *s, struct glance *g)
{
    for (int i = 0; i < g->head_count && c->open; i++) {
        struct link_end_head_row *h = &g->heads[i];
        int k = 0;
        while (k < s->shown_count && strcmp(s->shown[k].origin, h->origin))
            k++;
        if (k < s->shown_count && s->shown[k].seq >= h->seq &&
            !memcmp(s->shown[k].signature, h->signature, 64))
            continue;
        if (k == s->shown_count && k < 63)
            s->shown_count++;
        snprintf(s->shown[k].origin, sizeof s->shown[k].origin, "%s", h->origin);
        s->shown[k].seq = h->seq;
        memcpy(s->shown[k].signature, h->signature, 64);
        struct link_input in = {.kind = IN_HEAD, .seq = h->seq};
        memcpy(in.origin, h->origin, sizeof in.origin);
        memcpy(in.digest, h->hash, 32);
        link_end_sign(&s->office, h);
        memcpy(in.signature, h->signature, 64);
        net_step(c, 0, &in);
    }
}

void net_tick(int no)
{
    struct site *s = &site[no];
    struct glance g = {0};

    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && net_site_of(&conns[i], e) == s) {
                struct link_input in = {.kind = IN_TICK};
                if (dice(12) == 0)
                    conns[i].end[e].refused_count = 0;
                net_step(&conns[i], e, &in);
            }
    check_clock(s);
    if (no)
        net_recall_look(&conns[no], NULL);
    net_local(s);
    if (!s->up || !in_read(s, read_glance, &g))
        return;
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && net_site_of(&conns[i], e) == s)
                net_want(&conns[i], e, g.wanted, g.wanted_count);
    struct conn *up = &conns[no];
    if (no && up->open && up->end[0].link && link_is_up(up->end[0].link)) {
        show(up, s, &g);
        for (int i = 0; i < g.unsent_count && up->open; i++) {
            unsigned char digest[32];
            if (hex_decode(g.unsent[i].digest + 7, digest, 32))
                net_have(up, 0, digest);
        }
    }
}
