/* A site that has forgotten, and the parent that gives its past back (protocol.md 7): what each
 * answer does to the store. */
#include "site/link_end.h"

#include "base/crypto.h"
#include "ledger/meta.h"
#include "office/blocks.h"
#include "office/enrol.h"
#include "office/lease.h"
#include "office/rebuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Children may hold events that were said after the copy and never reached the parent: what is said
 * from now on must not carry their numbers. */
static enum err epoch_for_children(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM link WHERE role = 'child' LIMIT 1");
    unsigned char hash[32];
    uint64_t head;
    bool row;
    enum err err = db_step(st, &row, e);

    db_reset(st);
    if (err != OK || !row || (err = ledger_head(db, o->ledger.origin, &head, hash, e)) != OK)
        return err;
    return ledger_new_epoch(&o->ledger, db, head, e);
}

enum err link_end_come_back(struct office *o, struct db *db, struct errmsg *e)
{
    enum err err = link_rename_all(db, o->host, e);

    if (err == OK)
        err = lease_forgotten(o, db, e);
    if (err != OK)
        return err;
    return o->parent[0] ? ledger_recall_begin(db, e) : epoch_for_children(o, db, e);
}

/* protocol.md 7: "puts every later event of that origin, and all of the site's other epochs, into
 * its outbox for the child, up to *position*" */
static enum err give_past(struct link_end *x, struct db *db, const char *origin, uint64_t seq,
                          uint64_t head, bool *ret_past, struct errmsg *e)
{
    struct ledger *l = &x->office->ledger;
    struct stmt *st = db_stmt(
        db, "SELECT origin, seq FROM origin WHERE origin >= $1 AND origin < $1 || '/' AND seq > 0");
    enum err err;
    bool row;

    *ret_past = head > 0;
    bind_text(st, 1, x->peer);
    while ((err = db_step(st, &row, e)) == OK && row) {
        const char *epoch = col_text(st, 0);
        *ret_past = true;
        for (uint64_t at = 1; err == OK && strcmp(epoch, origin) && at <= (uint64_t)col_int(st, 1);
             at++)
            err = ledger_enqueue_again(l, db, x->peer, epoch, at, e);
        if (err != OK)
            break;
    }
    db_reset(st);
    for (uint64_t at = seq + 1; err == OK && at <= head; at++)
        err = ledger_enqueue_again(l, db, x->peer, origin, at, e);
    return err;
}

/* protocol.md 7: "the child uses none that was leased up to the *hlc* of the answer." *ret_hlc 0:
 * it may use all. New blocks once for each life of the child, which the name of its outbox tells
 * apart; the first one has no past. */
static enum err numbers_anew(struct link_end *x, struct db *db, const unsigned char stream[16],
                             bool past, uint64_t *ret_hlc, struct errmsg *e)
{
    char key[32], text[64], name[33];
    bool row;
    enum err err;

    snprintf(key, sizeof key, "numbers.%s", x->peer);
    hex_encode(stream, 16, name);
    if ((err = meta_read(db, key, text, sizeof text, &row, e)) != OK)
        return err;
    if (row && !strncmp(text, name, 32)) {
        *ret_hlc = strtoull(text + 32, NULL, 10);
        return OK;
    }
    *ret_hlc = row || past ? x->office->ledger.hlc_last : 0;
    snprintf(text, sizeof text, "%s %llu", name, (unsigned long long)*ret_hlc);
    if ((err = meta_write(db, key, text, e)) != OK || !*ret_hlc)
        return err;
    return blocks_anew(x->office, db, x->peer, e);
}

enum err link_end_recall(struct link_end *x, struct db *db, const struct link_effect *fx,
                         struct link_input *ret, struct errmsg *e)
{
    unsigned char hash[32];
    struct link_state link;
    char site[13];
    uint64_t head;
    bool past;
    enum err err;

    *ret = (struct link_input){.kind = IN_RECALLED, .seq = fx->seq, .verdict = RECALL_AGREES};
    memcpy(ret->origin, fx->origin, sizeof ret->origin);
    event_site(fx->origin, site);
    if (strcmp(site, x->peer)) {
        errmsg_set(e, "%s recalls the past of %s", x->peer, fx->origin);
        return ERR_PEER;
    }
    if ((err = ledger_head(db, fx->origin, &head, hash, e)) != OK)
        return err;
    ret->pos = head;
    if (fx->seq > head) {
        ret->verdict = RECALL_BEYOND;
        return OK;
    }
    if ((err = ledger_hash_at(db, fx->origin, fx->seq, hash, e)) != OK)
        return err;
    if (memcmp(hash, fx->digest, 32)) {
        ret->verdict = RECALL_FORKED;
        return OK;
    }
    if ((err = give_past(x, db, fx->origin, fx->seq, head, &past, e)) != OK ||
        (err = numbers_anew(x, db, fx->stream, past, &ret->hlc, e)) != OK ||
        (err = link_named(db, x->peer, fx->stream, e)) != OK)
        return err;
    err = link_read(db, x->peer, &link, e);
    ret->feed = past ? link.head_pos : 0;
    return err;
}

