/* What a hostile community says about the case of another, and about its own: the fold leaves it out, and
 * nothing that it says stops anybody. */
#include "folding.h"

#define EVIL "331002003001" /* its code and its clock come before those of all others */
#define ID_OF(g, seq) overruling(g, seq)

static struct event event_at(const struct given *g, int i)
{
    return event_of(&g[i], (uint64_t)i + 1);
}

/* ---- the same said twice ----------------------------------------------------------------------*/

/* It opens the case of another under an older clock, and says so twice: both are one event. */
static void what_is_overruled_is_so_in_every_copy(void **state)
{
    struct given g[] = {
        {A, 5, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {EVIL, 1, "case.filed/1", FILED_TO(EVIL), PERSON, VERDICT_DENIED, 0},
        {EVIL, 1, "case.filed/1", FILED_TO(EVIL), PERSON, VERDICT_DENIED, 0},
        {EVIL ".2", 1, "case.filed/1", FILED_TO(EVIL), PERSON, VERDICT_DENIED, 0},
        {S, 6, KIND_OVERRULED, "", "{\"reason\":\"not lent\"}", VERDICT_APPLIED, 0},
        {A, 7, "case.accepted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
        {EVIL, 8, "case.granted/1", UNDER(1), NULL, VERDICT_DENIED, 0},
    };

    (void)state;
    g[4].record = ID_OF(&g[1], 2);
    struct case_state *s = EXPECT(g, "accepted");
    assert_string_equal(s->filed_at, A);
}

static void who_comes_second_has_not_opened_it(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {EVIL, 2, "case.filed/1", FILED_TO(EVIL), PERSON, VERDICT_DENIED, 0},
        {A, 3, "case.filed/1", FILED_TO(S), PERSON, VERDICT_ASIDE,
         0}, /* it has forgotten the first */
    };

    (void)state;
    EXPECT(g, "submitted");
}

/* ---- what nobody knows ------------------------------------------------------------------------*/

static void a_strangers_unknown_step_is_neither_told_nor_heeded(void **state)
{
    struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {EVIL, 2, "case.future/9", "{}", "{\"text\":\"pay here\"}", VERDICT_UNKNOWN,
         EVENT_CRITICAL},
        {EVIL, 3, KIND_OVERRULED, "{\"id\":\"00\"}", "{\"reason\":\"pay\"}", VERDICT_REFUSED, 0},
        {T, 3, KIND_OVERRULED, "{\"id\":\"00\"}", "{\"reason\":\"pay\"}", VERDICT_DENIED, 0},
    };
    bool holds;

    (void)state;
    EXPECT(g, "submitted");
    struct dossier *d = fold(g, 4, 1, &holds);
    struct case_state *s = d->state;
    case_tell(d, s);
    assert_false(d->read_only);
    assert_int_equal(json_count(s->timeline), 1);
    dossier_unfold(d);
}

