/* Numbers that must be unique and explained. They come from blocks that were leased ahead of time, so
 * that a site gives them out while it is cut off; the next one is one more than the highest that an
 * event of the holder names: nothing is kept beside the ledger. Which spaces of numbers there are the
 * types of dossiers say (struct number_space). */
#ifndef OFFICE_BLOCKS_H
#define OFFICE_BLOCKS_H

#include "office/office.h"

/* Numbers that events name, gathered before they are written. Start with {.arena = a}. */
struct marks {
    struct arena *arena; /* of the list */
    struct mark {
        char holder[13];  /* whose number it is */
        char scope[8];    /* the day as yymmdd, or "" */
        const char *kind; /* of a number space: a constant */
        int64_t n;        /* the highest */
    } * list;             /* list[0 .. count) */
    int count, cap;       /* room for cap */
};

/* Holder has used n of kind, in scope: the day as yymmdd, or "". Behind the day a letter may name a
 * series that is counted by itself: "260105A". */
void marks_note(struct marks *m, const char *kind, const char *holder, const char *scope,
                int64_t n);
MUST_USE enum err marks_write(struct db *db, struct marks *m, struct errmsg *e);

/**
 * number_next(o, db, kind, scope, ret, p):
 * The next number of ${kind} of this site; it is used when an event names it, in this transaction.
 *
 * Errors  ERR_CONFLICT with a problem: the block is used up. Others of the store, p->status 0.
 */
MUST_USE enum err number_next(struct office *o, struct db *db, const char *kind, const char *scope,
                              int64_t *ret, struct problem *p);

/* Blocks that were found while numbers were looked up. Start with {.arena = a}; good until something
 * is lent otherwise. */
struct lent {
    struct arena *arena; /* of the list */
    struct lent_block {
        struct lent_block *next; /* found before */
        char holder[13];         /* whose it is */
        const char *kind;        /* of a number space: a constant */
        int64_t first, last;     /* its numbers */
    } * list;                    /* the last found first */
};

/**
 * number_is_foreign(o, db, m, seen, ret, e):
 * Has the holder of ${m} used a number that was never lent to it? Asked by the office above it.
 *
 * Shapes  ${seen} is looked into first, and gets what is found: most numbers of a batch are of the
 *         same few blocks. *ret false where this site has lost a part of its own past: it may have
 *         lent it then; true also then for a number that another holds.
 */
MUST_USE enum err number_is_foreign(struct office *o, struct db *db, const struct mark *m,
                                    struct lent *seen, bool *ret, struct errmsg *e);

/* A hub begins: the numbers that it keeps for itself. */
MUST_USE enum err blocks_found(struct office *o, struct db *db, struct errmsg *e);
/* A child begins, unless it has numbers already. case_numbers: a day, as it was invited. */
MUST_USE enum err blocks_begin(struct office *o, struct db *db, const char *child,
                               int64_t case_numbers, struct errmsg *e);
/* The program has learned of new spaces: a hub that holds nothing of one founds it, and its children
 * begin it. Of what somebody holds already nothing is lent. */
MUST_USE enum err blocks_grow(struct office *o, struct db *db, struct errmsg *e);
/* A child that has forgotten a part of its past gets new blocks of every kind that it had: a community
 * until it has half of what its street lends. */
MUST_USE enum err blocks_anew(struct office *o, struct db *db, const char *child, struct errmsg *e);
/* Another block before one is used up; of a street for its communities. None for numbers that were
 * never lent, and none beyond a quarter of what the street lends. */
MUST_USE enum err blocks_top_up(struct office *o, struct db *db, const char *child,
                                struct errmsg *e);

/* {kind, holder, first, last, next} of the sites below the caller's. c NULL: all. */
office_fn block_list;

/* block.leased/1: {kind, holder, first, last} */
MUST_USE enum err block_leased(struct office *o, struct db *db, const struct event *ev,
                               const struct json *record, const struct json *personal,
                               struct errmsg *e);

#endif
