#include "site/link_end.h"

#include "base/crypto.h"
#include "base/mem.h"
#include "office/blocks.h"
#include "office/lease.h"
#include "office/offences.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HERE_MAX 256
#define SKEW_SHOWN_MS (2 * 60 * 1000)

void digest_text(const unsigned char digest[32], char out[DIGEST_TEXT_LEN + 1])
{
    memcpy(out, "sha256:", 7);
    hex_encode(digest, 32, out + 7);
}

static int64_t now_of(const struct link_end *x)
{
    return host_wall_ms(x->office->host);
}

enum err link_end_open(struct link_end *x, struct db *db, struct link_input *ret, struct errmsg *e)
{
    struct link_state state;
    bool revoked = false;
    int offences = 0;
    enum err err = x->is_parent ? lease_link_opens(db, e) : link_revoked(db, x->peer, &revoked, e);

    if (err == OK && revoked) {
        errmsg_set(e, "its certificate was revoked here: it has to be invited and enrolled again");
        return ERR_DENIED;
    }
    if (err == OK && !x->is_parent)
        err = offences_today(x->office, db, x->peer, &offences, e);
    if (err == OK && offences >= OFFENCES_A_DAY) {
        errmsg_set(
            e, "it has said too much today that is never its to say: its program has to be looked "
               "at, and revoked if it is not ours");
        return ERR_DENIED;
    }
    if (err != OK || (err = link_read(db, x->peer, &state, e)) != OK)
        return err;
    *ret =
        (struct link_input){.kind = IN_OPENED, .pos = state.recv_pos, .head_pos = state.head_pos};
    x->skew_ms = state.skew_ms;
    memcpy(ret->stream, state.stream, 16);
    memcpy(ret->recv_stream, state.peer_stream, 16);
    return ledger_recalling(db, &ret->recalling, e);
}

enum err link_end_closed(struct link_end *x, struct db *db, struct errmsg *e)
{
    return x->is_parent ? lease_link_closed(x->office, db, e) : OK;
}

/* Papers that these dossiers name and that we hold already: the child need not wait for us to fetch
 * them. */
static enum err papers_here(struct link_end_batch *t, struct db *db, struct arena *a,
                            struct errmsg *e)
{
    enum err err = OK;

    t->here = arena_alloc(a, 32 * HERE_MAX);
    for (size_t i = 0; err == OK && i < t->dossier_count; i++) {
        struct stmt *st =
            db_stmt(db, "SELECT d.digest FROM paper p JOIN document d ON d.digest = p.digest "
                        "WHERE p.dossier = $1 AND d.state = 'here'");
        bool row;
        bind_text(st, 1, t->dossiers[i]);
        while ((err = db_step(st, &row, e)) == OK && row && t->here_count < HERE_MAX)
            if (hex_decode(col_text(st, 0) + 7, t->here[t->here_count], 32))
                t->here_count++;
        db_reset(st);
    }
    return err;
}

/* NULL: it is no JSON; the fold says what that means. */
static void parse(struct arena *a, const char *text, size_t n, struct json **ret)
{
    if (json_parse_in(a, text, n, ret, NULL) != OK)
        *ret = NULL;
}

void link_end_prepare(const struct link_end *x, const struct link_effect *fx, struct arena *a,
                      struct link_end_batch *ret)
{
    *ret = (struct link_end_batch){.prepared = true};
    ret->list = arena_alloc(a, sizeof *ret->list * (fx->event_count + 1));
    for (size_t i = 0; i < fx->event_count; i++) {
        struct reader r = {.p = fx->events[i].bytes, .left = fx->events[i].len};
        struct arrival *n = &ret->list[i];
        *n = (struct arrival){0};
        if ((ret->err = event_decode(&r, a, &n->ev, &n->sum, &ret->msg)) != OK)
            return;
        ret->count++;
        parse(a, n->ev.record, n->ev.record_len, &n->record);
        if (n->ev.form == EVENT_FORM_HERE)
            parse(a, n->ev.personal, n->ev.personal_len, &n->personal);
    }
    const struct office_ahead *ahead = office_ahead(x->office->work, ret->list, ret->count, a);
    ret->dossiers = ahead->ids;
    ret->dossier_count = ahead->id_count;
}