static enum err ask_at(struct office *o, struct db *db, uint64_t seq, struct link_input *ret,
                       bool *ret_ask, struct errmsg *e)
{
    *ret = (struct link_input){.kind = IN_RECALL, .seq = seq};
    snprintf(ret->origin, sizeof ret->origin, "%s", o->ledger.origin);
    *ret_ask = true;
    return ledger_hash_at(db, o->ledger.origin, seq, ret->digest, e);
}

/* protocol.md 7: "may append when it holds the parent's head, and the feed up to *position*." */
static enum err past_is_back(struct link_end *x, struct db *db,
                             const struct link_end_recall_state *s, bool *ret, struct errmsg *e)
{
    const char *origin =
        s->past[0] ? s->past
                   : x->office->ledger.origin; /* of the new epoch nobody else has anything */
    unsigned char hash[32];
    struct link_state link;
    uint64_t head;
    enum err err;

    *ret = false;
    if (!s->known)
        return OK;
    if ((err = ledger_head(db, origin, &head, hash, e)) != OK ||
        (err = link_read(db, x->peer, &link, e)) != OK)
        return err;
    *ret = head >= s->target && link.recv_pos >= s->feed;
    return OK;
}

/* The parent's answer. A fork is looked for by halving; then the events behind it become a new
 * epoch. */
static enum err on_recalled(struct link_end *x, struct db *db, struct link_end_recall_state *s,
                            const struct link_effect *fx, uint64_t head, struct link_input *ret,
                            bool *ret_ask, struct errmsg *e)
{
    struct office *o = x->office;
    enum err err;

    if (fx->verdict == RECALL_BEYOND)
        return ask_at(o, db, fx->pos < head ? fx->pos : head, ret, ret_ask, e);
    if (fx->verdict == RECALL_AGREES && fx->seq > s->agreed)
        s->agreed = fx->seq;
    else if (fx->verdict == RECALL_FORKED && (!s->forked || fx->seq < s->forked))
        s->forked = fx->seq;
    s->hlc = fx->hlc > s->hlc ? fx->hlc : s->hlc;
    s->feed = fx->feed > s->feed ? fx->feed : s->feed;
    if (s->forked && s->agreed + 1 < s->forked) /* somewhere between */
        return ask_at(o, db, s->agreed + (s->forked - s->agreed) / 2, ret, ret_ask, e);
    if (fx->verdict == RECALL_AGREES || s->forked)
        if ((err = ledger_recall_agreed(db, e)) != OK)
            return err;
    s->known = true;
    s->target = fx->pos;
    if (!s->forked)
        return OK;
    snprintf(s->past, sizeof s->past, "%s", o->ledger.origin);
    if ((err = ledger_new_epoch(&o->ledger, db, s->agreed, e)) != OK)
        return err;
    /* The old epoch's rest comes by the feed; the new one is ours alone. */
    *ret = (struct link_input){.kind = IN_RECALL, .seq = s->agreed};
    snprintf(ret->origin, sizeof ret->origin, "%s", s->past);
    *ret_ask = true;
    s->asked_past = true;
    /* A fork is rare, and other names change the order of the fold: fold everything again. */
    if ((err = office_rebuild(o, db, e)) != OK)
        return err;
    return ledger_hash_at(db, s->past, ret->seq, ret->digest, e);
}

enum err link_end_recall_step(struct link_end *x, struct db *db, struct link_end_recall_state *s,
                              const struct link_effect *fx, struct link_input *ret, bool *ret_ask,
                              struct errmsg *e)
{
    struct office *o = x->office;
    unsigned char hash[32];
    uint64_t head;
    bool recalling, back;
    enum err err;

    *ret_ask = false;
    if ((err = ledger_recalling(db, &recalling, e)) != OK)
        return err;
    s->done = !recalling;
    if (!recalling || (err = ledger_head(db, o->ledger.origin, &head, hash, e)) != OK)
        return err;
    if (!s->asked) {
        *s = (struct link_end_recall_state){.asked = true};
        if ((err = ledger_recall_begin(db, e)) != OK)
            return err;
        return ask_at(o, db, head, ret, ret_ask, e);
    }
    if (fx && fx->kind == FX_RECALLED && !s->known && !strcmp(fx->origin, o->ledger.origin)) {
        if ((err = on_recalled(x, db, s, fx, head, ret, ret_ask, e)) != OK || *ret_ask)
            return err;
    } else if (fx && fx->kind == FX_RECALLED && s->asked_past && !strcmp(fx->origin, s->past)) {
        s->asked_past = false; /* from here the feed is known to hold the rest */
        s->feed = fx->feed > s->feed ? fx->feed : s->feed;
    }
    if ((err = past_is_back(x, db, s, &back, e)) != OK)
        return err;
    if (!back || s->asked_past) {
        if (!fx && ++s->waited > 6) /* something was passed over, or lost on the way: ask again */
            *s = (struct link_end_recall_state){0};
        return OK;
    }
    if ((err = ledger_recall_end(db, s->hlc, e)) == OK && s->hlc)
        err = epoch_for_children(o, db, e);
    if (err == OK &&
        s->hlc) /* an earlier life has promised leases that this one does not know of */
        err = lease_forgotten(o, db, e);
    if (err == OK && !s->hlc && !head && !strcmp(o->ledger.origin, o->site))
        err = office_found(o, db, e); /* really new: nobody has held anything of this site */
    return err == OK ? office_announce(o, db, e) : err;
}
