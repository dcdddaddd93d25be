/* Connections and the engine's effects: what site/replica.c does with sockets, here with frames in
 * flight. */
#include "world.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "disk.h"
#include "sync/wire.h"

#include <string.h>

extern const unsigned char sync_dictionary_1[];
extern const size_t sync_dictionary_1_len;

struct conn conns[SITES];

#define HELLO_VERSION 5 /* behind the kind and "DST1" */

static void step(struct conn *c, int end, struct link_input *in);

static struct site *site_of(const struct conn *c, int end)
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
        step(c, end, &in);
        mem_free(f);
    }
}

static void post(struct conn *c, int from, const unsigned char *bytes, size_t len)
{
    struct conn_end *to = &c->end[1 - from];

    if (c->half_open[from])
        return;
    struct frame_in_flight *f = mem_alloc(sizeof *f + len);
    f->len = len;
    memcpy(f->bytes, bytes, len);
    if (bytes[0] == FRAME_HELLO) {
        /* Each side's program says its own version, and knows no other. */
        int mine = site_of(c, from)->speaks, theirs = site_of(c, 1 - from)->speaks;
        f->bytes[HELLO_VERSION] = (unsigned char)(mine == theirs ? WIRE_VERSION : WIRE_VERSION + 1);
    }
    int64_t at = now + c->delay_ms + (int64_t)len * 1000 / c->rate;
    f->at = at > to->last_at ? at : to->last_at;
    to->last_at = f->at;
    *to->in_end = f;
    to->in_end = &f->next;
    later(f->at - now, deliver, c->child, c->gen << 1 | (1 - from));
}

/* ---- jobs of a connection ---------------------------------------------------------------------*/

static struct job *start(struct conn *c, int end, const struct link_effect *fx, bool write,
                         enum err (*run)(struct job *, struct db *, struct errmsg *),
                         void (*done)(struct job *))
{
    struct job *j = job_new(site_of(c, end), write);

    j->conn = c;
    j->gen = c->gen;
    j->end = end;
    j->x = c->end[end].x;
    j->run = run;
    j->done = done;
    if (fx) {
        j->fx = *fx;
        if (fx->bytes_len) {
            unsigned char *p = arena_alloc(j->arena, fx->bytes_len);
            memcpy(p, fx->bytes, fx->bytes_len);
            j->fx.bytes = p;
        }
        if (fx->event_count) {
            struct sync_event *list = arena_alloc(j->arena, sizeof *list * fx->event_count);
            for (size_t i = 0; i < fx->event_count; i++) {
                unsigned char *p = arena_alloc(j->arena, fx->events[i].len + 1);
                memcpy(p, fx->events[i].bytes, fx->events[i].len);
                list[i] = (struct sync_event){p, fx->events[i].len};
            }
            j->fx.events = list;
        }
    }
    job_queue(j);
    return j;
}

static struct exchange *x_of(struct job *j)
{
    return &j->x;
}

static void answer(struct job *j)
{
    step(j->conn, j->end, &j->in);
}

static void broken_rule(struct job *j)
{
    if (j->err == ERR_PEER) /* all sites here are honest */
        breach("site %d calls its peer a liar: %s", j->s->no, j->msg.text);
    else if (j->err != OK)
        net_close(j->conn, j->msg.text);
}

static enum err open_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_open(x_of(j), db, &j->in, e);
}

static void open_done(struct job *j)
{
    struct conn_end *x = &j->conn->end[j->end];
    struct link_config c = {.parent_side = !j->x.is_parent,
                            .dictionary = sync_dictionary_1,
                            .dictionary_len = sync_dictionary_1_len};

    if (j->err != OK) {
        net_close(j->conn, j->msg.text);
        return;
    }
    memcpy(c.site, j->s->code, 13);
    memcpy(c.peer, x->x.peer, 13);
    x->link = link_create(&c);
    x->ready = true;
    int gen = j->gen;
    answer(j);
    if (j->conn->open && j->conn->gen == gen)
        deliver(j->conn->child, gen << 1 | j->end);
}

static enum err read_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_read(x_of(j), db, &j->fx, &j->bytes, &j->events, &j->in, e);
}

static void read_done(struct job *j)
{
    if (j->err == OK)
        answer(j);
    else
        net_close(j->conn, "the outbox cannot be read");
}

static enum err store_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_store(x_of(j), db, &j->fx, j->arena, &j->batch, e);
}

static void have(struct conn *c, int end, const unsigned char digest[32])
{
    struct link_input in = {.kind = IN_HAVE};

    memcpy(in.digest, digest, 32);
    char text[DIGEST_TEXT_LEN + 1];
    digest_text(digest, text);
    if (!blob_exists(site_of(c, end)->blobs, text) && !disk_stopped(site_of(c, end)->no))
        breach("site %d says that it has a paper, and has no bytes: %s", site_of(c, end)->no, text);
    step(c, end, &in);
}

