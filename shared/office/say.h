/* Saying something: the one way in which an office adds to the ledger. The table of kinds says what of
 * the body is the record, which stays for ever, and what is the personal part, which can go. */
#ifndef OFFICE_SAY_H
#define OFFICE_SAY_H

#include "office/office.h"

/**
 * office_say(o, db, kind, id, street, c, body, e):
 * Append an event of the dossier ${id}, and fold it.
 *
 * Shapes  kind: of the type of id (assert). street: of the dossier. c: whose name stands under it, as
 *         `by`, and who is the actor; NULL: the program.
 * Owns    ${body} is taken, also on an error.
 * Order   All or nothing with the transaction; who must hear of it is seen to.
 * Errors  ERR_INVALID: it does not fit as the dossier stands, e says why. ERR_CONFLICT: the dossier
 *         has a step that this program does not know and that may decide (it is only handed to the
 *         parent), or the receiver of a move does not know one that this dossier has. ERR_BUSY: the
 *         site is getting its past back. Others of the store.
 */
MUST_USE enum err office_say(struct office *o, struct db *db, const char *kind, const char *id,
                             const char *street, const struct caller *c, struct json *body,
                             struct errmsg *e);

/* The same of a fact. A hub signs it. */
MUST_USE enum err office_say_fact(struct office *o, struct db *db, const char *kind,
                                  const char *street, const struct caller *c, struct json *body,
                                  struct errmsg *e);

#endif
