/* A case from the set of its events: the same in whatever order they came, who may say what, and what
 * stands when two offices have decided without hearing of each other. */
#include "folding.h"

/* ---- order ------------------------------------------------------------------------------------*/

static void the_one_pass(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.accepted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A, 3, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A, 4, "certificate.issued/1", NUMBER(1, N("1")), "{\"token\":\"t\"}", VERDICT_APPLIED, 0},
        {A, 5, "delivery.ordered/1", "{\"custody_no\":1,\"method\":\"agent\"}", NULL,
         VERDICT_APPLIED, 0},
        {S, 6, "delivery.assigned/1", "{\"holder\":\"" A "\",\"no\":1,\"to\":\"chen\"}", NULL,
         VERDICT_APPLIED, 0},
        {A, 7, "delivery.picked_up/1", "{\"no\":1}", NULL, VERDICT_APPLIED, 0},
        {A, 8, "delivery.handed_over/1", "{\"no\":1}", NULL, VERDICT_APPLIED, 0},
    };

    (void)state;
    struct case_state *s = EXPECT(g, "delivered");
    assert_string_equal(s->certificate_no, N("1"));
    assert_string_equal(s->delivery.courier, "chen");
}

/* A community's clock is forty days fast; it hands the case to the street, whose clock is right. */
static void a_fast_clock_keeps_nothing_from_being_moved(void **state)
{
    const struct given g[] = {
        {A, 960, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 961, "case.transferred/1", TO(2, S), NULL, VERDICT_APPLIED, 0},
        {S, 1, "case.accepted/1", UNDER(2), NULL, VERDICT_APPLIED, 0},
        {S, 2, "case.granted/1", UNDER(2), NULL, VERDICT_APPLIED, 0},
    };

    (void)state;
    EXPECT(g, "granted");
}

static void delivery_goes_by_its_numbers_too(void **state)
{
    const struct given g[] = {
        {A, 500, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 501, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A, 502, "certificate.issued/1", NUMBER(1, N("1")), NULL, VERDICT_APPLIED, 0},
        {A, 503, "delivery.ordered/1", "{\"custody_no\":1,\"method\":\"courier\"}", NULL,
         VERDICT_APPLIED, 0},
        {S, 9, "delivery.assigned/1", "{\"holder\":\"" S "\",\"no\":1,\"to\":\"zheng\"}", NULL,
         VERDICT_APPLIED, 0},
        {S, 10, "delivery.picked_up/1", "{\"no\":1}", NULL, VERDICT_APPLIED, 0},
        {S, 11, "delivery.failed/1", "{\"no\":1}", NULL, VERDICT_APPLIED, 0},
        {S, 2, "delivery.assigned/1", "{\"holder\":\"" S "\",\"no\":2,\"to\":\"fang\"}", NULL,
         VERDICT_APPLIED, 0},
        {A, 12, "delivery.handed_over/1", "{\"no\":2}", NULL, VERDICT_DENIED, 0},
        {S, 3, "delivery.handed_over/1", "{\"no\":1}", NULL, VERDICT_ASIDE, 0},
    };

    (void)state;
    struct case_state *s = EXPECT(g, "completed");
    assert_string_equal(s->delivery.courier, "fang");
    assert_string_equal(s->delivery.state, "assigned");
}

/* ---- two decisions ----------------------------------------------------------------------------*/

/* The community grants under its lease with the line dead; the street takes back and refuses. */
static void a_later_custody_overrules(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_ASIDE, 0},
        {A, 3, "certificate.issued/1", NUMBER(1, N("1")), NULL, VERDICT_ASIDE, 0},
        {A, 4, "delivery.ordered/1", "{\"custody_no\":1,\"method\":\"pickup\"}", NULL,
         VERDICT_ASIDE, 0},
        {S, 73, "case.taken_back/1", TO(2, S), NULL, VERDICT_APPLIED, 0},
        {S, 74, "case.refused/1", UNDER(2), NULL, VERDICT_APPLIED, 0},
    };

    (void)state;
    struct case_state *s = EXPECT(g, "refused");
    assert_null(s->issued);
    assert_int_equal(s->overruled_count, 1);
    assert_string_equal(s->overruled[0].number, N("1"));
    assert_string_equal(s->overruled[0].by, A);
}

/* It took back and decided nothing: what was granted before stands, and who has it now issues. */
static void a_take_back_alone_overrules_nothing(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {S, 73, "case.taken_back/1", TO(2, S), NULL, VERDICT_APPLIED, 0},
        {S, 74, "case.accepted/1", UNDER(2), NULL, VERDICT_APPLIED, 0},
        {S, 75, "certificate.issued/1", NUMBER(2, N("2")), NULL, VERDICT_APPLIED, 0},
        {A, 3, "certificate.issued/1", NUMBER(1, N("1")), NULL, VERDICT_ASIDE, 0},
    };

    (void)state;
    struct case_state *s = EXPECT(g, "completed");
    assert_string_equal(s->certificate_no, N("2"));
    assert_int_equal(s->overruled_count, 1);
}