static void store_done(struct job *j)
{
    if (j->err == ERR_PEER)
        breach("site %d calls its peer a liar: %s", j->s->no, j->msg.text);
    j->in.kind = IN_STORED;
    j->in.token = j->fx.token;
    j->in.err = j->err;
    trace("site %d stored %zu from %s up to %llu: %s", j->s->no, j->fx.event_count, x_of(j)->peer,
          (unsigned long long)j->fx.pos, err_name(j->err));
    struct conn *c = j->conn;
    int gen = j->gen;
    answer(j);
    for (int i = 0; j->err == OK && c->open && c->gen == gen && i < j->batch.here_count; i++)
        have(c, j->end, j->batch.here[i]);
    net_local(j->s);
}

static enum err acked_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_acked(x_of(j), db, j->fx.pos, e);
}

static enum err sent_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_sent(x_of(j), db, j->fx.digest, e);
}

static enum err have_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_have(x_of(j), db, j->fx.digest, &j->here, e);
}

static void have_done(struct job *j)
{
    if (j->err == OK && j->here)
        have(j->conn, j->end, j->fx.digest);
}

static enum err ask_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_ask_lease(x_of(j), db, &j->in, e);
}

static void ask_done(struct job *j)
{
    j->in.kind = IN_LEASE;
    j->in.mono_ms = j->fx.mono_ms;
    j->in.err = j->err;
    answer(j);
}

static enum err lease_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_lease(x_of(j), db, &j->fx, e);
}

static enum err recall_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_recall(x_of(j), db, &j->fx, &j->in, e);
}

static void recall_done(struct job *j)
{
    if (j->err != OK) {
        broken_rule(j);
        return;
    }
    trace("site %d answers a recall at %llu: verdict %u, head %llu", j->s->no,
          (unsigned long long)j->in.seq, j->in.verdict, (unsigned long long)j->in.pos);
    answer(j);
    net_local(j->s);
}

static enum err recall_step_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_recall_step(x_of(j), db, &j->conn->end[0].recall,
                                j->fx.kind == FX_NONE ? NULL : &j->fx, &j->in, &j->here, e);
}

static void recall_step_done(struct job *j)
{
    struct conn_end *me = &j->conn->end[0];

    me->recalling = false;
    if (j->err != OK) {
        broken_rule(j);
        return;
    }
    if (j->here)
        answer(j);
    net_local(j->s);
}

static void recall_look(struct conn *c, const struct link_effect *up)
{
    static const struct link_effect tick = {.kind = FX_NONE};
    struct conn_end *me = &c->end[0];

    if (!c->open || !me->link || !link_is_up(me->link) || me->recalling || me->recall.done)
        return;
    me->recalling = true;
    start(c, 0, up ? up : &tick, true, recall_step_run, recall_step_done);
}

static void head_done(struct job *j)
{
    struct link_input in = {.kind = IN_BYE, .code = BYE_FORKED, .reason = "forked"};

    if (j->err != OK)
        trace("site %d on a head: %s", j->s->no, j->msg.text);
    if (j->err == ERR_PEER && site[j->conn->child].restored)
        step(j->conn, j->end, &in);
    else
        broken_rule(j);
}

static enum err come_back_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_come_back(&j->s->office, db, e);
}

static void nothing(struct job *j);

static enum err head_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_head(x_of(j), db, &j->fx, e);
}

static enum err chunk_read_run(struct job *j, struct db *db, struct errmsg *e)
{
    (void)db;
    return exchange_read_chunk(x_of(j), &j->fx, &j->bytes, &j->in, e);
}

static void chunk_read_done(struct job *j)
{
    if (j->err != OK)
        j->in.total = -1;
    answer(j);
}

static enum err chunk_store_run(struct job *j, struct db *db, struct errmsg *e)
{
    enum err err = exchange_store_chunk(x_of(j), &j->fx, &j->in, e);

    return err == OK && j->in.finished ? exchange_paper(x_of(j), db, j->fx.digest, e) : err;
}

static void net_papers(int no, int unused);

static void chunk_store_done(struct job *j)
{
    struct conn *c = j->conn;
    int gen = j->gen;

    j->in.err = j->err;
    answer(j);
    if (j->err == OK && j->in.finished && !x_of(j)->is_parent && c->open && c->gen == gen)
        have(c, j->end, j->fx.digest);
    if (j->err == OK && j->in.finished)
        net_papers(j->s->no, 0);
    if (j->err == OK && j->in.finished)
        trace("site %d has paper %02x%02x", j->s->no, j->fx.digest[0], j->fx.digest[1]);
}

/* ---- effects ----------------------------------------------------------------------------------*/

