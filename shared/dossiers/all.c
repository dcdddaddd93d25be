#include "dossiers/all.h"

#include "catalogue/items.h"
#include "dossiers/case/case.h"
#include "dossiers/ticket/ticket.h"
#include "office/facts.h"

/* BLIND: the program of before, which knows neither tickets nor a calendar (nor that a case can be
 * suspended: case/type.c). For tests of programs of several ages beside each other. */
static const struct dossier_type *const types[] = {
    &case_type,
#ifndef BLIND
    &ticket_type,
#endif
};

static const struct fact_group *const groups[] = {
    &office_facts,
    &catalogue_facts,
#ifndef BLIND
    &calendar_facts,
#endif
};

const struct office_work all_work = {types, sizeof types / sizeof types[0], groups,
                                     sizeof groups / sizeof groups[0]};
