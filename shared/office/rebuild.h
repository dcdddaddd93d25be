/* Everything that people read, folded again from the ledger. */
#ifndef OFFICE_REBUILD_H
#define OFFICE_REBUILD_H

#include "office/office.h"

/* Drop every projection and every verdict, and fold all events again. One transaction. */
MUST_USE enum err office_rebuild(struct office *o, struct db *db, struct errmsg *e);
/* SHA-256 over all rows of all projections and all verdicts, in hex. */
MUST_USE enum err office_digest(struct office *o, struct db *db, char out[65], struct errmsg *e);

/**
 * office_catch_up(o, db, most, ret_more, e):
 * Fold what this program can read and the one before could not: events of a kind that has become
 * known, and the dossiers of a type whose fold has changed.
 *
 * Units   At most `most` dossiers or facts in one transaction; *ret_more: there are others.
 * Order   Until there are no more, lists and figures may lack what only this program knows.
 */
MUST_USE enum err office_catch_up(struct office *o, struct db *db, int most, bool *ret_more,
                                  struct errmsg *e);

#endif
