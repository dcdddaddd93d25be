/* The table of the type. Numbers: a case's own is counted anew each day; waybills are one space for the
 * whole district. */
#include "base/ids.h"
#include "dossiers/case/access.h"
#include "dossiers/case/case.h"
#include "dossiers/case/doubt.h"
#include "dossiers/case/rows.h"

static int64_t cases_of(int64_t cases)
{
    return cases;
}

static int64_t certificates_of(int64_t cases)
{
    return cases > 1000 ? cases * 5 : 500;
}

static const struct number_space spaces[] = {
    {.kind = "waybill", .size = 100000000, .district = true},
    {.kind = "case", .size = 100000, .hub = 50000, .share = cases_of, .per_day = true},
    {.kind = "certificate", .size = 1000000, .hub = 500000, .share = certificates_of},
};

#ifdef BLIND /* the program of before (all.c): what came later stands behind */
#define KINDS_KNOWN (CASE_KIND_COUNT - CASE_KINDS_LATER)
#else
#define KINDS_KNOWN CASE_KIND_COUNT
#endif

const struct dossier_type case_type = {
    .name = "case",
    .letter = 0,
    .rule = RULE_CUSTODY,
    .fold_version = 1,
    .kinds = case_kinds,
    .kind_count = KINDS_KNOWN,
    .spaces = spaces,
    .space_count = sizeof spaces / sizeof spaces[0],
    .tables = case_tables,
    .table_count = CASE_TABLE_COUNT,
    .forbids = case_forbids,
    .doubt = case_doubt,
    .part = " community ",
    .id_valid = case_number_check,
    .state_bytes = sizeof(struct case_state),
    .settle = case_settle,
    .holds = case_holds,
    .finish = case_finish,
    .numbers = case_numbers,
    .save = case_rows_save,
    .drop = case_rows_drop,
    .concerns = case_concerns,
    .each_of = case_each_of,
    .visible = case_visible,
};
