/* A ticket as its events tell it. */
#include "base/text.h"
#include "dossiers/all.h"
#include "dossiers/ticket/state.h"
#include "office/blocks.h"
#include "office/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define HALL "331002003000"
#define EAST "331002003901"
#define WEST "331002003902"
#define ID "q331002003260723A012"
#define SAID_MAX 24

/* A line of a test: who said what, when (ms of the ordering clock). */
struct said_line {
    const char *site, *kind, *record;
    int64_t ms;
};

struct told {
    struct arena *arena;
    struct arrival list[SAID_MAX], *at[SAID_MAX];
    struct dossier *d;
    const struct ticket_state *s;
};

static void tell(struct told *t, const struct said_line *said, int n)
{
    bool holds;

    *t = (struct told){.arena = arena_create()};
    for (int i = 0; i < n; i++) {
        t->list[i].ev = (struct event){.origin = said[i].site,
                                       .seq = (uint64_t)i + 1,
                                       .hlc = (uint64_t)said[i].ms << 16,
                                       .kind = said[i].kind,
                                       .dossier = ID,
                                       .street = HALL,
                                       .actor = "",
                                       .record = said[i].record,
                                       .record_len = strlen(said[i].record)};
        t->at[i] = &t->list[i];
    }
    t->d = dossier_of_arrivals(dossier_type_named(&all_work, "ticket"), t->at, (size_t)n, t->arena,
                               &holds);
    t->s = t->d->state;
    assert_false(holds);
}

static void end(struct told *t)
{
    dossier_unfold(t->d);
    arena_destroy(t->arena);
}

static enum verdict verdict_at(const struct told *t, int64_t ms)
{
    for (int i = 0; i < t->d->count; i++)
        if (t->d->events[i].ev.hlc == (uint64_t)ms << 16)
            return t->d->events[i].verdict;
    fail_msg("no event at %lld", (long long)ms);
    return VERDICT_UNKNOWN;
}

#define TELL(t, said) tell((t), (said), (int)(sizeof(said) / sizeof((said)[0])))
#define ISSUED_HALL                                                                                \
    {                                                                                              \
        HALL, "ticket.issued/1", "{\"hall\":\"" HALL "\",\"queue\":\"A\"}", 1000                   \
    }
#define ISSUED_EAST                                                                                \
    {                                                                                              \
        EAST, "ticket.issued/1", "{\"hall\":\"" HALL "\",\"queue\":\"A\"}", 1000                   \
    }
#define CALLED(ms)                                                                                 \
    {                                                                                              \
        HALL, "ticket.called/1", "{\"window\":\"5\",\"n\":1}", (ms)                                \
    }

static void issued_at_the_hall_it_waits(void **state)
{
    const struct said_line said[] = {ISSUED_HALL};
    struct told t;

    (void)state;
    TELL(&t, said);
    assert_string_equal(t.s->state, "waiting");
    assert_int_equal(t.s->place, 1000);
    assert_string_equal(t.d->owner, HALL);
    end(&t);
}

static void issued_elsewhere_it_comes_and_the_hall_gives_it_a_place(void **state)
{
    const struct said_line coming[] = {ISSUED_EAST};
    const struct said_line here[] = {
        ISSUED_EAST, {HALL, "ticket.joined/1", "{}", 9000}, {HALL, "ticket.joined/1", "{}", 9500}};
    struct told t;

    (void)state;
    TELL(&t, coming);
    assert_string_equal(t.s->state, "coming");
    assert_int_equal(t.s->place, 0);
    end(&t);
    TELL(&t, here);
    assert_string_equal(t.s->state, "waiting");
    assert_int_equal(t.s->place, 9000); /* not when it was issued */
    assert_int_equal(verdict_at(&t, 9500), VERDICT_ASIDE);
    end(&t);
}

