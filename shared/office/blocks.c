/* The tables `block` and `counter`. Of each space a street keeps the upper part for itself and lends
 * the lower to its communities; a space of the whole district is cut into one piece per street, the
 * last tenth being the district's own. */
#include "office/blocks.h"

#include "base/ids.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/meta.h"
#include "office/say.h"

#include <assert.h>
#include <stdlib.h>

#define PIECES 1000 /* of a district's space: one for each street */

/* Of what a street lends, one child comes to a quarter by using it up, to a half by forgetting. */
#define TOP_UP_SHARE 4
#define LIVES_SHARE 2

static int64_t piece(const struct number_space *s)
{
    return s->size / PIECES;
}

static int64_t own_tenth(const struct number_space *s)
{
    return s->size / 10 * 9;
}

/* Call fn for every space of every type. */
static enum err each_space(struct office *o, struct db *db, const char *child, int64_t n,
                           enum err (*fn)(struct office *o, struct db *db,
                                          const struct number_space *s, const char *child,
                                          int64_t n, struct errmsg *e),
                           struct errmsg *e)
{
    enum err err = OK;

    for (size_t t = 0; t < o->work->type_count; t++)
        for (size_t i = 0; err == OK && i < o->work->types[t]->space_count; i++)
            err = fn(o, db, &o->work->types[t]->spaces[i], child, n, e);
    return err;
}

/* ---- numbers in use ---------------------------------------------------------------------------*/

void marks_note(struct marks *m, const char *kind, const char *holder, const char *scope, int64_t n)
{
    for (int i = 0; i < m->count; i++) {
        struct mark *x = &m->list[i];
        if (!strcmp(x->kind, kind) && !strcmp(x->holder, holder) && !strcmp(x->scope, scope)) {
            x->n = n > x->n ? n : x->n;
            return;
        }
    }
    if (m->count == m->cap) {
        struct mark *more = arena_alloc(m->arena, sizeof *more * (size_t)(m->cap * 2 + 8));
        if (m->count)
            memcpy(more, m->list, sizeof *more * (size_t)m->count);
        m->list = more;
        m->cap = m->cap * 2 + 8;
    }
    struct mark *x = &m->list[m->count++];
    *x = (struct mark){.kind = kind, .n = n};
    COPY_TEXT(x->holder, holder);
    COPY_TEXT(x->scope, scope);
}

static enum err write_one(struct db *db, const struct mark *m, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO counter (street, kind, holder, scope, next) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (street, kind, holder, scope) DO UPDATE SET "
        "next = CASE WHEN excluded.next > counter.next THEN excluded.next ELSE counter.next END");
    char street[13];

    division_street(m->holder, street); /* of the site whose number it is, not of the dossier */
    bind_text(st, 1, street);
    bind_text(st, 2, m->kind);
    bind_text(st, 3, m->holder);
    bind_text(st, 4, m->scope);
    bind_int(st, 5, m->n + 1);
    return db_run(st, e);
}

enum err marks_write(struct db *db, struct marks *m, struct errmsg *e)
{
    enum err err = OK;

    for (int i = 0; err == OK && i < m->count; i++)
        err = write_one(db, &m->list[i], e);
    m->count = 0;
    return err;
}

static enum err used_up_to(struct office *o, struct db *db, const char *kind, const char *scope,
                           int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "SELECT next FROM counter WHERE street = $1 AND kind = $2 AND holder = $3 AND scope = $4");
    bool row;

    bind_text(st, 1, o->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, o->site);
    bind_text(st, 4, scope);
    enum err err = db_step(st, &row, e);
    *ret = err == OK && row ? col_int(st, 0) : 0;
    db_reset(st);
    return err;
}

