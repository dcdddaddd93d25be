/* The tables of the kinds of work. A *dossier* (卷宗) is a thing with one history: a case, a ticket. Its
 * type says who owns it; each kind of event says who may say it, what of it is kept for ever, and how
 * it folds. Everything else of the office reads these tables and names no type:
 *
 *   say -> ledger -> apply: fold -> verdicts, rows -> route -> outboxes        (say.h, fold.h, apply.c, route.c)
 *
 * A new kind of work is one folder below dossiers/ with one table, and one line in dossiers/all.c. */
#ifndef OFFICE_DOSSIER_H
#define OFFICE_DOSSIER_H

#include "base/json.h"
#include "base/problem.h"
#include "base/text_set.h"
#include "db/db.h"
#include "ledger/event.h"
#include "office/authority.h"

#include <stdbool.h>
#include <stdint.h>

#define DOUBT_BYTES 160

struct caller;
struct dossier;
struct dossier_event;
struct marks;
struct office;

enum dossier_rule {
    RULE_CUSTODY,  /* one custodian at a time; who has it in hand decides (custody.h) */
    RULE_ONE_SITE, /* the site that the opening names, for ever */
    RULE_COMMUTES, /* nobody: its events stand beside each other */
};

enum kind_flag {
    KIND_OPENS = 1,   /* the first event of a dossier */
    KIND_MOVES = 2,   /* custody goes on: the record names custody_no, the next, and `to` */
    KIND_DECIDES = 4, /* of all under one dossier the one of the latest custody stands, and of that
                         * the first */
    KIND_QUIET = 8,   /* one that does not stand is nobody's work: no repair item */
    KIND_CRITICAL = 16, /* who does not know it must not decide beside it */
};

/* One kind of event of a dossier. Append-only: a kind that means something new gets a new name. */
struct event_kind {
    const char *kind;    /* "case.filed/1" */
    const char *zh, *en; /* as people read it in a history */
    enum may may;        /* who may say it */
    unsigned flags;      /* enum kind_flag */
    const char
        *place; /* of an opening: the member of the record that names whose it is; else NULL */
    const char *kept; /* members that make the record, for ever: " custody_no number "; all others
                         * are the personal part, which can go. "*": all. NULL: none */
    /* Fold one event into the state. NULL, or why it does not stand; dossier_event_deny() before, when
     * it was not its author's to say. May be NULL: nothing changes. */
    const char *(*fold)(void *state, const struct dossier *d, struct dossier_event *x);
};

/* A table of rows that are folded from events: it can be dropped and made again. */
struct projection {
    const char *table, *columns, *key; /* columns and key as in SQL: "street, id" */
};

/* Numbers that must be unique and explained: leased ahead in blocks (blocks.h). */
struct number_space {
    const char *kind; /* "certificate" */
    int64_t size;     /* 0 .. size-1 of each street */
    int64_t hub;      /* a street's own begin here; what is below it lends to its children */
    int64_t (*share)(int64_t cases); /* of a new child that was invited with so many case numbers a
                                      * day; NULL: children get none */
    bool per_day;                    /* counted from the block's first again each day; there may
                                      * be several series a day (blocks.h) */
    bool district;                   /* one space for all streets (hub and share do not count) */
};

/* A kind of work. Functions that are NULL are not needed. */
struct dossier_type {
    const char *name; /* "ticket" */
    char letter;      /* ids: this letter, nine digits of the street, the rest; 0: 21 digits */
    enum dossier_rule rule;         /* who owns it */
    int fold_version;               /* raised when the same events fold to other rows */
    const struct event_kind *kinds; /* its events: kinds[0 .. kind_count) */
    size_t kind_count;
    const struct number_space *spaces; /* numbers that it uses: spaces[0 .. space_count) */
    size_t space_count;
    const struct projection *tables; /* its rows: tables[0 .. table_count) */
    size_t table_count;
    const char *part; /* members of the opening's record that name sites with part: " community " */