static void called_served_finished(void **state)
{
    const struct said_line said[] = {ISSUED_HALL,
                                     CALLED(2000),
                                     {HALL, "ticket.called/1", "{\"window\":\"5\",\"n\":2}", 2500},
                                     {HALL, "ticket.served/1", "{}", 3000},
                                     {HALL, "ticket.finished/1", "{}", 4000}};
    struct told t;

    (void)state;
    TELL(&t, said);
    assert_string_equal(t.s->state, "finished");
    assert_string_equal(t.s->window, "5");
    assert_int_equal(t.s->calls, 2);
    assert_int_equal(t.s->called_ms, 2500);
    assert_int_equal(t.s->serving_ms, 3000);
    assert_int_equal(t.s->finished_ms, 4000);
    end(&t);
}

static void steps_that_do_not_fit_are_set_aside(void **state)
{
    const struct said_line said[] = {ISSUED_HALL,
                                     {HALL, "ticket.served/1", "{}", 2000},
                                     {HALL, "ticket.passed/1", "{}", 2100},
                                     {HALL, "ticket.put_back/1", "{}", 2200},
                                     {HALL, "ticket.finished/1", "{}", 2300},
                                     {HALL, "ticket.called/1", "{\"n\":1}", 2400},
                                     CALLED(3000),
                                     {HALL, "ticket.served/1", "{}", 3100},
                                     {HALL, "ticket.passed/1", "{}", 3200},
                                     CALLED(3300),
                                     {HALL, "ticket.finished/1", "{}", 3400},
                                     {HALL, "ticket.transferred/1", "{\"queue\":\"B\"}", 3500}};
    struct told t;

    (void)state;
    TELL(&t, said);
    for (int64_t ms = 2000; ms <= 2400; ms += 100)
        assert_int_equal(verdict_at(&t, ms), VERDICT_ASIDE);
    assert_int_equal(verdict_at(&t, 3000), VERDICT_APPLIED);
    assert_int_equal(verdict_at(&t, 3100), VERDICT_APPLIED);
    assert_int_equal(verdict_at(&t, 3200), VERDICT_ASIDE);
    assert_int_equal(verdict_at(&t, 3300), VERDICT_ASIDE);
    assert_int_equal(verdict_at(&t, 3400), VERDICT_APPLIED);
    assert_int_equal(verdict_at(&t, 3500), VERDICT_ASIDE);
    assert_string_equal(t.s->state, "finished");
    end(&t);
}

static void only_the_hall_calls(void **state)
{
    const struct said_line said[] = {
        ISSUED_EAST,
        {HALL, "ticket.joined/1", "{}", 1500},
        {EAST, "ticket.called/1", "{\"window\":\"1\",\"n\":1}", 2000},
        {"331002000000", "ticket.called/1", "{\"window\":\"2\",\"n\":1}", 2100}, /* nor above it */
        {WEST, "ticket.left/1", "{}", 2200}, /* has no part in it */
    };
    struct told t;

    (void)state;
    TELL(&t, said);
    assert_int_equal(verdict_at(&t, 2000), VERDICT_DENIED);
    assert_int_equal(verdict_at(&t, 2100), VERDICT_DENIED);
    assert_int_equal(verdict_at(&t, 2200), VERDICT_DENIED);
    assert_string_equal(t.s->state, "waiting");
    end(&t);
}

static void a_hall_of_another_street_is_none(void **state)
{
    const struct said_line said[] = {
        {EAST, "ticket.issued/1", "{\"hall\":\"331002004000\",\"queue\":\"A\"}", 1000}};
    struct told t;

    (void)state;
    TELL(&t, said);
    assert_int_equal(verdict_at(&t, 1000), VERDICT_REFUSED);
    assert_null(t.d->opening);
    end(&t);
}

