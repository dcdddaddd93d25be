/* Every vector of the domain notes: codes, citizen and credit numbers, case numbers, waybills. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/ids.h"
#include "base/time.h"

#include <string.h>

static void divisions(void **state)
{
    enum tier tier;
    char out[13];

    (void)state;
    assert_true(division_tier("331002000000", &tier) && tier == TIER_DISTRICT);
    assert_true(division_tier("331002003000", &tier) && tier == TIER_STREET);
    assert_true(division_tier("331002003901", &tier) && tier == TIER_COMMUNITY);
    assert_false(division_valid(NULL));
    assert_false(division_valid("33100200390"));
    assert_false(division_valid("3310020039011"));
    assert_false(division_valid("33100200390x"));
    assert_false(division_valid("331002000901"));
    assert_false(division_valid("330000000000"));
    assert_true(division_parent("331002003901", out));
    assert_string_equal(out, "331002003000");
    assert_true(division_parent(out, out));
    assert_string_equal(out, "331002000000");
    assert_false(division_parent(out, out));
    assert_true(division_street("331002000000", out));
    assert_string_equal(out, "331002000000");
    assert_true(division_within("331002003901", "331002003000"));
    assert_true(division_within("331002003901", "331002000000"));
    assert_true(division_within("331002003901", "331002003901"));
    assert_false(division_within("331002003000", "331002003901"));
    assert_false(division_within("331002004001", "331002003000"));
}

static void citizen_numbers(void **state)
{
    static const char *const good[] = {
        "11010519491231002X", "440524188001010014", "331002190001010017", "331002190001010025",
        "339900198506130110", "339900198506130284", "33990019850613009X", "339900195211070030",
        "339900199907040057", "339900198808080171", "339900201710090122", "339900201202290240",
    };
    static const char *const bad[] = {"331002190002290014",  "339900198506130111",
                                      "33990019850613011",   "33990019850613O110",
                                      "3399001985061301100", ""};
    char out[19], date[11];
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(citizen_number_check(good[i], NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        why = NULL;
        assert_false(citizen_number_check(bad[i], &why));
        assert_non_null(why);
    }
    assert_false(citizen_number_check(NULL, NULL));
    citizen_number_normalise(" 11010519491231002x ", out);
    assert_string_equal(out, "11010519491231002X");
    assert_true(citizen_number_from15("331002000101001", out));
    assert_string_equal(out, "331002190001010017");
    assert_int_equal(citizen_number_sex("339900198506130110"), 'M');
    assert_int_equal(citizen_number_sex("339900198506130284"), 'F');
    time_date_of_days(citizen_number_birth("339900201202290240"), date);
    assert_string_equal(date, "2012-02-29");
}

static void credit_codes(void **state)
{
    static const char *const good[] = {"91339900MA9TE5T04G", "92339900MA9TEX7K4J",
                                       "11339900009900013K", "11339900009900128R",
                                       "12339900E990002123", "54339900MF9900034Q"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(credit_code_check(good[i], NULL));
    assert_false(credit_code_check("91339900MA9TE5T04H", NULL));
    assert_false(credit_code_check("91339900MA9TE5T04", NULL));
    assert_false(credit_code_check("91339900MI9TE5T04G", NULL));
    assert_true(mobile_check("10000000001"));
    assert_true(mobile_check("13800000000"));
    assert_false(mobile_check("23800000000"));
    assert_false(mobile_check("1380000000"));
    assert_false(mobile_check(NULL));
}

static void case_numbers(void **state)
{
    char out[22];

    (void)state;
    case_number_make("331002003", "260105", 1, out);
    assert_string_equal(out, "331002003260105000011");
    case_number_make("331002003000", "260105", 2, out);
    assert_string_equal(out, "331002003260105000020");
    assert_true(case_number_check(out));
    out[20] = '1';
    assert_false(case_number_check(out));
    assert_false(case_number_check("331002003269905000020"));
    assert_false(case_number_check(NULL));
    assert_int_equal(mod11_10("0794"), '5');              /* the standard's own example */
    assert_int_equal(mod37_36("A12425GABC1234002"), 'M'); /* an ISRC-like public example */
    assert_int_equal(mod37_36("a"), 0);
}

static void waybills(void **state)
{
    static const char *const good[] = {"EE471108151FR", "RR473124829GB", "EB000717618HK",
                                       "EA331002000CN", "EA331002013CN", "RA123456785CN",
                                       "EA000000155CN", "CP000000005CN"};
    char out[14];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(s10_check(good[i]));
    assert_false(s10_check("EA331002014CN"));
    assert_false(s10_check("EA33100201CN"));
    assert_false(s10_check("ea331002013cn"));
    s10_make("EA", "33100201", "CN", out);
    assert_string_equal(out, "EA331002013CN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divisions),    cmocka_unit_test(citizen_numbers),
        cmocka_unit_test(credit_codes), cmocka_unit_test(case_numbers),
        cmocka_unit_test(waybills),
    };

    return cmocka_run_group_tests_name("base_ids", tests, NULL, NULL);
}