enum err number_next(struct office *o, struct db *db, const char *kind, const char *scope,
                     int64_t *ret, struct problem *p)
{
    struct errmsg e = {""};
    int64_t next;
    bool row;
    enum err err = used_up_to(o, db, kind, scope, &next, &e);

    if (err != OK)
        return err;
    /* A site with a forgotten past uses only what was leased after it came back. */
    struct stmt *st = db_stmt(
        db,
        "SELECT first FROM block WHERE street = $1 AND kind = $2 AND holder = $3 AND last >= $4 "
        "AND hlc > coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'numbers_after'), "
        "0) ORDER BY first LIMIT 1");
    bind_text(st, 1, o->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, o->site);
    bind_int(st, 4, next);
    if ((err = db_step(st, &row, &e)) != OK)
        return err;
    if (!row) {
        problem_set(p, 409, "numbers-used-up", kind, "a block of numbers from the parent office",
                    NULL, "本站的号段已用完，请连上上级站点后重试，系统会自动领取新号段。",
                    "This site has used up its numbers. Connect to the parent office; new ones "
                    "come by themselves.");
        return ERR_CONFLICT;
    }
    *ret = col_int(st, 0) > next ? col_int(st, 0) : next;
    db_reset(st);
    return OK;
}

/* ---- leases -----------------------------------------------------------------------------------*/

enum err block_leased(struct office *o, struct db *db, const struct event *ev,
                      const struct json *record, const struct json *personal, struct errmsg *e)
{
    const char *kind = json_get_text(record, "kind"), *holder = json_get_text(record, "holder");
    int64_t first = json_get_int(record, "first", -1), last = json_get_int(record, "last", -1);

    (void)o;
    (void)personal;
    if (!kind || !holder || first < 0 || last < first) {
        errmsg_set(e, "a block without kind, holder or numbers");
        return ERR_INVALID;
    }
    struct stmt *st = db_stmt(
        db,
        "INSERT INTO block (street, kind, holder, first, last, hlc) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (street, kind, holder, first) DO UPDATE SET "
        "last = excluded.last, hlc = excluded.hlc WHERE excluded.hlc > block.hlc");
    bind_text(st, 1, ev->street);
    bind_text(st, 2, kind);
    bind_text(st, 3, holder);
    bind_int(st, 4, first);
    bind_int(st, 5, last);
    bind_int(st, 6, (int64_t)ev->hlc);
    return db_run(st, e);
}

static enum err lend(struct office *o, struct db *db, const char *kind, const char *holder,
                     int64_t first, int64_t last, struct errmsg *e)
{
    struct json *b = json_object();
    char street[13];

    assert(first <= last);
    division_street(holder, street);
    json_set_text(b, "kind", kind);
    json_set_text(b, "holder", holder);
    json_set_int(b, "first", first);
    json_set_int(b, "last", last);
    return office_say_fact(o, db, "block.leased/1", street, NULL, b, e);
}

static enum err found_space(struct office *o, struct db *db, const struct number_space *s,
                            const char *child, int64_t n, struct errmsg *e)
{
    (void)child;
    (void)n;
    if (s->district)
        return o->tier == TIER_DISTRICT
                   ? lend(o, db, s->kind, o->site, own_tenth(s), s->size - 1, e)
                   : OK;
    return lend(o, db, s->kind, o->site, o->tier == TIER_DISTRICT ? 0 : s->hub, s->size - 1, e);
}

enum err blocks_found(struct office *o, struct db *db, struct errmsg *e)
{
    return each_space(o, db, NULL, 0, found_space, e);
}

/* The next free piece for a street, at `wanted` or above: a holder's numbers only rise. */
static enum err lend_piece(struct office *o, struct db *db, const struct number_space *s,
                           const char *street, int64_t wanted, struct errmsg *e)
{
    for (int64_t first = wanted; first + piece(s) <= own_tenth(s); first += piece(s)) {
        struct stmt *st = db_stmt(
            db, "SELECT 1 FROM block WHERE kind = $3 AND first <= $2 AND last >= $1 LIMIT 1");
        bool row;
        bind_int(st, 1, first);
        bind_int(st, 2, first + piece(s) - 1);
        bind_text(st, 3, s->kind);
        enum err err = db_step(st, &row, e);
        db_reset(st);
        if (err != OK || !row)
            return err != OK ? err : lend(o, db, s->kind, street, first, first + piece(s) - 1, e);
    }
    errmsg_set(e, "no numbers of the kind %s are left", s->kind);
    return ERR_CONFLICT;
}

