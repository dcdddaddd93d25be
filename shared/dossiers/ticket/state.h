/* A ticket as its events tell it. Private to this folder.
 *
 *   issued at the hall ------------------.          .-- recall --.
 *                                        v          v            |
 *   issued elsewhere -> coming -------> waiting -> called -> serving -> finished
 *                          (joined)      ^  ^       |            |        |
 *                                        |  |       v            |        |
 *                                        |  '--- passed          |        |
 *                                        '- put_back, transfer --'--------'  back to who sent it
 *
 * All steps are the hall's, in its own order. The person may leave until he is served, at the hall or
 * where he took his number: that commutes, so it is folded behind them. Where a ticket stands in its
 * queue is counted when somebody asks (queue.h); an event only says by which moment it waits. */
#ifndef TICKET_STATE_H
#define TICKET_STATE_H

#include "office/fold.h"
#include "office/office.h"

#define WINDOW_MAX 16 /* bytes of a window's name */
/* The numbers of a day and series: 1 .. 999; in the space of numbers one less. */
#define TICKET_NUMBERS 999

struct ticket_state {
    const struct json *opening; /* the record of ticket.issued */
    const struct json *person;  /* its personal part: the code's hash; may be gone */
    char issued_at[13];         /* the site */
    char state[12];             /* as drawn above */
    char queue[2];              /* in which it waits, or waited last */
    int64_t place; /* it waits as if it had come then; Unix ms of the hall's ledger, 0: not yet */
    int64_t
        given; /* clock of the event that gave the place: of equal places the later waits behind */
    char window[WINDOW_MAX + 1];                           /* where it is called or served; "" */
    char for_window[WINDOW_MAX + 1];                       /* which alone may call it; "": any */
    char back_window[WINDOW_MAX + 1], back_queue[2];       /* where it waits next; "" */
    int64_t calls;                                         /* in a row */
    int64_t issued_ms, called_ms, serving_ms, finished_ms; /* 0: not yet */
};

/* The kinds of its events. */
#define TICKET_KIND_COUNT 9
extern const struct event_kind ticket_kinds[TICKET_KIND_COUNT];

/* For the type's table: is it an id as tickets have? and the number in it. */
bool ticket_id_fits(const char *id);
void ticket_numbers(const struct dossier_event *x, struct marks *m);

/* "A012": what the person holds, from the end of an id. */
void ticket_printed(const char *id, char out[5]);
/* The day as yymmdd, from an id; "" where it names none. */
void ticket_day(const char *id, char out[7]);
/* In which order classes are called: 0 before 1 before 2. */
int ticket_rank(const char *class);
/* A capital letter. */
bool queue_named(const char *queue);

/* Read and fold a ticket; ERR_NOT_FOUND also when it was not issued. dossier_close(). */
MUST_USE enum err ticket_load(struct office *o, struct db *db, const char *id,
                              struct dossier *ret_dossier, struct ticket_state **ret,
                              struct errmsg *e);

#endif
