/* What this program knows: the only list of the kinds of work. */
#ifndef DOSSIERS_ALL_H
#define DOSSIERS_ALL_H

#include "office/dossier.h"

/* Every type of dossier and every kind of fact; for struct office. */
extern const struct office_work all_work;

#endif