enum err link_end_store(struct link_end *x, struct db *db, const struct link_effect *fx,
                        struct arena *a, struct link_end_batch *b, struct errmsg *e)
{
    enum err err;

    if (!b->prepared)
        link_end_prepare(x, fx, a, b);
    /* First: a batch behind one that failed must not even be looked at. */
    err = link_received(db, x->peer, fx->stream, fx->prev_pos, fx->pos, now_of(x), e);
    if (err == OK && (err = b->err) != OK)
        *e = b->msg;
    if (err == OK)
        err = ledger_receive(&x->office->ledger, db, x->peer, b->list, b->count, a, e);
    if (err == OK && !x->is_parent)
        err = offences_count(x->office, db, x->peer, b->list, b->count, &b->offends, e);
    if (err == OK && !x->is_parent && (err = papers_here(b, db, a, e)) == OK)
        err = blocks_top_up(x->office, db, x->peer, e);
    return err;
}

bool link_end_skew_shown(int64_t skew_ms)
{
    return skew_ms > SKEW_SHOWN_MS || skew_ms < -SKEW_SHOWN_MS;
}

enum err link_end_skew(struct link_end *x, struct db *db, int64_t skew_ms, struct errmsg *e)
{
    return link_skewed(db, x->peer, skew_ms, e);
}

enum err link_end_acked(struct link_end *x, struct db *db, uint64_t pos, struct errmsg *e)
{
    return link_acked(db, x->peer, pos, now_of(x), e);
}

enum err link_end_ask_lease(struct link_end *x, struct db *db, struct link_input *ret,
                            struct errmsg *e)
{
    struct lease_promise p;
    enum err err = lease_promise(x->office, db, x->peer, &p, e);

    if (err == OK)
        *ret = (struct link_input){.lease_now_ms = p.now_ms,
                                   .promised_ms = p.promised_ms,
                                   .length_ms = p.length_ms,
                                   .pos = p.pos};
    return err;
}

enum err link_end_lease(struct link_end *x, struct db *db, const struct link_effect *fx,
                        struct errmsg *e)
{
    struct lease_promise p = {fx->lease_now_ms, fx->promised_ms, fx->length_ms, fx->pos};

    return lease_keep(x->office, db, fx->mono_ms, &p, e);
}

enum err link_end_head(struct link_end *x, struct db *db, const struct link_effect *fx,
                       struct errmsg *e)
{
    (void)x;
    return ledger_witness(db, fx->origin, fx->seq, fx->digest, fx->signature, e);
}

/* ---- papers that have come --------------------------------------------------------------------*/

static enum err by_digest(struct db *db, const char *sql, const unsigned char digest[32],
                          struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);
    char text[DIGEST_TEXT_LEN + 1];

    digest_text(digest, text);
    bind_text(st, 1, text);
    return db_run(st, e);
}

enum err link_end_sent(struct link_end *x, struct db *db, const unsigned char digest[32],
                       struct errmsg *e)
{
    (void)x;
    return by_digest(db, "UPDATE document SET sent = 1 WHERE digest = $1 AND sent = 0", digest, e);
}

enum err link_end_paper(struct link_end *x, struct db *db, const unsigned char digest[32],
                        struct errmsg *e)
{
    /* What came from the parent, the parent has. */
    return by_digest(
        db,
        x->is_parent ? "UPDATE document SET state = 'here', urgent = 0, sent = 1 WHERE digest = $1"
                     : "UPDATE document SET state = 'here', urgent = 0 WHERE digest = $1",
        digest, e);
}

/* ---- reading the outbox -----------------------------------------------------------------------*/

struct collecting {
    struct buf *raw;
    size_t *ends;
    size_t count, cap;
};

