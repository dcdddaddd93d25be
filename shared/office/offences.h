/* What a child has said that is never its to say. One such thing is a broken or hostile program of any
 * version: the class of a kind never changes. */
#ifndef OFFICE_OFFENCES_H
#define OFFICE_OFFENCES_H

#include "office/office.h"

#define OFFENCES_A_DAY 8 /* then its link is closed until the next day */

/**
 * offences_count(o, db, child, list, n, ret_close, e):
 * Count what of a batch, which is stored, ${child} itself was never to say. The first of a day is told
 * to the operator, in the log and by its repair item.
 *
 * Shapes  What only seems not to be its author's to say, as far as the events here tell (denied), is
 *         not counted: after a restore it may come before what explains it.
 * Errors  Of the store. *ret_close: today there were OFFENCES_A_DAY or more. */
MUST_USE enum err offences_count(struct office *o, struct db *db, const char *child,
                                 const struct arrival *list, size_t n, bool *ret_close,
                                 struct errmsg *e);

/* How many there were today. */
MUST_USE enum err offences_today(struct office *o, struct db *db, const char *child, int *ret,
                                 struct errmsg *e);

#endif
