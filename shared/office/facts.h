/* The facts of the office itself: sites, what their programs know, accounts, blocks of numbers. For
 * the list in dossiers/all.c; the rest of the office looks kinds up by fact_kind_of(). */
#ifndef OFFICE_FACTS_H
#define OFFICE_FACTS_H

#include "office/dossier.h"

/* site.*, account.*, block.*, and the tables that they, and the work on dossiers, are folded into. */
extern const struct fact_group office_facts;

#endif
