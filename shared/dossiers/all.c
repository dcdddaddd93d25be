#include "dossiers/all.h"

#include "catalogue/items.h"
#include "dossiers/case/case.h"
#include "dossiers/ticket/ticket.h"
#include "office/facts.h"

static const struct dossier_type *const types[] = {
    &case_type,
    &ticket_type,
};

static const struct fact_group *const groups[] = {
    &office_facts,
    &catalogue_facts,
};

const struct office_work all_work = {types, sizeof types / sizeof types[0], groups,
                                     sizeof groups / sizeof groups[0]};
