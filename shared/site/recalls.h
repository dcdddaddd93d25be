/* The tasks of protocol.md 7, from both ends: a site that has forgotten gets its past back. Private
 * to this floor. */
#ifndef SITE_RECALLS_H
#define SITE_RECALLS_H

#include "site/task.h"

/* FX_RECALL of a child: IN_RECALLED, and what is behind goes into its outbox. */
void recalls_asked(struct peer *p, const struct link_effect *fx);

/* FX_RECALLED of the parent: IN_RECALL when there is a next question. */
void recalls_answered(struct peer *p, const struct link_effect *fx);

/* While this site has not got its past back: how far is it? IN_RECALL when there is a question.
 * why: the FX_UP or FX_STORE behind which it may be further; NULL: a tick. Nothing on a link that
 * is not the parent's, when the past is back, or when a look is under way. */
void recalls_look(struct peer *p, const struct link_effect *why);

/* It turns out that this site was restored (fx: the FX_CLOSE that says so): act as if it had been
 * told. */
void recalls_come_back(struct peer *p, const struct link_effect *fx);

#endif
