/* The steps of a delivery. Who carries it is a chain like custody: each assignment has the next number
 * and names the site of the carrier; a step names the assignment that it belongs to. So a slow clock
 * puts no step before the one it followed. */
#include "dossiers/case/state.h"

#include "base/text.h"

#include <stdlib.h>

static const struct step {
    const char *kind, *action, *after; /* after: the state that it leads to */
} steps[] = {
    {"delivery.assigned/1", "assign", "assigned"},
    {"delivery.picked_up/1", "pick_up", "picked_up"},
    {"delivery.in_transit/1", "in_transit", "in_transit"},
    {"delivery.handed_over/1", "hand_over", "handed_over"},
    {"delivery.failed/1", "fail", "failed"},
    {"delivery.returned/1", "return", "returned"},
};

static const struct step *step_of(const char *kind)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!strcmp(steps[i].kind, kind))
            return &steps[i];
    return NULL;
}

bool delivery_allows(const char *method, const char *state, const char *action)
{
    static const char *const rows[][3] = {
        /* action, states, methods */
        {"assign", " ordered failed ", " agent courier "},
        {"pick_up", " assigned ", " agent courier "},
        {"in_transit", " picked_up ", " courier "},
        {"hand_over", " picked_up in_transit ", " agent courier "},
        {"hand_over", " ordered ", " pickup "},
        {"fail", " picked_up in_transit ", " agent courier "},
        {"return", " failed ", " agent courier "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (text_is(rows[i][0], action) && word_in(rows[i][1], state) &&
            word_in(rows[i][2], method))
            return true;
    return false;
}

const char *delivery_step_note(struct case_state *s, const struct dossier *d,
                               struct dossier_event *x)
{
    if (!s->steps)
        s->steps = arena_alloc(d->arena, sizeof(struct dossier_event *) * (size_t)d->count);
    s->steps[s->step_count++] = x;
    return NULL;
}

static int64_t no_of(const struct dossier_event *x)
{
    return json_get_int(x->record, "no", 0);
}

static bool assigns(const struct dossier_event *x)
{
    return step_of(x->ev.kind) == &steps[0];
}

static int in_order(const void *a, const void *b)
{
    const struct dossier_event *x = *(struct dossier_event *const *)a,
                               *y = *(struct dossier_event *const *)b;

    if (no_of(x) != no_of(y))
        return no_of(x) < no_of(y) ? -1 : 1;
    if (assigns(x) != assigns(y))
        return assigns(x) ? -1 : 1;
    return event_order(&x->ev, &y->ev);
}

static const char *fold_step(struct case_state *s, struct dossier_event *x)
{
    struct case_delivery *y = &s->delivery;
    const struct step *step = step_of(x->ev.kind);
    const char *holder = json_get_text(x->record, "holder");

    if (!y->order)
        return "there is no delivery";
    if (no_of(x) != y->no + assigns(x))
        return "not of the present assignment";
    /* Who carries it says what becomes of it, or an office above him; of what nobody carries, whoever
     * has part. */
    if (!assigns(x) && y->holder[0] && !division_within(y->holder, x->site))
        return dossier_event_deny(x, "not who carries the delivery");
    if (!delivery_allows(y->method, y->state, step->action))
        return "the delivery is not in a state for this step";
    COPY_TEXT(y->state, step->after);
    if (assigns(x)) {
        y->no = no_of(x);
        COPY_TEXT(y->holder, holder);
        COPY_TEXT(y->courier, json_get_text(x->record, "to"));
        if (json_get_text(x->record, "waybill"))
            COPY_TEXT(y->waybill, json_get_text(x->record, "waybill"));
    }
    if (text_is(y->state, "handed_over")) {
        s->delivered_ms = x->at_ms;
        COPY_TEXT(s->state, "delivered");
    }
    return NULL;
}

void delivery_settle(struct case_state *s, const struct dossier *d)
{
    (void)d;
    if (s->step_count)
        qsort(s->steps, (size_t)s->step_count, sizeof *s->steps, in_order);
    for (int i = 0; i < s->step_count; i++) {
        struct dossier_event *x = s->steps[i];
        const char *why = fold_step(s, x);
        if (!why)
            continue;
        x->verdict = x->verdict == VERDICT_DENIED ? VERDICT_DENIED : VERDICT_ASIDE;
        x->why = why;
    }
}
