/* Folding a case from a set of events, in many orders: for the tests of the fold. */
#ifndef UNIT_FOLDING_H
#define UNIT_FOLDING_H

#include "base/crypto.h"
#include "base/text.h"
#include "dossiers/all.h"
#include "dossiers/case/case.h"
#include "dossiers/case/state.h"
#include "office/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define NO "331002003261109000179"
#define STREET "331002003000"
#define D "331002000000"
#define S "331002003000"
#define A "331002003012" /* a community */
#define B "331002003015" /* another one */
#define T "331002005000" /* another street */
#define MAX 16

/* One event: who, when, what; and what is to become of it. */
struct given {
    const char *origin;
    int hour; /* on its author's clock */
    const char *kind, *record, *personal;
    enum verdict verdict;
    unsigned flags;
};

static struct arena *arena;
static struct arrival list[MAX];
static struct arrival *at[MAX];
static const unsigned char salt[16] = "0123456789abcdef";

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static struct event event_of(const struct given *g, uint64_t seq)
{
    struct event ev = {.origin = g->origin,
                       .seq = seq,
                       .hlc = (uint64_t)(1790000000000LL + g->hour * 3600000LL) << 16,
                       .flags = g->flags,
                       .kind = g->kind,
                       .dossier = NO,
                       .street = STREET,
                       .actor = "",
                       .record = g->record,
                       .record_len = strlen(g->record)};
    if (g->personal) {
        ev.personal = g->personal;
        ev.personal_len = strlen(g->personal);
        ev.salt = salt;
        ev.form = EVENT_FORM_HERE;
        ev.flags |= EVENT_PERSONAL;
    }
    return ev;
}

/* Fold in the order `turn`, which is a shuffle; a new dossier each time. */
static struct dossier *fold(const struct given *g, int n, unsigned turn, bool *ret_holds)
{
    for (int i = 0; i < n; i++) {
        list[i] = (struct arrival){.ev = event_of(&g[i], (uint64_t)i + 1)};
        at[i] = &list[i];
    }
    for (int i = n - 1; i > 0; i--) {
        turn = turn * 1103515245u + 12345u;
        int k = (int)(turn >> 16) % (i + 1);
        struct arrival *x = at[i];
        at[i] = at[k];
        at[k] = x;
    }
    return dossier_of_arrivals(&case_type, at, (size_t)n, arena, ret_holds);
}

/* All verdicts as given, and the case in that state, whatever order they came in. */
static struct case_state *expect(const struct given *g, int n, const char *state)
{
    struct dossier *d = NULL;

    assert_true(n <= MAX);
    for (unsigned turn = 1; turn <= 24; turn++) {
        bool holds = false;
        d = fold(g, n, turn, &holds);
        for (int i = 0; i < d->count; i++) {
            const struct dossier_event *x = &d->events[i];
            const struct given *w = &g[x->ev.seq - 1];
            if (x->verdict != w->verdict)
                fail_msg("order %u: %s by %s: %s (%s), not %s", turn, x->ev.kind, x->ev.origin,
                         verdict_name(x->verdict), text_or(x->why, ""), verdict_name(w->verdict));
        }
        const struct case_state *s = d->state;
        if (state)
            assert_string_equal(s->state, state);
        else
            assert_null(d->opening);
        if (holds && turn < 24)
            dossier_unfold(d);
    }
    return d->state;
}
#define EXPECT(g, state) expect(g, (int)(sizeof(g) / sizeof((g)[0])), state)

#define FILED_TO(who)                                                                              \
    "{\"community\":\"" A "\",\"custodian\":\"" who                                                \
    "\",\"decided_at\":[\"community\",\"street\"],"                                                \
    "\"item\":\"x\",\"state\":\"submitted\",\"take_back\":\"overrule\"}"
#define FILED FILED_TO(A)
#define PERSON "{\"applicant\":{\"id_number\":\"339900199603120429\",\"name\":\"苏晓禾\"}}"
#define UNDER(no) "{\"custody_no\":" #no "}"
#define NUMBER(no, n) "{\"custody_no\":" #no ",\"number\":\"" n "\"}"
/* A number of a result, of this street. */
#define N(n) "SY202633100200300000" n
#define TO(no, who) "{\"custody_no\":" #no ",\"to\":\"" who "\"}"

/* The record of an overruling of the event seq of g. */
static const char *overruling(const struct given *g, uint64_t seq)
{
    struct event ev = event_of(g, seq);
    struct event_sum sum;
    unsigned char id[EVENT_ID_BYTES];
    char hex[2 * EVENT_ID_BYTES + 1];

    event_sum(&ev, &sum);
    event_id(&sum, id);
    hex_encode(id, sizeof id, hex);
    return arena_printf(arena, "{\"id\":\"%s\"}", hex);
}

#endif