static void collect(void *arg, const struct event *ev)
{
    struct collecting *c = arg;

    event_encode(ev, c->raw);
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->ends = mem_realloc(c->ends, sizeof *c->ends * c->cap);
    }
    c->ends[c->count++] = c->raw->len;
}

enum err link_end_read(struct link_end *x, struct db *db, const struct link_effect *fx,
                       struct buf *bytes, struct sync_event **list, struct link_input *ret,
                       struct errmsg *e)
{
    struct collecting c = {.raw = bytes};
    uint64_t pos = fx->pos;
    enum err err =
        outbox_read(db, x->peer, fx->pos, (int)fx->event_max, fx->byte_max, collect, &c, &pos, e);

    *list = mem_alloc(sizeof **list * (c.count + 1));
    for (size_t i = 0; i < c.count; i++) {
        size_t from = i ? c.ends[i - 1] : 0;
        (*list)[i] = (struct sync_event){bytes->data + from, c.ends[i] - from};
    }
    mem_free(c.ends);
    *ret =
        (struct link_input){.kind = IN_EVENTS, .events = *list, .event_count = c.count, .pos = pos};
    return err;
}

enum err link_end_have(struct link_end *x, struct db *db, const unsigned char digest[32], bool *ret,
                       struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM document WHERE digest = $1 AND state = 'here'");
    char text[DIGEST_TEXT_LEN + 1];

    (void)x;
    digest_text(digest, text);
    bind_text(st, 1, text);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

/* ---- papers -----------------------------------------------------------------------------------*/

enum err link_end_read_chunk(struct link_end *x, const struct link_effect *fx, struct buf *bytes,
                             struct link_input *ret, struct errmsg *e)
{
    char digest[DIGEST_TEXT_LEN + 1];
    int64_t size;
    int fd;

    *ret = (struct link_input){.kind = IN_CHUNK, .offset = fx->offset, .total = -1};
    memcpy(ret->digest, fx->digest, 32);
    digest_text(fx->digest, digest);
    if (blob_read(x->blobs, digest, &fd, &size, e) != OK)
        return OK; /* it is not here: that is the answer */
    buf_reserve(bytes, fx->byte_max);
    ssize_t n = pread(fd, bytes->data, fx->byte_max, (off_t)fx->offset);
    close(fd);
    if (n < 0) {
        errmsg_set(e, "a paper cannot be read");
        return ERR_IO;
    }
    bytes->len = (size_t)n;
    ret->total = size;
    ret->bytes = bytes->data;
    ret->bytes_len = bytes->len;
    return OK;
}

enum err link_end_store_chunk(struct link_end *x, const struct link_effect *fx,
                              struct link_input *ret, struct errmsg *e)
{
    char digest[DIGEST_TEXT_LEN + 1];

    *ret = (struct link_input){.kind = IN_CHUNK_STORED, .offset = fx->offset + fx->bytes_len};
    memcpy(ret->digest, fx->digest, 32);
    digest_text(fx->digest, digest);
    enum err err =
        blob_partial_append(x->blobs, digest, (int64_t)fx->offset, fx->bytes, fx->bytes_len, e);
    ret->finished = err == OK && ret->offset == fx->total;
    if (ret->finished)
        err = blob_partial_finish(x->blobs, digest, e);
    return err;
}

/* ---- next -------------------------------------------------------------------------------------*/

static enum err papers(struct db *db, const char *sql, int max, struct link_end_paper_row *list,
                       int *ret_count, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);
    enum err err;
    bool row;

    *ret_count = 0;
    bind_int(st, 1, max);
    while ((err = db_step(st, &row, e)) == OK && row) {
        struct link_end_paper_row *x = &list[(*ret_count)++];
        snprintf(x->digest, sizeof x->digest, "%s", col_text(st, 0));
        snprintf(x->from, sizeof x->from, "%s", col_text(st, 1) ? col_text(st, 1) : "");
    }
    return err;
}

