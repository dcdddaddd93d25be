/* A case as its events tell it. Private to this folder.
 *
 *   draft -> submitted -> accepted -> granted -> completed -> delivered
 *               |  ^          |          (certificate)  (handed over)
 *               v  |          v
 *   correction_required    refused        not_accepted, withdrawn: also ends
 *
 * Only the custodian accepts, asks for corrections, decides, issues and orders a delivery, under the
 * number of its custody. A decision under a higher number beats one under a lower, whatever the clocks
 * say; so does a result. Papers, notes, wishes and the steps of a delivery commute. */
#ifndef CASE_STATE_H
#define CASE_STATE_H

#include "office/fold.h"
#include "office/load.h"
#include "office/office.h"

#define CASE_OVERRULED_MAX 4 /* results of one case that a later custodian has overruled */

struct case_delivery {
    const struct dossier_event *order; /* NULL: not ordered */
    char id[32];                       /* the case's number and "-1" */
    char method[16];                   /* agent courier pickup */
    char state[16];     /* ordered assigned picked_up in_transit handed_over failed returned */
    char courier[64];   /* user name of who carries it, or "" */
    char waybill[16];   /* UPU S10, or "" */
    char holder[13];    /* the site of who carries it; "": nobody yet */
    int64_t no;         /* of the present assignment: 1, 2 ... ; 0: none */
    struct json *steps; /* by case_tell() */
};

struct case_state {
    const struct json *filing; /* the record of case.filed */
    const struct json
        *person;       /* its personal part: applicant, form, delivery, materials; may be gone */
    char filed_at[13]; /* the site that took it */
    char state[24];    /* as drawn above */
    char before_supplement[24]; /* what it goes back to when the corrections have come */
    int64_t filed_ms, promised_ms, completed_ms,
        delivered_ms;             /* Unix ms of the acting site; 0: not */
    int64_t trips;                /* that the item usually takes */
    int visits;                   /* of the applicant to an office */
    bool suspended;               /* nothing is decided until it is resumed */
    bool withdrawal_asked;        /* and the custodian has not answered yet */
    int64_t asked_no;             /* of the newest request for corrections; 0: none */
    const char *asked;            /* its reason, while it is open */
    const struct json *materials; /* as filed and supplemented; NULL: there are none */
    size_t paper_count;           /* of these, and their papers */
    struct json *own_materials;   /* changed here: freed by case_finish() */
    struct dossier_event *issued; /* the result that stands; NULL: none */
    const char *certificate_no;   /* "" without one */
    bool revoked;                 /* that result */
    /* Results that are out and do not stand: not valid any more. */
    struct overruled {
        const char *number;          /* of the result */
        char by[13];                 /* the site that issued it */
        char street[13];             /* of its row */
        int64_t issued_ms;           /* Unix ms */
    } overruled[CASE_OVERRULED_MAX]; /* overruled[0 .. overruled_count) */
    int overruled_count;             /* at most CASE_OVERRULED_MAX are kept */
    struct case_delivery delivery;
    struct dossier_event **steps; /* of the delivery, until settled */
    int step_count;               /* steps[0 .. step_count) */
    int64_t rating;               /* 1 very satisfied .. 5 very dissatisfied; 0: none */
    struct json *timeline;        /* by case_tell() */
};

#define CASE_KIND_COUNT 26
#define CASE_KINDS_LATER 2 /* of these: suspended, resumed */
/* The events of a case. */
extern const struct event_kind case_kinds[CASE_KIND_COUNT];

/* May an office of this tier decide by the item's decided_at? What is delegated to a lower tier the
 * higher one may still do. */
bool tier_decides(const struct json *decided_at, enum tier tier);

/* For the type's table. */
const char *case_forbids(const struct dossier *d, const struct dossier_event *x);
void case_settle(void *state, const struct dossier *d);
bool case_holds(const void *state);
void case_finish(void *state);
void case_numbers(const struct dossier_event *x, struct marks *m);

/* Read and fold a case; ERR_NOT_FOUND also when it is not filed. dossier_close(). */
MUST_USE enum err case_load(struct office *o, struct db *db, const char *case_no,
                            struct dossier *ret_dossier, struct case_state **ret, struct errmsg *e);
/* Afterwards, for those who show it: the timeline and the steps of the delivery. */
void case_tell(const struct dossier *d, struct case_state *s);

/* delivery_fold.c: what the state of a delivery allows, and folding its steps. */
bool delivery_allows(const char *method, const char *state, const char *action);
const char *delivery_step_note(struct case_state *s, const struct dossier *d,
                               struct dossier_event *x);
void delivery_settle(struct case_state *s, const struct dossier *d);

#endif
