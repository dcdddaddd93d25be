/* Lines: frames on their way, and who dials, closes and cuts. Here stands what site/links.c and
 * frames.c do with sockets. */
#include "net.h"

#include "base/mem.h"
#include <string.h>

extern const unsigned char sync_dictionary_2[];
extern const size_t sync_dictionary_2_len;

struct conn conns[SITES];

struct site *net_site_of(const struct conn *c, int end)
{
    return &site[end ? c->parent : c->child];
}

void net_reset(void)
{
    for (int i = 1; i < SITES; i++) {
        struct conn *c = &conns[i];
        if (c->open)
            net_close(c, "reset");
        c->child = i;
        c->parent = parent_of(i);
        c->cut = false;
        c->delay_ms = 20;
        c->rate = 200000;
        c->half_open[0] = c->half_open[1] = false;
    }
}

/* ---- frames -----------------------------------------------------------------------------------*/

static void deliver(int child, int packed)
{
    struct conn *c = &conns[child];
    int end = packed & 1, gen = packed >> 1;

    if (!c->open || c->gen != gen)
        return;
    struct conn_end *x = &c->end[end];
    if (!x->ready)
        return; /* kept until the link is opened here */
    while (c->open && c->gen == gen && x->in && x->in->at <= now) {
        struct frame_in_flight *f = x->in;
        x->in = f->next;
        if (!x->in)
            x->in_end = &x->in;
        struct link_input in = {.kind = IN_FRAME, .bytes = f->bytes, .bytes_len = f->len};
        net_step(c, end, &in);
        mem_free(f);
    }
}

void net_post(struct conn *c, int from, const unsigned char *bytes, size_t len)
{
    struct conn_end *to = &c->end[1 - from];

    if (c->half_open[from])
        return;
    struct frame_in_flight *f = mem_alloc(sizeof *f + len);
    f->len = len;
    memcpy(f->bytes, bytes, len);
    int64_t at = now + c->delay_ms + (int64_t)len * 1000 / c->rate;
    f->at = at > to->last_at ? at : to->last_at;
    to->last_at = f->at;
    *to->in_end = f;
    to->in_end = &f->next;
    later(f->at - now, deliver, c->child, c->gen << 1 | (1 - from));
}

/* ---- opening and closing ----------------------------------------------------------------------*/

static enum err open_run(struct job *j, struct db *db, struct errmsg *e)
{
    return link_end_open(&j->x, db, &j->in, e);
}

static void open_done(struct job *j)
{
    struct conn_end *x = &j->conn->end[j->end];
    struct link_config c = {.parent_side = !j->x.is_parent,
                            .oldest = j->s->speaks.oldest,
                            .newest = j->s->speaks.newest,
                            .dictionary = sync_dictionary_2,
                            .dictionary_len = sync_dictionary_2_len};

    if (j->err != OK) {
        net_close(j->conn, j->msg.text);
        return;
    }
    memcpy(c.site, j->s->code, 13);
    memcpy(c.peer, x->x.peer, 13);
    x->link = link_create(&c);
    x->ready = true;
    int gen = j->gen;
    net_answer(j);
    if (j->conn->open && j->conn->gen == gen)
        deliver(j->conn->child, gen << 1 | j->end);
}

void net_dial(int child, int unused)
{
    struct conn *c = &conns[child];
    struct site *s = &site[child];

    (void)unused;
    if (c->open || !s->up)
        return;
    if (c->cut || !site[c->parent].up) {
        s->backoff_ms = s->backoff_ms * 2 > 30000 ? 30000 : s->backoff_ms * 2;
        later(s->backoff_ms / 2 + (int64_t)dice((uint64_t)s->backoff_ms / 2 + 1), net_dial, child,
              0);
        return;
    }
    c->open = true;
    c->gen++;
    c->half_open[0] = c->half_open[1] = false;
    for (int e = 0; e < 2; e++) {
        struct conn_end *x = &c->end[e];
        memset(x, 0, sizeof *x);
        x->turn = arena_create();
        x->in_end = &x->in;
        x->x = (struct link_end){.office = &net_site_of(c, e)->office,
                                 .blobs = net_site_of(c, e)->blobs,
                                 .is_parent = e == 0};
        memcpy(x->x.peer, net_site_of(c, 1 - e)->code, 13);
        net_job(c, e, NULL, true, open_run, open_done);
    }
}

static enum err closed_run(struct job *j, struct db *db, struct errmsg *e)
{
    return lease_link_closed(&j->s->office, db, e);
}

void net_close(struct conn *c, const char *why)
{
    if (!c->open)
        return;
    trace("link %d-%d closed: %s", c->child, c->parent, why);
    c->open = false;
    for (int e = 0; e < 2; e++) {
        struct conn_end *x = &c->end[e];
        link_destroy(x->link);
        arena_destroy(x->turn);
        while (x->in) {
            struct frame_in_flight *f = x->in;
            x->in = f->next;
            mem_free(f);
        }
        memset(x, 0, sizeof *x);
    }
    if (site[c->child].up) {
        struct job *j = job_new(&site[c->child], true);
        j->run = closed_run;
        j->done = net_no_answer;
        job_queue(j);
        later(200 + (int64_t)dice(2000), net_dial, c->child, 0);
    }
}

/* Of what is on its way each end still gets the beginning: a frame that was cut in the middle is no
 * frame. */
void net_cut(struct conn *c, const char *why)
{
    int gen = c->gen;

    for (int e = 0; e < 2 && c->open && c->gen == gen; e++) {
        struct conn_end *x = &c->end[e];
        int n = 0;
        for (struct frame_in_flight *f = x->in; f; f = f->next)
            n++;
        n = (int)dice((uint64_t)n + 1);
        for (struct frame_in_flight *f = x->in; f && n; f = f->next, n--)
            f->at = now;
        deliver(c->child, gen << 1 | e);
    }
    if (c->open && c->gen == gen)
        net_close(c, why);
}

void net_site_down(int no)
{
    for (int i = 1; i < SITES; i++)
        if (conns[i].open && (i == no || conns[i].parent == no))
            net_close(&conns[i], "a site went down");
}
