/* What the files of this floor share. Private. */
#ifndef CASEWORK_INSIDE_H
#define CASEWORK_INSIDE_H

#include "dossiers/case/fold.h"
#include "office/office.h"

#define COPY_TEXT(dst, src) snprintf((dst), sizeof(dst), "%s", (src) ? (src) : "")

static inline const char *text_or(const char *s, const char *other)
{
    return s ? s : other;
}

/* New events, by their cases: what is done once per case when many come together (news.c). */
struct case_news {
    const char *case_no;
    struct arrival **at; /* at[0 .. count), in order of arrival */
    size_t count, cap;
    bool filed, moves; /* a filing is among them; or another change of custody */
    struct case_open
        *folded; /* ahead: as it folds if there is nothing else of it here; NULL: not folded */
};
/* list of *ret_count of those that are not RECEIVED_DUPLICATE and belong to a case: as
 * office_ahead() has made it, or else in a. */
struct case_news *case_news_of(const struct arrival *list, size_t n, struct arena *a,
                               size_t *ret_count);

/* All events of a case, folded (case_rows.c). ERR_NOT_FOUND: none. Ends with case_close(). */
struct case_open {
    struct arena *arena;
    struct fold_event *events;
    int count;
    struct case_state state;
};
MUST_USE enum err case_load(struct db *db, const char *case_no, struct case_open *ret,
                            struct errmsg *e);
/* The same for those who keep nothing of it: no JSON of the state may live longer than it. */
MUST_USE enum err case_look(struct db *db, const char *case_no, struct case_open *ret,
                            struct errmsg *e);
/* The same of events that are at hand, all that there are of the case; their texts must live on. */
void case_of_news(const struct case_news *n, struct case_open *ret);
/* The same in an arena, without an end; NULL: it cannot be done without. */
struct case_open *case_fold_ahead(const struct case_news *n, struct arena *a);
void case_close(struct case_open *c);
/* Its verdicts and all its rows. */
MUST_USE enum err case_save(struct office *o, struct db *db, struct case_open *c, struct errmsg *e);

/* The highest number of each holder that the events at hand name (apply.c); begin with count 0. */
#define MARKS_MAX 64
struct marks {
    struct mark {
        char street[13], holder[13], scope[8];
        const char *kind;
        int64_t n;
    } list[MARKS_MAX];
    int count;
};
MUST_USE enum err marks_write(struct db *db, struct marks *m, struct errmsg *e);
/* Save the case as it folds, and note its numbers in m. ERR_INVALID: local, an event that is
 * appended here, does not fit. */
MUST_USE enum err case_apply(struct office *o, struct db *db, struct case_open *c, struct marks *m,
                             const struct event *local, struct errmsg *e);
/* An event that belongs to no case. ERR_INVALID: it does not fit. */
MUST_USE enum err fact_apply(struct db *db, const struct event *ev, struct errmsg *e);

/* Append an event of this site about a case. body is taken. */
MUST_USE enum err office_say(struct office *o, struct db *db, const char *kind, const char *case_no,
                             const char *street, const struct caller *c, struct json *body,
                             struct errmsg *e);

/* Rights (access.c). */
bool caller_handles(const struct caller *c); /* agent, clerk, reviewer, supervisor: work on cases */
/* The rows a caller may see, as SQL over case_file's columns; NULL: none. */
const char *caller_scope(const struct caller *c);
void caller_bind_scope(struct stmt *st, const struct caller *c); /* its $scope */
bool caller_sees(const struct caller *c, const char *case_no, const char *query_hash,
                 const char *community, const char *filed_at, const char *held, const char *street);
void query_hash(const char *case_no, const char *code, char out[65]);
void pickup_code(const char *case_no, const char *query_code, char out[7]);
void pickup_hash(const char *case_no, const char *code, char out[65]);

/* Numbers (number.c). ERR_CONFLICT with a problem when the block is used up. */
MUST_USE enum err number_case(struct office *o, struct db *db, int64_t now_ms, char out[22],
                              struct problem *p);
MUST_USE enum err number_certificate(struct office *o, struct db *db, const char *prefix,
                                     int64_t now_ms, char out[40], struct problem *p);