    /* ---- pure, on any thread ---- */
    /* Is it an id of this type, beyond what dossier_type_of() sees? NULL: all are. */
    bool (*id_valid)(const char *id);
    /* Beyond the class of its kind: why what x says is not its author's to say, by the opening and the
     * chain of custody; NULL: it is. */
    const char *(*forbids)(const struct dossier *d, const struct dossier_event *x);
    size_t state_bytes; /* zeroes at the beginning */
    /* After the last event. */
    void (*settle)(void *state, const struct dossier *d);
    /* Does the state hold what must be freed, and freeing it. */
    bool (*holds)(const void *state);
    void (*finish)(void *state);
    /* What an event tells of numbers in use: marks_note(). */
    void (*numbers)(const struct dossier_event *x, struct marks *m);

    /* ---- writer, in its transaction ---- */
    /* The rows of a dossier that is opened. */
    enum err (*save)(struct office *o, struct db *db, const struct dossier *d, struct errmsg *e);
    /* All its rows, before save() makes others of them. */
    enum err (*drop)(struct db *db, const char *id, struct errmsg *e);
    /* What an event of a site directly below says, and the facts here do not bear out: why, into why,
     * which is "" before. Asked once, when it comes; it is overruled then. seen: what the type has found
     * to be right in this batch and need not look up again, in words of its own. */
    enum err (*doubt)(struct office *o, struct db *db, const struct dossier_event *x,
                      struct text_set *seen, char why[DOUBT_BYTES], struct errmsg *e);
    /* Something of it that stands has come from elsewhere, and its rows are made: what this site says to
     * that by itself (say.h), if anything. Not while it is getting its past back, nor at a fresh fold:
     * what hangs on an answer must find its way without one. */
    enum err (*answer)(struct office *o, struct db *db, const char *id, struct errmsg *e);

    /* ---- reader ---- */
    /* The sites that have part, from its rows; *ret_known false: there are none. */
    enum err (*concerns)(struct db *db, const char *id, struct text_set *ret_sites, bool *ret_known,
                         struct errmsg *e);
    /* The ids in which site, or one below it, has part, each given to fn. */
    enum err (*each_of)(struct db *db, const char *site,
                        enum err (*fn)(void *arg, const char *id, struct errmsg *e), void *arg,
                        struct errmsg *e);
    /* May the caller see it? A read that fails is an error, never "no". */
    enum err (*visible)(struct office *o, struct db *db, const struct caller *c, const char *id,
                        bool *ret, struct errmsg *e);
};

/* What is said of no dossier: it stands by itself, and the newest wins. */
struct fact_kind {
    const char *kind;  /* "site.enrolled/1" */
    enum may may;      /* who may say it */
    const char *place; /* the member that names the site concerned; NULL: everybody hears it */
    const char *kept;  /* as of struct event_kind */
    unsigned flags;    /* KIND_CRITICAL */
    /* ERR_INVALID, e says why: it does not fit. */
    enum err (*apply)(struct office *o, struct db *db, const struct event *ev,
                      const struct json *record, const struct json *personal, struct errmsg *e);
};

/* Facts that belong together, and the tables that they are folded into. */
struct fact_group {
    const struct fact_kind *kinds; /* kinds[0 .. count) */
    size_t count;
    const struct projection *tables; /* tables[0 .. table_count) */
    size_t table_count;
};

/* All that a program knows: its list stands in dossiers/all.c. */
struct office_work {
    const struct dossier_type *const *types; /* types[0 .. type_count) */
    size_t type_count;
    const struct fact_group *const *groups; /* groups[0 .. group_count) */
    size_t group_count;
};

/* The type of an id; NULL: this program does not know it, or it is no id. */
const struct dossier_type *dossier_type_of(const struct office_work *w, const char *id);
/* By name; NULL: not known. */
const struct dossier_type *dossier_type_named(const struct office_work *w, const char *name);
/* The row of a kind; NULL: not known. The spine's own kinds are in every type. */
const struct event_kind *event_kind_of(const struct dossier_type *t, const char *kind);
/* The row of a kind of fact; NULL: not known. */
const struct fact_kind *fact_kind_of(const struct office_work *w, const char *kind);
/* Is kind one of those that open a dossier of this type? */
bool dossier_opens(const struct dossier_type *t, const char *kind);

/* The kind that undoes another event: " id " of the event, and why. */
#define KIND_OVERRULED "dossier.overruled/1"

#endif