/* Who has part stops the work until an office above overrules it. */
static void an_unknown_critical_step_is_overruled_like_any_other(void **state)
{
    struct given g[] = {
        {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.future/9", "{}", NULL, VERDICT_ASIDE, EVENT_CRITICAL},
        {S, 3, KIND_OVERRULED, "", NULL, VERDICT_APPLIED, 0},
    };
    bool holds;

    (void)state;
    g[2].record = ID_OF(&g[1], 2);
    EXPECT(g, "submitted");
    assert_false(fold(g, 3, 1, &holds)->read_only);
}

/* ---- places and names -------------------------------------------------------------------------*/

static const char *refused(struct event ev, const char *id, const char *street)
{
    struct arrival x = {.ev = ev}, *one = &x;
    bool holds;

    ev.dossier = id;
    ev.street = street;
    x.ev = ev;
    struct dossier *d = dossier_of_arrivals(&case_type, &one, 1, arena, &holds);
    return d->events[0].verdict == VERDICT_REFUSED ? d->events[0].why : NULL;
}

static void an_id_is_one_of_its_kind_and_the_street_is_a_street(void **state)
{
    const struct given g[] = {{A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0}};
    static const char *const bad[] = {
        "331002003261109000171", /* another check digit */
        "331002003269909000179", /* no day */
        "331002003abcdefghijkl", "331002003\xff\n\"\\ \1\2\3\4\5\6\7", "331002003261109 00179",
    };

    (void)state;
    assert_null(refused(event_at(g, 0), NO, STREET));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(refused(event_at(g, 0), bad[i], STREET));
    assert_non_null(refused(event_at(g, 0), NO, A));
    assert_non_null(refused(event_at(g, 0), NO, "331002003999"));
}

static void the_number_of_a_result_is_its_issuers(void **state)
{
    static const char *const bad[] = {"1",
                                      "SY2026331002005000001",
                                      "SY20263310020030000x1",
                                      "000001",
                                      "SY 2026331002003000001",
                                      "2026331002003000001",
                                      "SY2026331002003000001 ",
                                      "ABCDEFGHIJKLM2026331002003000001"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct given g[] = {
            {A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0},
            {A, 2, "case.granted/1", UNDER(1), NULL, VERDICT_APPLIED, 0},
            {A, 3, "certificate.issued/1",
             arena_printf(arena, "{\"custody_no\":1,\"number\":\"%s\"}", bad[i]), NULL,
             VERDICT_DENIED, 0},
        };
        struct case_state *s = EXPECT(g, "granted");
        assert_int_equal(s->overruled_count, 0);
    }
}

/* ---- figures and days -------------------------------------------------------------------------*/

static void no_figure_is_beyond_what_it_counts(void **state)
{
    const struct given g[] = {
        {A, 1, "case.filed/1",
         "{\"at\":9223372036854775807,\"baseline_trips\":9223372036854775807,\"community\":\"" A
         "\",\"custodian\":\"" A "\",\"decided_at\":[\"community\"],\"item\":\"x\","
         "\"promised_ms\":9223372036854775807}",
         PERSON, VERDICT_APPLIED, 0},
        {A, 2, "case.rated/1", "{\"score\":1000000}", NULL, VERDICT_ASIDE, 0},
        {A, 3, "case.supplement_requested/1", "{\"custody_no\":1,\"no\":9223372036854775807}", NULL,
         VERDICT_ASIDE, 0},
        {A, 4, "case.noted/1", "{\"at\":-9223372036854775808}", NULL, VERDICT_APPLIED, 0},
    };
    bool holds;

    (void)state;
    struct case_state *s = EXPECT(g, "submitted");
    assert_int_equal(s->filed_ms, 1790000000000LL + 3600000);
    assert_int_equal(s->promised_ms, 0);
    assert_int_equal(s->trips, 0);
    assert_int_equal(s->rating, 0);
    assert_int_equal(s->asked_no, 0);
    struct dossier *d = fold(g, 4, 1, &holds);
    for (int i = 0; i < 4; i++)
        assert_true(d->events[i].at_ms > 1790000000000LL);
}

/* ---- papers -----------------------------------------------------------------------------------*/

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PAPERS(list) "{\"materials\":" list "}"
#define GOOD PAPERS("[{\"code\":\"a\",\"documents\":[{\"digest\":\"" DIGEST "\",\"size\":1}]}]")

static size_t documents(const struct case_state *s)
{
    size_t n = 0;

    for (size_t i = 0; i < json_count(s->materials); i++)
        n += json_count(json_get(json_at(s->materials, i), "documents"));
    return n;
}

static void what_is_no_list_of_papers_adds_none(void **state)
{
    static const char *const bad[] = {
        PAPERS("7"),
        PAPERS("{}"),
        PAPERS("[7]"),
        PAPERS("[{}]"),
        PAPERS("[{\"code\":1}]"),
        PAPERS("[{\"code\":\"a\",\"documents\":\"x\"}]"),
        PAPERS("[{\"code\":\"a\",\"documents\":[\"x\",1,null]}]"),
        PAPERS("[{\"code\":\"a\",\"documents\":[{\"digest\":\"../../seed\"}]}]"),
        PAPERS("[{\"code\":\"a\",\"documents\":[{\"digest\":\"SHA256:\"}]}]"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct given filed[] = {
            {A, 1, "case.filed/1", FILED, bad[i], VERDICT_APPLIED, 0},
            {A, 2, "case.supplemented/1", "{\"asked\":0}", GOOD, VERDICT_APPLIED, 0},
            {A, 3, "case.supplemented/1", "{\"asked\":0}", bad[i], VERDICT_APPLIED, 0},
        };
        struct case_state *s = EXPECT(filed, "submitted");
        assert_int_equal(documents(s), 1);
        case_finish(s);
    }
}

/* Adding papers is work that grows with what is there: there is an end to it. */
static void there_is_an_end_to_the_papers_of_a_case(void **state)
{
    struct given g[MAX] = {{A, 1, "case.filed/1", FILED, PERSON, VERDICT_APPLIED, 0}};
    struct buf one = {0};

    (void)state;
    buf_puts(&one, "{\"materials\":[{\"code\":\"a\",\"documents\":[");
    for (int i = 0; i < 300; i++)
        buf_puts(&one, i ? ",{\"digest\":\"" DIGEST "\"}" : "{\"digest\":\"" DIGEST "\"}");
    buf_puts(&one, "]}]}");
    for (int i = 1; i < MAX; i++)
        g[i] = (struct given){
            A, i + 1, "case.supplemented/1", "{\"asked\":0}", buf_text(&one), VERDICT_APPLIED, 0};
    struct case_state *s = expect(g, MAX, "submitted");
    assert_int_equal(documents(s), 900);
    case_finish(s);
    buf_free(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_overruled_is_so_in_every_copy),
        cmocka_unit_test(who_comes_second_has_not_opened_it),
        cmocka_unit_test(a_strangers_unknown_step_is_neither_told_nor_heeded),
        cmocka_unit_test(an_unknown_critical_step_is_overruled_like_any_other),
        cmocka_unit_test(an_id_is_one_of_its_kind_and_the_street_is_a_street),
        cmocka_unit_test(the_number_of_a_result_is_its_issuers),
        cmocka_unit_test(no_figure_is_beyond_what_it_counts),
        cmocka_unit_test(what_is_no_list_of_papers_adds_none),
        cmocka_unit_test(there_is_an_end_to_the_papers_of_a_case),
    };

    json_use_arenas();
    return cmocka_run_group_tests(tests, setup, teardown);
}
