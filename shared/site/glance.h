/* A glance at the database: what is looked up for the links each second, and when something was
 * written; one at a time. Private to this floor. */
#ifndef SITE_GLANCE_H
#define SITE_GLANCE_H

#include "site/inside.h"

struct glance {
    struct job job;      /* first: the store knows only this */
    struct site *site;   /* whose */
    struct arena *arena; /* memory of what was found */
    bool whole;          /* LOOK_WHOLE */
    bool heads_wanted;   /* also when nothing was written */

    char (*revoked)[13]; /* children that are let in no more: revoked[0 .. revoked_count) */
    int revoked_count;
    struct glance_link {
        char peer[13];     /* who */
        uint64_t head_pos; /* where its outbox ends */
    } * links; /* those with something that the peer has not acknowledged; none when nothing was
                  written since the last look: links[0 .. link_count), room for link_cap */
    int link_count, link_cap;
    struct link_end_paper_row
        *wanted; /* to be fetched, the urgent first: wanted[0 .. wanted_count) */
    int wanted_count;
    struct link_end_paper_row
        *unsent; /* not known to be at the parent: unsent[0 .. unsent_count) */
    int unsent_count;
    struct link_end_head_row *heads; /* to show to the parent: heads[0 .. head_count) */
    int head_count;
    struct json *link; /* of the status; NULL: no parent, or not whole */
};

/* glance_start(s): begin one for what site->look asks, and clear it; nothing when none is asked
 * for, one is under way, or the site stops. */
void glance_start(struct site *s);

/* The one that has ended, once; NULL: none. One that failed is logged and freed here.
 * Owns  The caller, glance_free(). */
struct glance *glance_take(struct site *s);
void glance_free(struct glance *g); /* NULL is allowed */

#endif