static void the_first_decision_of_a_custody_stands(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A ".7", 3, "case.refused/1", UNDER(1), NULL, VERDICT_ASIDE, 0},
    };

    (void)state;
    EXPECT(g, "granted");
}

/* The resident asks at the street at nine; the community, cut off, grants at ten. */
static void a_wish_to_withdraw_undoes_nothing(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {S, 9, "case.withdrawal_asked/1", "{}", NULL, VERDICT_APPLIED, 0},
        {A, 10, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A, 11, "certificate.issued/1", NUMBER(1, N("1")), NULL, VERDICT_APPLIED, 0},
        {S, 12, "case.withdrawn/1", UNDER(1), NULL, VERDICT_DENIED, 0},
    };

    (void)state;
    EXPECT(g, "completed");
}

static void papers_answer_the_request_that_they_name(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED_TO(S), PERSON, VERDICT_APPLIED, 0},
        {S, 2, "case.supplement_requested/1", "{\"custody_no\":1,\"no\":1}", "{\"reason\":\"a\"}",
         VERDICT_APPLIED, 0},
        {A, 1, "case.supplemented/1", "{\"asked\":1}", "{\"materials\":[{\"code\":\"id\"}]}",
         VERDICT_APPLIED, 0},
        {S, 4, "case.supplement_requested/1", "{\"custody_no\":1,\"no\":2}", "{\"reason\":\"b\"}",
         VERDICT_APPLIED, 0},
    };

    (void)state;
    struct case_state *s = EXPECT(g, "correction_required");
    assert_string_equal(s->asked, "b");
    assert_int_equal(json_count(s->materials), 1);
    case_finish(s);
}

/* ---- who may say it ---------------------------------------------------------------------------*/

static void nobody_speaks_beyond_his_own_ground(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {B, 2, "case.granted/1", UNDER(1), NULL, VERDICT_DENIED, 0},
        {B, 2, "case.withdrawal_asked/1", "{}", NULL, VERDICT_DENIED, 0},
        {B, 2, "case.rated/1", "{\"score\":5}", NULL, VERDICT_DENIED, 0},
        {B, 2, "case.transferred/1", TO(2, S), NULL, VERDICT_DENIED, 0},
        {B, 2, "case.taken_back/1", TO(2, B), NULL, VERDICT_REFUSED, 0},
        {T, 2, "case.taken_back/1", TO(2, T), NULL, VERDICT_DENIED, 0},
        {A, 3, "case.granted/1", UNDER(7), NULL, VERDICT_DENIED, 0},
        {A, 3, "case.transferred/1", TO(2, B), NULL, VERDICT_ASIDE, 0},
        {S, 4, "case.granted/1", UNDER(1), NULL, VERDICT_DENIED, 0},
        {D, 5, "case.noted/1", "{}", "{\"text\":\"seen\"}", VERDICT_APPLIED, 0},
        {B, 6, "case.filed/1", FILED_TO(S), PERSON, VERDICT_DENIED, 0},
        {"110100003012", 7, "case.noted/1", "{}", NULL, VERDICT_REFUSED, 0},
        {T, 7, "case.filed/1", FILED_TO(T), PERSON, VERDICT_REFUSED, 0},
        {B, 7, "case.filed/1", FILED_TO(A), PERSON, VERDICT_REFUSED, 0},
        {A, 8, "case.noted/1", "[]", NULL, VERDICT_REFUSED, 0},
    };

    (void)state;
    EXPECT(g, "submitted");
}

static void nobody_decides_above_his_tier(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1",
         "{\"community\":\"" A "\",\"custodian\":\"" A
         "\",\"decided_at\":[\"street\"],\"item\":\"x\"}",
         PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.accepted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A, 3, "case.granted/1", UNDER(1), NULL, VERDICT_DENIED, 0},
        {A, 4, "case.transferred/1", TO(2, S), NULL, VERDICT_APPLIED, 0},
        {S, 5, "case.granted/1", UNDER(2), NULL, VERDICT_APPLIED, 0},
    };

    (void)state;
    EXPECT(g, "granted");
}

/* ---- what an office above overrules -----------------------------------------------------------*/

static void only_an_office_above_overrules(void **state)
{
    struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {A, 3, "certificate.issued/1", NUMBER(1, N("9")), NULL, VERDICT_ASIDE, 0},
        {S, 4, KIND_OVERRULED, "", "{\"reason\":\"not lent\"}", VERDICT_APPLIED, 0},
        {B, 5, KIND_OVERRULED, "", NULL, VERDICT_REFUSED, 0},
        {S, 6, KIND_OVERRULED, "{\"id\":\"zz\"}", NULL, VERDICT_ASIDE, 0},
    };

    (void)state;
    g[3].record = overruling(&g[2], 3);
    g[4].record = overruling(&g[1], 2);
    struct case_state *s = EXPECT(g, "granted");
    assert_null(s->issued);
}

