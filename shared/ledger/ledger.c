/* Opening, and appending what is said here.
 *
 *   next seq, hlc -> sum -> chain -> store -> apply -> route     (any failure undoes all) */
#include "ledger/ledger.h"

#include "ledger/inside.h"
#include "ledger/meta.h"
#include "ledger/recall.h"

#include <assert.h>
#include <string.h>

enum err ledger_open(struct ledger *l, struct db *db, const char *site, const struct host *host,
                     struct errmsg *e)
{
    char origin[sizeof l->origin];
    enum err err;

    assert(strlen(site) == 12);
    memset(l, 0, sizeof *l);
    memcpy(l->site, site, 12);
    memcpy(l->origin, site, 12);
    l->host = host;
    if ((err = meta_read(db, "origin", origin, sizeof origin, NULL, e)) != OK)
        return err;
    if (origin[0])
        memcpy(l->origin, origin, sizeof origin);
    return meta_read_u64(db, "hlc", &l->hlc_last, e);
}

enum err ledger_keep_clock(struct ledger *l, struct db *db, struct errmsg *e)
{
    return meta_write_u64(db, "hlc", l->hlc_last, e);
}

static uint64_t next_hlc(struct ledger *l)
{
    uint64_t now = (uint64_t)host_wall_ms(l->host) << 16;

    l->hlc_last = now > l->hlc_last ? now : l->hlc_last + 1;
    return l->hlc_last;
}

/* The event and its sum, but for its place in the chain. */
struct making {
    struct buf record, personal;
    unsigned char salt[EVENT_SALT_BYTES], signature[64];
};

static enum err make(struct ledger *l, const struct said *s, struct making *m, struct arrival *x,
                     struct errmsg *e)
{
    struct event *ev = &x->ev;

    *ev = (struct event){.origin = l->origin,
                         .flags = s->flags,
                         .kind = s->kind,
                         .dossier = s->dossier ? s->dossier : "",
                         .street = s->street,
                         .actor = s->actor ? s->actor : ""};
    json_canonical(s->record, &m->record);
    ev->record = buf_text(&m->record);
    ev->record_len = m->record.len;
    if (s->personal) {
        json_canonical(s->personal, &m->personal);
        host_random(l->host, m->salt, sizeof m->salt);
        ev->flags |= EVENT_PERSONAL;
        ev->form = EVENT_FORM_HERE;
        ev->personal = buf_text(&m->personal);
        ev->personal_len = m->personal.len;
        ev->salt = m->salt;
    }
    if (ev->record_len + ev->personal_len > EVENT_TEXT_BYTES_MAX) {
        errmsg_set(e, "the event has %zu bytes, at most %d are allowed",
                   ev->record_len + ev->personal_len, EVENT_TEXT_BYTES_MAX);
        return ERR_INVALID;
    }
    if (s->seed) {
        ev->flags |= EVENT_SIGNED;
        ev->signature = m->signature;
    }
    ev->hlc = next_hlc(l);
    event_sum(ev, &x->sum);
    if (s->seed)
        event_sign(s->seed, &x->sum, m->signature);
    return OK;
}

static enum err not_recalling(struct db *db, struct errmsg *e)
{
    bool recalling;
    enum err err = ledger_recalling(db, &recalling, e);

    if (err == OK && recalling) {
        errmsg_set(e, "this site is still getting its own past back from its parent; try again "
                      "when the link is up");
        err = ERR_BUSY;
    }
    return err;
}

static enum err store(struct ledger *l, struct db *db, struct arrival *x, struct errmsg *e)
{
    unsigned char prev[32], hash[32];
    uint64_t pos, head;
    bool up;
    enum err err = ledger_head(db, l->origin, &head, prev, e);

    if (err != OK)
        return err;
    x->ev.seq = head + 1;
    event_hash(prev, x->ev.origin, x->ev.seq, x->sum.core, hash);
    if ((err = outbox_up_head(l, db, &up, &pos, e)) != OK ||
        (up && (err = outbox_set_up_head(l, db, ++pos, e)) != OK) ||
        (err = row_store(db, &x->ev, hash, NULL, up ? pos : 0, e)) != OK ||
        (err = chain_set_head(db, x->ev.origin, x->ev.seq, hash, e)) != OK)
        return err;
    return ledger_keep_clock(l, db, e);
}

enum err ledger_append(struct ledger *l, struct db *db, const struct said *s, uint64_t *ret_seq,
                       struct errmsg *e)
{
    struct making m = {0};
    struct arrival x = {.got = RECEIVED_NEW};
    struct arena *a = arena_create();
    enum err err;

    assert(!(s->flags & ~(unsigned)EVENT_CRITICAL));
    if ((err = not_recalling(db, e)) == OK && (err = make(l, s, &m, &x, e)) == OK)
        err = store(l, db, &x, e);
    if (err == OK && l->apply)
        err = l->apply(l->arg, db, &x, 1, true, a, e);
    if (err == OK && l->route)
        err = l->route(l->arg, db, &x, 1, NULL, a, e);
    if (err == OK && ret_seq)
        *ret_seq = x.ev.seq;
    if (err != OK)
        errmsg_wrap(e, "append %s", s->kind);
    arena_destroy(a);
    buf_free(&m.record);
    buf_free(&m.personal);
    return err;
}