MUST_USE enum err number_waybill(struct office *o, struct db *db, char out[14], struct problem *p);
/* Projections: what an event says of numbers. */
MUST_USE enum err number_leased(struct db *db, const struct event *ev, const struct json *b,
                                struct errmsg *e);
MUST_USE enum err number_used(struct db *db, const char *street, const char *kind,
                              const char *holder, const char *scope, int64_t n, struct errmsg *e);
MUST_USE enum err number_lease(struct office *o, struct db *db, const char *kind,
                               const char *holder, int64_t first, int64_t last, struct errmsg *e);
/* A free place for so many waybills of a street, at `wanted` or above. */
MUST_USE enum err number_waybill_block(struct db *db, int64_t wanted, int64_t size,
                                       int64_t *ret_first, struct errmsg *e);
/* Another block of kind for a child of ours. */
MUST_USE enum err number_lease_next(struct office *o, struct db *db, const char *kind,
                                    const char *holder, int64_t size, struct errmsg *e);

/* Items (catalogue.c): the caller frees. NULL: unknown. */
MUST_USE enum err item_load(struct db *db, const char *code, struct json **ret, struct errmsg *e);
MUST_USE enum err item_published(struct db *db, const struct event *ev, const struct json *b,
                                 struct errmsg *e);
MUST_USE enum err calendar_published(struct db *db, const struct event *ev, const struct json *b,
                                     struct errmsg *e);
/* 0: no promise can be made. */
MUST_USE enum err item_promise(struct office *o, struct db *db, const struct json *item,
                               int64_t from_ms, int64_t *ret_ms, struct errmsg *e);

MUST_USE enum err account_created(struct db *db, const struct event *ev, const struct json *b,
                                  struct errmsg *e);
MUST_USE enum err site_enrolled(struct db *db, const struct event *ev, const struct json *b,
                                struct errmsg *e);
/* A site.enrolled that came from below: from now on the heads of that site are checked here too. */
MUST_USE enum err site_key_keep(struct office *o, struct db *db, const struct event *ev,
                                struct errmsg *e);

/* "" when unknown; a buffer of its own per call is not needed: copied into out. */
void site_name_of(struct db *db, const char *code, char out[64]);

/* What may be done now (actions.c): into a JSON list of names. */
struct json *case_actions(struct office *o, struct db *db, const struct caller *c,
                          const struct case_state *s);
struct json *delivery_actions(struct office *o, const struct caller *c, const struct case_state *s);
/* May this office decide the case by the item's decided_at? */
bool office_decides(const struct office *o, const struct json *decided_at);
/* Fill 409 with the allowed ones, or 403. */
enum err refuse_action(struct problem *p, const char *action, const struct json *allowed,
                       const char *state);

MUST_USE enum err delivery_order(struct office *o, struct db *db, const struct caller *c,
                                 const struct case_state *s, struct problem *p, struct errmsg *e);
MUST_USE enum err certificate_issue(struct office *o, struct db *db, const struct caller *c,
                                    const struct case_state *s, struct problem *p,
                                    struct errmsg *e);
/* Papers of a material list, checked and copied with size and type: [{code, documents:[{...}]}]. */
MUST_USE enum err papers_check(struct db *db, const struct json *item, const struct json *given,
                               struct json **ret, struct problem *p, struct errmsg *e);
/* A document row for each paper of a list: here, to be fetched, or left where it is. */
MUST_USE enum err papers_note(struct office *o, struct db *db, const struct case_state *s,
                              const struct json *materials, struct errmsg *e);

/* Duplicates (duplicates.c): other cases of the same person and item filed from .. to, newest
 * first, five at most, as case numbers into list. but: the one that is not meant, or "". */
#define DUPLICATE_MS (183 * 86400000LL)
MUST_USE enum err duplicates_find(struct db *db, const char *id, const char *item, int64_t from_ms,
                                  int64_t to_ms, const char *but, struct json *list,
                                  struct errmsg *e);
/* case_file.person, from the identity number and the time of filing. */
int64_t person_key(const char *id, int64_t filed_ms);

/* One row of a list, and the traffic light of its promise. */
const char *promise_light(int64_t promised_ms, int64_t completed_ms, const char *state,
                          int64_t now_ms);
void set_time(struct json *o, const char *key, int64_t ms); /* 0: not set */

#endif