static void close_later(int child, int gen)
{
    if (conns[child].open && conns[child].gen == gen)
        net_close(&conns[child], "said goodbye");
}

static void effects(struct conn *c, int end, const struct link_effects *fx)
{
    int gen = c->gen;

    for (int i = 0; i < fx->count && c->open && c->gen == gen; i++) {
        const struct link_effect *x = &fx->item[i];
        struct conn_end *me = &c->end[end];
        switch (x->kind) {
        case FX_SEND:
            post(c, end, x->bytes, x->bytes_len);
            break;
        case FX_UP:
            trace("link %d-%d up at %d", c->child, c->parent, site_of(c, end)->no);
            if (site_of(c, 0)->speaks != site_of(c, 1)->speaks)
                breach("sites %d and %d speak with each other in two versions", c->child,
                       c->parent);
            if (end == 0) {
                site[c->child].backoff_ms = 500;
                site[c->child].shown_count = 0;
                recall_look(c, x);
            }
            break;
        case FX_READ:
            start(c, end, x, false, read_run, read_done);
            break;
        case FX_STORE:
            start(c, end, x, true, store_run, store_done);
            break;
        case FX_ACKED:
            start(c, end, x, true, acked_run, broken_rule);
            break;
        case FX_READ_CHUNK:
            start(c, end, x, false, chunk_read_run, chunk_read_done);
            break;
        case FX_STORE_CHUNK:
            start(c, end, x, true, chunk_store_run, chunk_store_done);
            break;
        case FX_NONE:
            if (me->refused_count < 64)
                memcpy(me->refused[me->refused_count++], x->digest, 32);
            break;
        case FX_HAVE:
            if (end == 0)
                start(c, end, x, true, sent_run, broken_rule);
            else
                start(c, end, x, false, have_run, have_done);
            break;
        case FX_RECALL:
            start(c, end, x, true, recall_run, recall_done);
            break;
        case FX_RECALLED:
            me->recalling = true;
            start(c, end, x, true, recall_step_run, recall_step_done);
            break;
        case FX_ASK_LEASE:
            start(c, end, x, true, ask_run, ask_done);
            break;
        case FX_LEASE:
            start(c, end, x, true, lease_run, broken_rule);
            break;
        case FX_HEAD:
            start(c, end, x, true, head_run, head_done);
            break;
        case FX_CLOSE:
            if (x->code == BYE_PROTOCOL && !x->by_peer)
                breach("site %d: protocol: %s", site_of(c, end)->no, x->reason);
            if (x->code == BYE_STORE && !x->by_peer && healing)
                breach("site %d: %s, and its disk is well", site_of(c, end)->no, x->reason);
            if ((x->code == BYE_BEHIND && !x->by_peer) ||
                (x->code == BYE_FORKED && x->by_peer && end == 0)) {
                struct job *j = job_new(site_of(c, end), true);
                trace("site %d finds that it was restored", site_of(c, end)->no);
                j->run = come_back_run;
                j->done = nothing;
                job_queue(j);
            }
            if (x->by_peer)
                net_close(c, x->reason);
            else /* the other side hears why */
                later(c->delay_ms + 2000, close_later, c->child, c->gen);
            break;
        }
    }
}

static void step(struct conn *c, int end, struct link_input *in)
{
    struct conn_end *x = &c->end[end];
    struct link_effects fx;

    if (!c->open || !x->link)
        return;
    in->now_ms = host_mono_ms(&site_of(c, end)->host);
    arena_reset(x->turn);
    link_step(x->link, in, x->turn, &fx);
    effects(c, end, &fx);
}

/* ---- opening and closing ----------------------------------------------------------------------*/

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
        x->x = (struct exchange){
            .office = &site_of(c, e)->office, .blobs = site_of(c, e)->blobs, .is_parent = e == 0};
        memcpy(x->x.peer, site_of(c, 1 - e)->code, 13);
        start(c, e, NULL, true, open_run, open_done);
    }
}

static enum err closed_run(struct job *j, struct db *db, struct errmsg *e)
{
    return lease_link_closed(&j->s->office, db, e);
}

static void nothing(struct job *j)
{
    (void)j;
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
        j->done = nothing;
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

/* ---- ticks ------------------------------------------------------------------------------------*/

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
            if (!c->open || site_of(c, e) != s)
                continue;
            struct conn_end *x = &c->end[e];
            for (int k = 0; k < h.count && c->open; k++)
                if (!strcmp(h.peer[k], x->x.peer) && h.pos[k] > x->head_pos && x->link) {
                    struct link_input in = {.kind = IN_LOCAL, .head_pos = h.pos[k]};
                    x->head_pos = h.pos[k];
                    step(c, e, &in);
                }
        }
}

struct glance {
    struct exchange_paper_row wanted[32], unsent[32];
    int wanted_count, unsent_count;
    struct exchange_head_row heads[16];
    int head_count;
};

