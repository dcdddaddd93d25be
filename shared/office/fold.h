/* A dossier as the set of its events tells it. The same set gives the same dossier at every site, in
 * whatever order it came; a verdict may turn when more arrives.
 *
 *   1  what may never be said is left out (authority.h); what an office above has overruled, too
 *   2  the opening, and the chain of custody by its numbers
 *   3  deciding steps in the order of their custody, then what commutes, each by (hlc, origin, seq)
 *
 * Nobody's clock decides between two offices: it orders only what one office said under one custody,
 * and what commutes. Facts are not looked at. Pure; any thread. */
#ifndef OFFICE_FOLD_H
#define OFFICE_FOLD_H

#include "base/arena.h"
#include "office/custody.h"
#include "office/dossier.h"

/* What became of an event. The texts in the ledger: applied, aside, denied, refused, unknown. */
enum verdict {
    VERDICT_APPLIED,
    VERDICT_ASIDE,   /* its author's to say, but it does not stand */
    VERDICT_DENIED,  /* not its author's to say, as far as the events here tell */
    VERDICT_REFUSED, /* never its author's to say */
    VERDICT_UNKNOWN, /* this program does not know the kind */
};

struct dossier_event {
    struct event ev;               /* texts live as long as the dossier */
    const struct json *record;     /* NULL: it is no JSON */
    const struct json *personal;   /* NULL: there is none, or it is gone */
    const struct event_kind *kind; /* NULL: unknown */
    char site[13];                 /* of its author */
    int64_t at_ms;                 /* Unix ms by the wall clock of who said it: what people read */
    int64_t custody_no;            /* under which it was said; 0: under none */
    bool foreign;                  /* of an unknown kind, and its author has no part */
    bool moved;                    /* custody went on by it */
    bool overruled;                /* an office above has said so, and it is left out */
    const struct dossier_event *overrules; /* of MAY_OVERRULE: what it names; NULL: nothing here */
    enum verdict verdict;                  /* what became of it */
    const char *why;                       /* in words, unless it is applied */
    enum verdict noted;    /* as the ledger has it so far; the fold does not look at it */
    const char *noted_why; /* with its reason, or NULL */
};

struct dossier {
    const struct dossier_type *type;
    const char *id, *street;      /* of the opening; of the first event while it is not opened */
    struct arena *arena;          /* of all that the fold makes */
    struct dossier_event *events; /* events[0 .. count), by (hlc, origin, seq) */
    int count;
    struct dossier_event **order;        /* as they were folded */
    const struct dossier_event *opening; /* NULL: it is not opened, and there is no state to show */
    struct custody custody;              /* RULE_CUSTODY */
    const char *owner;                   /* RULE_ONE_SITE; else "" */
    const struct dossier_event *decision; /* what stands of KIND_DECIDES, or NULL */
    bool read_only; /* a critical event of who has part that this program does not know */
    void *state;    /* type->state_bytes */
};

/**
 * dossier_fold(d):
 * Fold the events of ${d}: every event's record, kind, verdict and why are set, and the rest of ${d}.
 *
 * Shapes  In: type, arena, events, count; each event its `ev`, and record and personal where they are
 *         parsed already. Events of other dossiers must not be among them.
 * Owns    Nothing is copied: texts and JSON of the events must live as long as ${d}. dossier_unfold().
 */
void dossier_fold(struct dossier *d);
/* Free what the state holds. The events stay. */
void dossier_unfold(struct dossier *d);

/* Has site part in the dossier: was it opened there, is it named by the opening, does or did it have
 * it in hand; or is it an office above such a site? */
bool dossier_has_part(const struct dossier *d, const char *site);
/* The sites that have part, without the offices above them, into ret; none of what is not opened. */
void dossier_sites(const struct dossier *d, struct text_set *ret);

/* Is it shown, and sent to who has part? What stands is; what is not known here, if its author has part
 * in the dossier: whatever a newer program makes of it, a stranger has no say in it. */
bool dossier_event_counts(const struct dossier_event *x);

/* For a kind's fold(): what it refuses was not its author's to say. Gives why back. */
const char *dossier_event_deny(struct dossier_event *x, const char *why);

/* In order of the ledger: by (hlc, origin, seq). */
int event_order(const struct event *a, const struct event *b);

/* As the ledger's column `state` has it; and back, VERDICT_ASIDE for other names. */
const char *verdict_name(enum verdict v);
enum verdict verdict_of(const char *name);

/* When it was said, by the wall clock of who said it: the record's `at`, where the two clocks of its
 * author differed, else the time in its hlc. A wall clock is never ahead of its hybrid clock: an `at`
 * that is, or that lies before 1970, is none. */
int64_t event_at_ms(const struct event *ev, const struct json *record);

#endif