/* What a child holds and has used of a space (of a daily number: today, in any series). */
struct use {
    int64_t last, biggest, all; /* the highest number, the biggest block, of how many numbers */
    int64_t next;               /* behind the highest used */
};

static enum err used_by(struct office *o, struct db *db, const struct number_space *s,
                        const char *child, struct use *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db,
        "SELECT coalesce(max(last), -1), coalesce(max(last - first + 1), 0), "
        "coalesce(sum(last - first + 1), 0), (SELECT coalesce(max(next), 0) FROM counter "
        "WHERE street = $1 AND kind = $2 AND holder = $3 AND scope >= $4 AND scope < $4 || '~') "
        "FROM block WHERE street = $1 AND kind = $2 AND holder = $3");
    char scope[7] = "";
    bool row;

    if (s->per_day)
        time_yymmdd(host_wall_ms(o->host), scope);
    bind_text(st, 1, o->street);
    bind_text(st, 2, s->kind);
    bind_text(st, 3, child);
    bind_text(st, 4, scope);
    enum err err = db_step(st, &row, e);
    *ret = (struct use){.last = -1};
    if (err == OK && row)
        *ret = (struct use){col_int(st, 0), col_int(st, 1), col_int(st, 2), col_int(st, 3)};
    db_reset(st);
    return err;
}

/* The next free numbers of the street's lower part; none when all are given out: what is used shows
 * when somebody runs out. */
static enum err lend_next(struct office *o, struct db *db, const struct number_space *s,
                          const char *child, int64_t size, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT max(last) FROM block WHERE street = $1 AND kind = $2 AND holder <> $3");
    int64_t first = 0;
    bool row;

    bind_text(st, 1, o->street);
    bind_text(st, 2, s->kind);
    bind_text(st, 3, o->site);
    enum err err = db_step(st, &row, e);
    if (err == OK && row && !col_is_null(st, 0))
        first = col_int(st, 0) + 1;
    db_reset(st);
    if (err != OK || first >= s->hub)
        return err;
    return lend(o, db, s->kind, child, first, first + size > s->hub ? s->hub - 1 : first + size - 1,
                e);
}

/* The same, but of all that the street lends no more than a part comes to one child so: a hostile one
 * names its highest number, or a new life, as often as it likes. */
static enum err lend_within(struct office *o, struct db *db, const struct number_space *s,
                            const char *child, int64_t size, int64_t part, struct errmsg *e)
{
    struct use u;
    enum err err = used_by(o, db, s, child, &u, e);
    int64_t left = err == OK ? s->hub / part - u.all : 0;

    if (left <= 0)
        return err;
    return lend_next(o, db, s, child, size < left ? size : left, e);
}

/* What the child holds of it: the biggest block, and the first and last number of the highest. */
static enum err holds(struct db *db, const char *kind, const char *holder, int64_t *ret_size,
                      int64_t *ret_first, int64_t *ret_last, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT coalesce(max(last - first + 1), 0), coalesce(max(first), "
                                  "0), coalesce(max(last), 0) FROM block WHERE kind = $1 AND "
                                  "holder = $2");
    bool row;

    bind_text(st, 1, kind);
    bind_text(st, 2, holder);
    enum err err = db_step(st, &row, e);
    *ret_size = err == OK && row ? col_int(st, 0) : 0;
    *ret_first = err == OK && row ? col_int(st, 1) : 0;
    *ret_last = err == OK && row ? col_int(st, 2) : 0;
    db_reset(st);
    return err;
}

