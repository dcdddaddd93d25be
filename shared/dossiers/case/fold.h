/* A case as its events tell it: a function of the set of events in the order (hlc, origin, seq),
 * nothing else. Pure.
 *
 *   draft -> submitted -> accepted -> granted -> completed -> delivered
 *               |  ^          |          (certificate)  (handed over)
 *               v  |          v
 *   correction_required    refused        not_accepted, withdrawn: also ends
 *
 * Only the custodian accepts, decides, issues, under the number of its custody. A decision under a
 * higher custody number beats one under a lower: that one is set aside, whatever the clocks say. */
#ifndef CASEWORK_FOLD_H
#define CASEWORK_FOLD_H

#include "base/arena.h"
#include "base/json.h"
#include "ledger/event.h"

#include <stdbool.h>
#include <stdint.h>

#define FOLD_CUSTODIANS_MAX 16

struct case_delivery {
    bool ordered;
    char id[32], method[16], state[16], courier[64], waybill[16], recipient_hash[65];
    int64_t ordered_ms;
    const struct json *order; /* body of delivery.ordered */
    struct json *steps;       /* by fold_tell() */
};

struct case_state {
    bool filed;
    const char *case_no, *street;
    const struct json *filing; /* body of case.filed */
    char filed_at[13], custodian[13], state[24], before_supplement[24];
    int64_t custody_no;
    char custodians[FOLD_CUSTODIANS_MAX][13]; /* by custody number - 1 */
    int custodian_count;
    int64_t filed_ms, completed_ms, delivered_ms;
    int visits;
    const char *asked;            /* the reason of the open request for supplement */
    const struct json *materials; /* as filed and supplemented; may be no list at all */
    bool certified, revoked;
    char certificate_no[40], certificate_by[13], certificate_street[13];
    int64_t issued_ms;
    const char *token;
    struct case_delivery delivery;
    int64_t rating;
    struct json *timeline; /* by fold_tell() */
    uint64_t last_hlc;
    /* inside */
    struct arena *arena;
    struct json **kept; /* parsed bodies that the state points into */
    struct json *own_materials;
    int kept_count, kept_cap;
    int64_t decided_custody, turned_away_custody;
};

struct fold_event {
    struct event ev;   /* texts live as long as the fold */
    const char *why;   /* NULL: it fits; else why it was set aside */
    struct json *body; /* NULL before the fold: it parses it, and the state owns it; else borrowed.
                          Then never NULL */
    const char
        *noted_why; /* the verdict as the ledger has it so far; the fold does not look at it */
};

/* Fold the events of one case, in order. Fills every event's `why` and `body`. */
void fold_case(struct fold_event *events, int count, struct arena *a, struct case_state *ret);
/* Afterwards, for those who show it: the timeline and the steps of the delivery. */
void fold_tell(const struct fold_event *events, int count, struct case_state *s);
void fold_finish(struct case_state *s);

/* Kinds that belong to a case. */
bool fold_knows(const char *kind);
/* What the state of a delivery allows: is `action` of this method possible in `state`? */
bool fold_delivery_allows(const char *method, const char *state, const char *action);

#endif
