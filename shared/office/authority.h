/* Who may ever say what about which place: the part of authority that needs no database and never
 * changes its mind. What it refuses is stored, since a chain has no gaps, and goes up; it is never
 * folded and never sent down. The other part, which looks at the events of a dossier, is fold.h.
 *
 * Pure. */
#ifndef OFFICE_AUTHORITY_H
#define OFFICE_AUTHORITY_H

#include "ledger/event.h"

enum may {
    /* Facts. The place is the site that a member of the record names. */
    MAY_DISTRICT, /* the district alone */
    MAY_ABOVE,    /* the place itself, or an office above it */
    MAY_PARENT,   /* the office directly above the place; a district, of itself */
    MAY_LEND,     /* as MAY_PARENT, or a hub to itself */
    MAY_PLACE,    /* the place itself */
    /* Events of a dossier. */
    MAY_OPEN, /* a site of the street that the id names, or its district; into its own hands, or
                    * those directly above or below */
    MAY_CUSTODIAN, /* who has the dossier in hand under the custody number of the record */
    MAY_TAKE_BACK, /* the street, of what its own community has in hand */
    MAY_OWNER,     /* the one site that owns the dossier */
    MAY_PART,      /* who has part in the dossier: it was filed, or is, or was in hand there, or
                    * concerns who lives there; and the offices above these */
    MAY_OVERRULE,  /* an office above the author of what is overruled */
};

/**
 * authority_refuses(ev, may, place):
 * Why the site that said ${ev} may never say it; NULL: it may, as far as can be told from the event
 * alone.
 *
 * Shapes  may is the class of the event's kind. place: the site that its record names where its kind
 *         says so (of a fact: whom it is about; of an opening: whose the dossier is), else NULL.
 * Order   The same answer at every site, for ever: it depends on nothing but the event.
 */
const char *authority_refuses(const struct event *ev, enum may may, const char *place);

/* The same as far as it does not depend on the kind: is the event's street that of its dossier, and
 * its origin a site of the same district? For kinds that this program does not know. */
const char *authority_misplaced(const struct event *ev);

/* The nine digits of the street in the id of a dossier, or NULL: 21 digits of a case begin with
 * them; in every other id they stand behind a letter. */
const char *dossier_street9(const char *id);

#endif