static enum err begin_space(struct office *o, struct db *db, const struct number_space *s,
                            const char *child, int64_t case_numbers, struct errmsg *e)
{
    int64_t size, first, last;
    char no[4];
    enum err err = holds(db, s->kind, child, &size, &first, &last, e);

    if (err != OK || size)
        return err;
    if (o->tier == TIER_STREET)
        return s->share && !s->district ? lend_next(o, db, s, child, s->share(case_numbers), e)
                                        : OK;
    if (!s->district)
        return OK; /* a street keeps and lends its own */
    /* Each street's piece begins where its code says, or at the next free place. */
    COPY_TEXT(no, child + 6);
    return lend_piece(o, db, s, child, strtol(no, NULL, 10) * piece(s) % own_tenth(s), e);
}

enum err blocks_begin(struct office *o, struct db *db, const char *child, int64_t case_numbers,
                      struct errmsg *e)
{
    return each_space(o, db, child, case_numbers, begin_space, e);
}

/* ---- spaces that only a newer program knows ---------------------------------------------------*/

#define CASE_NUMBERS 1000 /* a day, of a child whose invitation is not here any more */

static enum err grow_own(struct office *o, struct db *db, const struct number_space *s,
                         const char *child, int64_t n, struct errmsg *e)
{
    int64_t size, first, last;
    enum err err = holds(db, s->kind, o->site, &size, &first, &last, e);

    return err == OK && !size ? found_space(o, db, s, child, n, e) : err;
}

static enum err invited_with(struct db *db, const char *child, int64_t *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT case_numbers FROM invitation WHERE site = $1 AND used_ms "
                                  "> 0 ORDER BY used_ms DESC LIMIT 1 "
                                  "/* full scan: once in the life of a program */");
    bool row;

    bind_text(st, 1, child);
    enum err err = db_step(st, &row, e);
    *ret = err == OK && row ? col_int(st, 0) : CASE_NUMBERS;
    db_reset(st);
    return err;
}

enum err blocks_grow(struct office *o, struct db *db, struct errmsg *e)
{
    struct stmt *st;
    int64_t case_numbers;
    enum err err = OK;
    bool row;

    if (o->tier == TIER_COMMUNITY)
        return OK;
    if ((err = each_space(o, db, NULL, 0, grow_own, e)) != OK)
        return err;
    st = db_stmt(db, "SELECT peer FROM link WHERE role = 'child'");
    while ((err = db_step(st, &row, e)) == OK && row)
        if ((err = invited_with(db, col_text(st, 0), &case_numbers, e)) != OK ||
            (err = blocks_begin(o, db, col_text(st, 0), case_numbers, e)) != OK)
            break;
    db_reset(st);
    return err;
}

static enum err anew_space(struct office *o, struct db *db, const struct number_space *s,
                           const char *child, int64_t n, struct errmsg *e)
{
    int64_t size, first, last;
    enum err err = holds(db, s->kind, child, &size, &first, &last, e);

    (void)n;
    if (err != OK || !size)
        return err;
    if (o->tier == TIER_STREET)
        return lend_within(o, db, s, child, size, LIVES_SHARE, e);
    /* Of what a street keeps for itself the upper half of what is left. */
    return s->district ? lend_piece(o, db, s, child, last + 1, e)
                       : lend(o, db, s->kind, child, first + (last - first + 1) / 2, last, e);
}

enum err blocks_anew(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    return each_space(o, db, child, 0, anew_space, e);
}

/* Has the child used four fifths of what it holds? Who names a number beyond all that was lent to it
 * does not come by others so, unless this site may have forgotten that it lent them. */
static enum err top_up(struct office *o, struct db *db, const struct number_space *s,
                       const char *child, int64_t n, struct errmsg *e)
{
    uint64_t lost = 0;
    struct use u;
    enum err err;

    (void)n;
    if (!s->share || s->district)
        return OK;
    if ((err = used_by(o, db, s, child, &u, e)) != OK || !u.biggest ||
        (u.last - u.next) * 5 >= u.biggest)
        return err; /* of what its program does not know yet it holds nothing */
    if (u.next > u.last + 1 &&
        ((err = meta_read_u64(db, "numbers_after", &lost, e)) != OK || !lost))
        return err;
    return lend_within(o, db, s, child, u.biggest, TOP_UP_SHARE, e);
}