static enum err read_glance(struct site *s, void *arg, struct errmsg *e)
{
    struct glance *g = arg;
    enum err err = exchange_wanted(s->db, 32, g->wanted, &g->wanted_count, e);

    if (err == OK && s->office.tier == TIER_COMMUNITY)
        err = exchange_unsent(s->db, 32, g->unsent, &g->unsent_count, e);
    if (err == OK && s->office.parent[0])
        err = exchange_heads(&s->office, s->db, 16, g->heads, &g->head_count, e);
    return err;
}

static bool was_refused(const struct conn_end *x, const unsigned char digest[32])
{
    for (int i = 0; i < x->refused_count; i++)
        if (!memcmp(x->refused[i], digest, 32))
            return true;
    return false;
}

static enum err found_run(struct job *j, struct db *db, struct errmsg *e)
{
    return exchange_paper(x_of(j), db, j->fx.digest, e);
}

/* By any line of this site, as production asks. */
static bool being_fetched(const struct site *s, const unsigned char digest[32])
{
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && site_of(&conns[i], e) == s && conns[i].end[e].link &&
                link_is_fetching(conns[i].end[e].link, digest))
                return true;
    return false;
}

static void want(struct conn *c, int e, const struct glance *g)
{
    struct conn_end *x = &c->end[e];

    if (!x->link || !link_is_up(x->link))
        return;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < g->wanted_count && c->open && link_can_fetch(x->link); i++) {
            const struct exchange_paper_row *p = &g->wanted[i];
            struct link_input in = {.kind = IN_WANTED};
            bool likely = !strcmp(p->from, x->x.peer) || (x->x.is_parent && !p->from[0]);
            if (likely != (pass == 0) || !hex_decode(p->digest + 7, in.digest, 32) ||
                was_refused(x, in.digest) || being_fetched(site_of(c, e), in.digest))
                continue;
            if (blob_exists(x->x.blobs, p->digest)) {
                struct link_effect found = {.kind = FX_STORE_CHUNK};
                memcpy(found.digest, in.digest, 32);
                start(c, e, &found, true, found_run, broken_rule);
                continue;
            }
            in.offset = (uint64_t)blob_partial_size(x->x.blobs, p->digest);
            step(c, e, &in);
        }
}

static enum err read_wanted(struct site *s, void *arg, struct errmsg *e)
{
    struct glance *g = arg;

    return exchange_wanted(s->db, 32, g->wanted, &g->wanted_count, e);
}

/* The next paper on every line of this site. */
static void net_papers(int no, int unused)
{
    struct glance g = {0};

    (void)unused;
    if (!in_read(&site[no], read_wanted, &g))
        return;
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && site_of(&conns[i], e) == &site[no])
                want(&conns[i], e, &g);
}

static void show(struct conn *c, struct site *s, struct glance *g)
{
    for (int i = 0; i < g->head_count && c->open; i++) {
        struct exchange_head_row *h = &g->heads[i];
        int k = 0;
        while (k < s->shown_count && strcmp(s->shown[k].origin, h->origin))
            k++;
        if (k < s->shown_count && s->shown[k].seq >= h->seq)
            continue;
        if (k == s->shown_count && k < 63)
            s->shown_count++;
        snprintf(s->shown[k].origin, sizeof s->shown[k].origin, "%s", h->origin);
        s->shown[k].seq = h->seq;
        struct link_input in = {.kind = IN_HEAD, .seq = h->seq};
        memcpy(in.origin, h->origin, sizeof in.origin);
        memcpy(in.digest, h->hash, 32);
        exchange_sign(&s->office, h);
        memcpy(in.signature, h->signature, 64);
        step(c, 0, &in);
    }
}

void net_tick(int no)
{
    struct site *s = &site[no];
    struct glance g = {0};

    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && site_of(&conns[i], e) == s) {
                struct link_input in = {.kind = IN_TICK};
                if (dice(12) == 0)
                    conns[i].end[e].refused_count = 0;
                step(&conns[i], e, &in);
            }
    if (no)
        recall_look(&conns[no], NULL);
    net_local(s);
    if (!s->up || !in_read(s, read_glance, &g))
        return;
    for (int i = 1; i < SITES; i++)
        for (int e = 0; e < 2; e++)
            if (conns[i].open && site_of(&conns[i], e) == s)
                want(&conns[i], e, &g);
    struct conn *up = &conns[no];
    if (no && up->open && up->end[0].link && link_is_up(up->end[0].link)) {
        show(up, s, &g);
        for (int i = 0; i < g.unsent_count && up->open; i++) {
            unsigned char digest[32];
            if (hex_decode(g.unsent[i].digest + 7, digest, 32))
                have(up, 0, digest);
        }
    }
}
