/* One function per kind, in a table. Each answers NULL, or why the event does not stand. */
#include "dossiers/ticket/state.h"

#include "base/text.h"
#include "office/blocks.h"
#include "office/load.h"

#include <stdlib.h>

/* An id: q, street (9), yymmdd, letter of the queue, number (3): "q331002003260105A012". */
#define ID_LEN 20
#define ID_DAY 10
#define ID_LETTER 16

bool ticket_id_fits(const char *id)
{
    if (strlen(id) != ID_LEN || id[ID_LETTER] < 'A' || id[ID_LETTER] > 'Z')
        return false;
    for (int i = 1; i < ID_LEN; i++)
        if (i != ID_LETTER && (id[i] < '0' || id[i] > '9'))
            return false;
    return true;
}

void ticket_printed(const char *id, char out[5])
{
    size_t n = strlen(id);

    snprintf(out, 5, "%s", n > 4 ? id + n - 4 : id);
}

void ticket_day(const char *id, char out[7])
{
    snprintf(out, 7, "%.6s", ticket_id_fits(id) ? id + ID_DAY : "");
}

int ticket_rank(const char *class)
{
    return text_is(class, "priority") ? 0 : text_is(class, "booked") ? 1 : 2;
}

bool queue_named(const char *queue)
{
    return queue && queue[0] >= 'A' && queue[0] <= 'Z' && !queue[1];
}

void ticket_numbers(const struct dossier_event *x, struct marks *m)
{
    char scope[8];

    if (!x->kind || !(x->kind->flags & KIND_OPENS) || !ticket_id_fits(x->ev.dossier))
        return;
    snprintf(scope, sizeof scope, "%.7s", x->ev.dossier + ID_DAY); /* day and letter */
    marks_note(m, "ticket", x->site, scope, strtoll(x->ev.dossier + ID_LETTER + 1, NULL, 10) - 1);
}

/* ---- places -----------------------------------------------------------------------------------*/

static void give_place(struct ticket_state *s, const struct dossier_event *x, int64_t place)
{
    s->place = place ? place : (int64_t)(x->ev.hlc >> 16);
    s->given = (int64_t)x->ev.hlc;
}

/* It waits in a queue, in nobody's hands. */
static void wait_again(struct ticket_state *s)
{
    COPY_TEXT(s->state, "waiting");
    s->window[0] = 0;
    s->calls = 0;
}

/* ---- steps ------------------------------------------------------------------------------------*/

static const char *on_issued(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;
    const char *queue = json_get_text(x->record, "queue");

    s->opening = x->record;
    s->person = x->personal;
    s->issued_ms = x->at_ms;
    COPY_TEXT(s->issued_at, x->site);
    COPY_TEXT(s->queue, queue_named(queue) ? queue : "");
    COPY_TEXT(s->state, "coming");
    if (text_is(x->site, d->owner)) {
        COPY_TEXT(s->state, "waiting");
        give_place(s, x, 0);
    }
    return NULL;
}

static const char *on_joined(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;

    (void)d;
    if (!text_is(s->state, "coming"))
        return "it has its place already";
    COPY_TEXT(s->state, "waiting");
    give_place(s, x, 0);
    return NULL;
}

static const char *on_called(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;
    const char *window = json_get_text(x->record, "window");

    (void)d;
    if (!word_in(" coming waiting called passed ", s->state))
        return "it is being served, or was";
    if (!window || !window[0])
        return "called to no window";
    COPY_TEXT(s->state, "called");
    COPY_TEXT(s->window, window);
    s->calls = json_get_int(x->record, "n", 1);
    s->called_ms = x->at_ms;
    return NULL;
}

static const char *on_served(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;

    (void)d;
    if (!text_is(s->state, "called"))
        return "it was not called";
    COPY_TEXT(s->state, "serving");
    s->serving_ms = x->at_ms;
    return NULL;
}