enum err link_end_wanted(struct db *db, int max, struct link_end_paper_row *list, int *ret_count,
                         struct errmsg *e)
{
    return papers(
        db,
        "SELECT d.digest, (SELECT v.from_peer FROM event v WHERE v.dossier = d.dossier AND "
        "v.from_peer IS NOT NULL ORDER BY v.hlc LIMIT 1) FROM document d WHERE d.state = 'wanted' "
        "ORDER BY d.urgent DESC, d.hlc LIMIT $1",
        max, list, ret_count, e);
}

enum err link_end_unsent(struct db *db, int max, struct link_end_paper_row *list, int *ret_count,
                         struct errmsg *e)
{
    return papers(db,
                  "SELECT digest, '' FROM document WHERE sent = 0 AND state = 'here' AND dossier "
                  "<> '' LIMIT $1",
                  max, list, ret_count, e);
}

static bool add_head(struct stmt *st, const char *origin, bool with_signature,
                     struct link_end_head_row *h)
{
    size_t n, m = 64;
    const void *hash = col_blob(st, 1, &n), *sig = with_signature ? col_blob(st, 2, &m) : NULL;

    if (n != 32 || m != 64)
        return false;
    *h = (struct link_end_head_row){0};
    snprintf(h->origin, sizeof h->origin, "%s", origin);
    h->seq = (uint64_t)col_int(st, 0);
    memcpy(h->hash, hash, 32);
    if (sig)
        memcpy(h->signature, sig, 64);
    return true;
}

void link_end_sign(const struct office *o, struct link_end_head_row *h)
{
    if (h->own)
        ledger_sign_head(o->seed, h->origin, h->seq, h->hash, h->signature);
    h->own = false;
}

enum err link_end_heads(struct office *o, struct db *db, int max, struct link_end_head_row *list,
                        int *ret_count, struct errmsg *e)
{
    const char *origin = o->ledger.origin;
    /* Of the own chain its head, when the parent has it: it was acknowledged, or came from there (a
     * past that was forgotten). Else the newest of what was acknowledged last; in this order and by
     * the index of positions (origin || ''), or each look walks through all own events. */
    struct stmt *st = db_stmt(
        db,
        "SELECT v.seq, v.hash FROM origin o JOIN event v ON v.origin = o.origin AND v.seq = o.seq "
        "JOIN link l ON l.peer = $1 WHERE o.origin = $2 AND "
        "(v.up_pos <= l.acked_pos OR v.from_peer = l.peer)");
    enum err err;
    bool row;

    *ret_count = 0;
    bind_text(st, 1, o->parent);
    bind_text(st, 2, origin);
    if ((err = db_step(st, &row, e)) == OK && !row) {
        st = db_stmt(
            db, "SELECT v.seq, v.hash FROM link l CROSS JOIN event v WHERE l.peer = $1 AND "
                "v.up_pos <= l.acked_pos AND v.up_pos > l.acked_pos - 1000 AND v.origin || '' = $2 "
                "ORDER BY v.up_pos DESC LIMIT 1");
        bind_text(st, 1, o->parent);
        bind_text(st, 2, origin);
        err = db_step(st, &row, e);
    }
    if (err != OK)
        return err;
    if (row && add_head(st, origin, false, &list[0])) {
        list[0].own = true;
        *ret_count = 1;
    }
    db_reset(st);
    st = db_stmt(db, "SELECT o.signed_seq, o.signed_hash, o.signature, o.origin FROM link l CROSS "
                     "JOIN origin o CROSS JOIN event v "
                     "WHERE l.peer = $1 AND v.origin = o.origin AND v.seq = o.signed_seq AND "
                     "o.signed_seq <> 0 AND o.origin <> $2 AND v.up_pos <= l.acked_pos LIMIT $3 /* "
                     "full scan: an origin a site */");
    bind_text(st, 1, o->parent);
    bind_text(st, 2, origin);
    bind_int(st, 3, max - 1);
    while ((err = db_step(st, &row, e)) == OK && row) {
        char name[25];
        snprintf(name, sizeof name, "%s", col_text(st, 3));
        *ret_count += add_head(st, name, true, &list[*ret_count]);
    }
    return err;
}
