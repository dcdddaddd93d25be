/* What the programs of other sites know: which types of dossiers, and which critical kinds. A site says
 * it itself when its program changes; of one that has said nothing the type without a letter is taken
 * to be known, and no critical kind. */
#ifndef OFFICE_EQUIPPED_H
#define OFFICE_EQUIPPED_H

#include "office/office.h"

/* What a site has said last: lists of words, " case ticket ". */
struct equipment {
    char program[64];    /* name and version, for people */
    char types[256];     /* of dossiers */
    char critical[1024]; /* kinds of events */
    bool said;           /* false: nothing was said, all is "" */
};
MUST_USE enum err equipment_of(struct db *db, const char *site, struct equipment *ret,
                               struct errmsg *e);
/* What this program would say of itself. program is left alone. */
void equipment_own(const struct office *o, struct equipment *ret);
bool equipment_has_type(const struct equipment *x, const struct dossier_type *t);

/* Does the program of site know the critical kind? */
MUST_USE enum err equipped_for_kind(struct office *o, struct db *db, const char *site,
                                    const char *kind, bool *ret, struct errmsg *e);

#endif
