/* Which office's people a caller belongs to, as every kind of work asks it. What of a dossier a caller
 * may see is said by its type. */
#ifndef OFFICE_ACCESS_H
#define OFFICE_ACCESS_H

#include "office/office.h"

/* Has the caller one of these roles (" clerk admin ")? A resident has none. */
bool caller_is(const struct caller *c, const char *roles);

/* How far the sight of an officer reaches. */
enum sight {
    SIGHT_NONE,      /* residents, couriers: what is theirs by other rights */
    SIGHT_COMMUNITY, /* what concerns the caller's own community */
    SIGHT_STREETS,   /* every street within the caller's site */
};
enum sight caller_sight(const struct caller *c);

/* For SIGHT_STREETS: the digits with which the street of all that the caller may see begins. */
void caller_prefix(const struct caller *c, char out[13]);

#endif
