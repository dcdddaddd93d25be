/* Custody: in whose hands a dossier was and is. The chain is found from the whole set of its moves,
 * by their numbers: nobody's clock has a say.
 *
 * Pure. */
#ifndef OFFICE_CUSTODY_H
#define OFFICE_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#define CUSTODY_MAX 32 /* hands that one dossier passes through */

struct custody {
    char at[CUSTODY_MAX + 1][13]; /* at[1 .. no]: whose it was under that number */
    int no;                       /* of the present custodian; 0: not opened */
};

/* Whose it is now; "" before it is opened. */
const char *custody_holder(const struct custody *c);

/* The first hands. site: 12 digits. */
void custody_open(struct custody *c, const char *site);

/**
 * custody_move(c, by, to, back):
 * The dossier goes on under number c->no + 1. NULL, or why not: then ${c} is as before.
 *
 * Shapes  by: who says it; to: whose it shall be. back: ${by} takes it back instead of handing it on.
 * Order   Handed on by the holder, to the office directly above or a site directly below; taken back
 *         by a street from its own community, to itself.
 */
const char *custody_move(struct custody *c, const char *by, const char *to, bool back);

/* Was it ever in the hands of site? */
bool custody_held(const struct custody *c, const char *site);

#endif