static void a_missed_call_is_passed_and_may_be_called_again(void **state)
{
    const struct said_line said[] = {ISSUED_HALL,
                                     CALLED(2000),
                                     {HALL, "ticket.passed/1", "{}", 2500},
                                     {HALL, "ticket.called/1", "{\"window\":\"6\",\"n\":2}", 4000},
                                     {HALL, "ticket.served/1", "{}", 4100}};
    struct told t;

    (void)state;
    tell(&t, said, 3);
    assert_string_equal(t.s->state, "passed");
    assert_int_equal(t.s->called_ms, 2000); /* the page says when and where it was called */
    assert_string_equal(t.s->window, "5");
    end(&t);
    TELL(&t, said);
    assert_string_equal(t.s->state, "serving");
    assert_string_equal(t.s->window, "6");
    end(&t);
}

static void put_back_behind_somebody_or_at_the_end(void **state)
{
    const struct said_line behind[] = {
        ISSUED_HALL, CALLED(2000), {HALL, "ticket.put_back/1", "{\"place\":1700}", 3000}};
    const struct said_line at_end[] = {
        ISSUED_HALL, CALLED(2000), {HALL, "ticket.put_back/1", "{}", 3000}};
    struct told t;

    (void)state;
    TELL(&t, behind);
    assert_string_equal(t.s->state, "waiting");
    assert_int_equal(t.s->place, 1700);
    assert_true(t.s->given == (int64_t)3000 << 16); /* behind the one whose place it is */
    assert_string_equal(t.s->window, "");
    assert_int_equal(t.s->calls, 0);
    end(&t);
    TELL(&t, at_end);
    assert_int_equal(t.s->place, 3000);
    end(&t);
}

static void sent_on_with_its_place_and_back_again(void **state)
{
    const struct said_line said[] = {
        ISSUED_HALL,
        CALLED(2000),
        {HALL, "ticket.served/1", "{}", 2100},
        {HALL, "ticket.transferred/1",
         "{\"queue\":\"B\",\"window\":\"9\",\"keeps_place\":true,\"back\":\"5\"}", 3000},
        {HALL, "ticket.called/1", "{\"window\":\"9\",\"n\":1}", 4000},
        {HALL, "ticket.served/1", "{}", 4100},
        {HALL, "ticket.finished/1", "{}", 5000},
        CALLED(6000),
        {HALL, "ticket.served/1", "{}", 6100},
        {HALL, "ticket.finished/1", "{}", 6200}};
    struct told t;

    (void)state;
    tell(&t, said, 4);
    assert_string_equal(t.s->state, "waiting");
    assert_string_equal(t.s->queue, "B");
    assert_string_equal(t.s->for_window, "9");
    assert_int_equal(t.s->place, 1000);
    end(&t);
    tell(&t, said, 7);
    assert_string_equal(t.s->state, "waiting");
    assert_string_equal(t.s->queue, "A");
    assert_string_equal(t.s->for_window, "5");
    assert_int_equal(t.s->place, 1000);
    end(&t);
    TELL(&t, said);
    assert_string_equal(t.s->state, "finished");
    end(&t);
}

static void sent_on_without_its_place_it_waits_at_the_end(void **state)
{
    const struct said_line said[] = {ISSUED_HALL,
                                     {HALL, "ticket.transferred/1", "{\"queue\":\"B\"}", 3000}};
    struct told t;

    (void)state;
    TELL(&t, said);
    assert_string_equal(t.s->queue, "B");
    assert_string_equal(t.s->for_window, "");
    assert_int_equal(t.s->place, 3000);
    end(&t);
}

/* Said at a community that had not heard of the call: whoever has come was not away. */
static void who_is_served_has_not_left(void **state)
{
    const struct said_line left[] = {ISSUED_EAST,
                                     {HALL, "ticket.joined/1", "{}", 1500},
                                     {EAST, "ticket.left/1", "{}", 1800},
                                     CALLED(2000)};
    const struct said_line served[] = {ISSUED_EAST,
                                       {HALL, "ticket.joined/1", "{}", 1500},
                                       {EAST, "ticket.left/1", "{}", 1800},
                                       CALLED(2000),
                                       {HALL, "ticket.served/1", "{}", 2100}};
    struct told t;

    (void)state;
    TELL(&t, left);
    assert_string_equal(t.s->state, "left");
    end(&t);
    TELL(&t, served);
    assert_string_equal(t.s->state, "serving");
    for (int i = 0; i < t.d->count; i++)
        assert_int_equal(t.d->events[i].verdict, VERDICT_APPLIED);
    end(&t);
}