static const char *on_finished(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;

    (void)d;
    if (!text_is(s->state, "serving"))
        return "it was not being served";
    s->finished_ms = x->at_ms;
    if (!s->back_window[0]) {
        COPY_TEXT(s->state, "finished");
        return NULL;
    }
    /* It goes back to who has sent it, with the place that it has. */
    wait_again(s);
    COPY_TEXT(s->queue, s->back_queue);
    COPY_TEXT(s->for_window, s->back_window);
    s->back_window[0] = s->back_queue[0] = 0;
    return NULL;
}

static const char *on_passed(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;

    (void)d;
    (void)x;
    if (!text_is(s->state, "called"))
        return "it was not called";
    COPY_TEXT(s->state, "passed");
    return NULL;
}

static const char *on_put_back(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;

    (void)d;
    if (!word_in(" called passed serving ", s->state))
        return "it was not called";
    wait_again(s);
    give_place(s, x, json_get_int(x->record, "place", 0));
    return NULL;
}

static const char *on_transferred(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;
    const char *queue = json_get_text(x->record, "queue"),
               *window = json_get_text(x->record, "window"),
               *back = json_get_text(x->record, "back");

    (void)d;
    if (!word_in(" waiting called passed serving ", s->state))
        return "it waits in no queue";
    if (back && back[0]) {
        COPY_TEXT(s->back_window, back);
        COPY_TEXT(s->back_queue, s->queue);
    }
    wait_again(s);
    if (queue_named(queue))
        COPY_TEXT(s->queue, queue);
    COPY_TEXT(s->for_window, window);
    if (!json_get_bool(x->record, "keeps_place", false))
        give_place(s, x, 0);
    return NULL;
}

/* Whoever is being served already, or was, has not left; nobody is to blame. */
static const char *on_left(void *state, const struct dossier *d, struct dossier_event *x)
{
    struct ticket_state *s = state;

    (void)d;
    (void)x;
    if (word_in(" coming waiting called passed ", s->state))
        COPY_TEXT(s->state, "left");
    return NULL;
}

/* ---- the table --------------------------------------------------------------------------------*/

const struct event_kind ticket_kinds[TICKET_KIND_COUNT] = {
    {"ticket.issued/1", "已取号", "Number taken", MAY_OPEN, KIND_OPENS, "hall",
     " hall queue class item ", on_issued},
    {"ticket.joined/1", "已进入排队", "In the queue", MAY_OWNER, KIND_QUIET, NULL, NULL, on_joined},
    {"ticket.called/1", "叫号", "Called", MAY_OWNER, 0, NULL, " window n ", on_called},
    {"ticket.served/1", "开始办理", "Being served", MAY_OWNER, 0, NULL, NULL, on_served},
    {"ticket.finished/1", "办理结束", "Served", MAY_OWNER, 0, NULL, NULL, on_finished},
    {"ticket.passed/1", "过号", "Call missed", MAY_OWNER, 0, NULL, NULL, on_passed},
    {"ticket.put_back/1", "重新排队", "Back in the queue", MAY_OWNER, 0, NULL, " place ",
     on_put_back},
    {"ticket.transferred/1", "转到其他队列或窗口", "Sent to another queue or window", MAY_OWNER, 0,
     NULL, " queue window keeps_place back ", on_transferred},
    {"ticket.left/1", "已离开", "Left", MAY_PART, KIND_QUIET, NULL, NULL, on_left},
};

enum err ticket_load(struct office *o, struct db *db, const char *id, struct dossier *d,
                     struct ticket_state **ret, struct errmsg *e)
{
    enum err err =
        dossier_type_of(o->work, id) == NULL ? ERR_NOT_FOUND : dossier_load(o->work, db, id, d, e);

    if (err != OK)
        return err;
    if (!d->opening || !text_is(d->type->name, "ticket")) {
        dossier_close(d);
        return ERR_NOT_FOUND;
    }
    *ret = d->state;
    return OK;
}