enum err blocks_top_up(struct office *o, struct db *db, const char *child, struct errmsg *e)
{
    return o->tier == TIER_STREET ? each_space(o, db, child, 0, top_up, e) : OK;
}

/* ---- is it theirs? ----------------------------------------------------------------------------*/

static bool seen_before(const struct lent *seen, const struct mark *m)
{
    for (const struct lent_block *b = seen->list; b; b = b->next)
        if (b->first <= m->n && b->last >= m->n && !strcmp(b->kind, m->kind) &&
            !strcmp(b->holder, m->holder))
            return true;
    return false;
}

static enum err lent_to_it(struct db *db, const struct mark *m, struct lent *seen, bool *ret,
                           struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT first, last FROM block WHERE street = $1 AND kind = $2 "
                                  "AND first <= $4 AND last >= $4 AND holder = $3 LIMIT 1");
    struct lent_block *b;
    char street[13];

    division_street(m->holder, street);
    bind_text(st, 1, street);
    bind_text(st, 2, m->kind);
    bind_text(st, 3, m->holder);
    bind_int(st, 4, m->n);
    enum err err = db_step(st, ret, e);
    if (err == OK && *ret) {
        b = arena_alloc(seen->arena, sizeof *b);
        *b = (struct lent_block){
            .next = seen->list, .kind = m->kind, .first = col_int(st, 0), .last = col_int(st, 1)};
        COPY_TEXT(b->holder, m->holder);
        seen->list = b;
    }
    db_reset(st);
    return err;
}

static enum err lent_to_others(struct db *db, const struct mark *m, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM block WHERE street = $1 AND kind = $2 AND first "
                                  "<= $4 AND last >= $4 AND holder <> $3 LIMIT 1");
    char street[13];

    division_street(m->holder, street);
    bind_text(st, 1, street);
    bind_text(st, 2, m->kind);
    bind_text(st, 3, m->holder);
    bind_int(st, 4, m->n);
    enum err err = db_step(st, ret, e);
    db_reset(st);
    return err;
}

enum err number_is_foreign(struct office *o, struct db *db, const struct mark *m, struct lent *seen,
                           bool *ret, struct errmsg *e)
{
    uint64_t lost = 0;
    bool own = seen_before(seen, m), others = false;
    enum err err = own ? OK : lent_to_it(db, m, seen, &own, e);

    (void)o;
    *ret = false;
    if (err != OK || own || (err = meta_read_u64(db, "numbers_after", &lost, e)) != OK)
        return err;
    if (lost && (err = lent_to_others(db, m, &others, e)) != OK)
        return err;
    *ret = !lost || others;
    return OK;
}

/* ---- a list -----------------------------------------------------------------------------------*/

enum err block_list(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                    struct json **out, struct problem *p)
{
    struct stmt *st = db_stmt(
        db, "SELECT b.kind, b.holder, b.first, b.last, coalesce(max(c.next), b.first) FROM block b "
            "LEFT JOIN counter c ON c.street = b.street AND c.kind = b.kind AND c.holder = "
            "b.holder GROUP BY b.street, b.kind, b.holder, b.first, b.last "
            "ORDER BY b.kind, b.holder, b.first");
    struct json *list = json_array();
    struct errmsg e;
    enum err err;
    bool row;

    (void)o;
    (void)in;
    (void)p;
    while ((err = db_step(st, &row, &e)) == OK && row) {
        if (c && !division_within(col_text(st, 1), c->site))
            continue;
        struct json *s = json_object();
        int64_t first = col_int(st, 2), next = col_int(st, 4);
        json_set_text(s, "kind", col_text(st, 0));
        json_set_text(s, "holder", col_text(st, 1));
        json_set_int(s, "first", first);
        json_set_int(s, "last", col_int(st, 3));
        json_set_int(s, "next", next > first ? next : first);
        json_push(list, s);
    }
    *out = json_object();
    json_set(*out, "blocks", list);
    return err;
}