static void any_order_of_arrival_tells_the_same(void **state)
{
    const struct said_line said[] = {ISSUED_EAST,
                                     {HALL, "ticket.joined/1", "{}", 1500},
                                     CALLED(2000),
                                     {EAST, "ticket.left/1", "{}", 2050},
                                     {HALL, "ticket.passed/1", "{}", 2100},
                                     {HALL, "ticket.put_back/1", "{\"place\":1700}", 2200},
                                     CALLED(2300),
                                     {HALL, "ticket.served/1", "{}", 2400}};
    enum { COUNT = sizeof said / sizeof said[0] };
    struct said_line mixed[COUNT];
    struct told t;

    (void)state;
    srand(7);
    for (int round = 0; round < 200; round++) {
        memcpy(mixed, said, sizeof said);
        for (int i = COUNT - 1; i > 0; i--) {
            int k = rand() % (i + 1);
            struct said_line x = mixed[i];
            mixed[i] = mixed[k];
            mixed[k] = x;
        }
        tell(&t, mixed, COUNT);
        assert_string_equal(t.s->state, "serving");
        assert_int_equal(t.s->place, 1700);
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(t.d->events[i].verdict, VERDICT_APPLIED);
        end(&t);
    }
}

/* The table keeps what the fold reads: nothing of it is personal. */
static void nothing_personal_is_folded(void **state)
{
    const struct dossier_type *type = dossier_type_named(&all_work, "ticket");

    (void)state;
    assert_true(word_in(type->kinds[0].kept, type->kinds[0].place));
    for (size_t i = 0; i < type->kind_count; i++)
        assert_false(word_in(type->kinds[i].kept, "by") ||
                     word_in(type->kinds[i].kept, "code_hash"));
}

static void the_number_is_in_the_id(void **state)
{
    const struct said_line said[] = {ISSUED_EAST};
    struct marks m;
    struct told t;
    char text[8];

    (void)state;
    TELL(&t, said);
    m = (struct marks){.arena = t.arena};
    ticket_numbers(&t.d->events[0], &m);
    assert_int_equal(m.count, 1);
    assert_string_equal(m.list[0].holder, EAST);
    assert_string_equal(m.list[0].scope, "260723A");
    assert_int_equal(m.list[0].n, 11);
    ticket_printed(ID, text);
    assert_string_equal(text, "A012");
    ticket_day(ID, text);
    assert_string_equal(text, "260723");
    ticket_day("q331002003nonsense", text);
    assert_string_equal(text, "");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issued_at_the_hall_it_waits),
        cmocka_unit_test(issued_elsewhere_it_comes_and_the_hall_gives_it_a_place),
        cmocka_unit_test(called_served_finished),
        cmocka_unit_test(steps_that_do_not_fit_are_set_aside),
        cmocka_unit_test(only_the_hall_calls),
        cmocka_unit_test(a_hall_of_another_street_is_none),
        cmocka_unit_test(a_missed_call_is_passed_and_may_be_called_again),
        cmocka_unit_test(put_back_behind_somebody_or_at_the_end),
        cmocka_unit_test(sent_on_with_its_place_and_back_again),
        cmocka_unit_test(sent_on_without_its_place_it_waits_at_the_end),
        cmocka_unit_test(who_is_served_has_not_left),
        cmocka_unit_test(any_order_of_arrival_tells_the_same),
        cmocka_unit_test(nothing_personal_is_folded),
        cmocka_unit_test(the_number_is_in_the_id),
    };
    json_use_arenas();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
