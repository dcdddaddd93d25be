/* What has just come, by the dossiers it belongs to: what is done once per dossier when many events
 * come together. */
#ifndef OFFICE_NEWS_H
#define OFFICE_NEWS_H

#include "ledger/ledger.h"
#include "office/fold.h"

/* The new events of one dossier. */
struct news {
    const char *id;                  /* of the dossier */
    const struct dossier_type *type; /* NULL: unknown here */
    struct arrival **at;             /* at[0 .. count), in order of arrival */
    size_t count, cap;               /* room for cap */
    struct dossier
        *folded; /* made ahead: as it folds if there is nothing else of it here; or NULL */
    /* Set by office_apply(), for office_route(). */
    bool alone;  /* nothing of the dossier is here but this */
    bool opened; /* its opening is among these, and stands */
    bool moved; /* custody went on, or something that was not its author's to say is so now: who has
                  * part may never have heard of it */
    bool overruled;  /* office_apply()'s own: something of it was, in this batch */
    bool *sent_down; /* sent_down[0 .. count): which of these concern children */
};

/* All of a batch. */
struct office_ahead {
    const char **ids; /* of dossiers, each once */
    size_t id_count;
    struct news *news; /* news[0 .. id_count) */
    bool settled;      /* made, or looked at again, when it was known what is a duplicate */
};

/**
 * office_ahead(w, list, n, a):
 * Group list by dossiers and fold each as if nothing else of it were here; list[0].ahead is set.
 *
 * Shapes  list[0 .. n): none is a duplicate yet.
 * Owns    All of it lives in ${a}.
 * Order   Before the batch's turn comes, on any thread: no database is looked at.
 */
const struct office_ahead *office_ahead(const struct office_work *w, struct arrival *list, size_t n,
                                        struct arena *a);

/* The news of a batch that is stored: as made ahead, or made now where some of it was here already;
 * the same each time it is asked for. Events of no dossier and duplicates are in none. */
struct office_ahead *office_news(const struct office_work *w, struct arrival *list, size_t n,
                                 struct arena *a);

#endif