static void the_district_overrules_a_streets_overruling(void **state)
{
    struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {S, 4, KIND_OVERRULED, "", NULL, VERDICT_ASIDE, 0},
        {D, 5, KIND_OVERRULED, "", NULL, VERDICT_APPLIED, 0},
    };

    (void)state;
    g[2].record = overruling(&g[1], 2);
    g[3].record = overruling(&g[2], 3);
    EXPECT(g, "granted");
}

static void without_its_opening_there_is_no_case(void **state)
{
    struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_ASIDE, 0},
        {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_DENIED, 0},
        {S, 4, KIND_OVERRULED, "", NULL, VERDICT_APPLIED, 0},
    };

    (void)state;
    g[2].record = overruling(&g[0], 1);
    EXPECT(g, NULL);
}

/* ---- unknown, and forgotten -------------------------------------------------------------------*/

static struct dossier *last;

static void an_unknown_step_is_kept_and_a_critical_one_stops_the_work(void **state)
{
    struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.weighed/1", UNDER(1), NULL, VERDICT_UNKNOWN, 0},
        {B, 3, "case.stopped/9", UNDER(1), NULL, VERDICT_UNKNOWN, EVENT_CRITICAL},
    };
    bool holds;

    (void)state;
    EXPECT(g, "submitted");
    last = fold(g, 3, 1, &holds);
    assert_false(last->read_only); /* of who has no part */
    g[2].origin = S;
    last = fold(g, 3, 1, &holds);
    assert_true(last->read_only);
}

/* A shell is the same fold with names missing. */
static void a_shell_folds_the_same(void **state)
{
    const struct given whole[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.transferred/1", TO(2, S), "{\"reason\":\"r\"}", VERDICT_APPLIED, 0},
        {S, 3, "case.supplement_requested/1", "{\"custody_no\":2,\"no\":1}", "{\"reason\":\"a\"}",
         VERDICT_APPLIED, 0},
        {A, 4, "case.supplemented/1", "{\"asked\":1}", "{\"materials\":[]}", VERDICT_APPLIED, 0},
        {S, 5, "case.granted/1", UNDER(2), "{\"by\":\"shen\"}", VERDICT_APPLIED, 0},
        {S, 6, "certificate.issued/1", NUMBER(2, N("1")), "{\"token\":\"t\"}", VERDICT_APPLIED, 0},
    };
    struct given shell[sizeof whole / sizeof whole[0]];
    const int n = (int)(sizeof whole / sizeof whole[0]);
    bool holds;

    (void)state;
    memcpy(shell, whole, sizeof whole);
    for (int i = 0; i < n; i++)
        shell[i].personal = NULL;
    EXPECT(whole, "completed");
    EXPECT(shell, "completed");
    struct dossier *a = fold(whole, n, 3, &holds), *b = fold(shell, n, 3, &holds);
    const struct case_state *x = a->state, *y = b->state;
    assert_int_equal(a->custody.no, b->custody.no);
    assert_memory_equal(&a->custody, &b->custody, sizeof a->custody);
    assert_string_equal(x->certificate_no, y->certificate_no);
    assert_int_equal(x->completed_ms, y->completed_ms);
    assert_non_null(x->person);
    assert_null(y->person);
    dossier_unfold(a);
    dossier_unfold(b);
}

/* Days that people read are those of the acting site's wall clock, where that is another. */
static void the_day_that_people_read_stands_in_the_record(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1",
         "{\"at\":1767225600000,\"community\":\"" A "\",\"custodian\":\"" A "\",\"item\":\"x\"}",
         PERSON, VERDICT_APPLIED, 0},
    };

    (void)state;
    struct case_state *s = EXPECT(g, "submitted");
    assert_int_equal(s->filed_ms, 1767225600000LL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_pass),
        cmocka_unit_test(a_fast_clock_keeps_nothing_from_being_moved),
        cmocka_unit_test(delivery_goes_by_its_numbers_too),
        cmocka_unit_test(a_later_custody_overrules),
        cmocka_unit_test(a_take_back_alone_overrules_nothing),
        cmocka_unit_test(the_first_decision_of_a_custody_stands),
        cmocka_unit_test(a_wish_to_withdraw_undoes_nothing),
        cmocka_unit_test(papers_answer_the_request_that_they_name),
        cmocka_unit_test(nobody_speaks_beyond_his_own_ground),
        cmocka_unit_test(nobody_decides_above_his_tier),
        cmocka_unit_test(only_an_office_above_overrules),
        cmocka_unit_test(the_district_overrules_a_streets_overruling),
        cmocka_unit_test(without_its_opening_there_is_no_case),
        cmocka_unit_test(an_unknown_step_is_kept_and_a_critical_one_stops_the_work),
        cmocka_unit_test(a_shell_folds_the_same),
        cmocka_unit_test(the_day_that_people_read_stands_in_the_record),
    };

    json_use_arenas();
    return cmocka_run_group_tests(tests, setup, teardown);
}
