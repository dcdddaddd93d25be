/* What may be done with a case now. */
#ifndef CASE_ACTIONS_H
#define CASE_ACTIONS_H

#include "dossiers/case/state.h"

/* Names of the actions that the caller may take, as a list; the caller's. */
MUST_USE enum err case_actions(struct office *o, struct db *db, const struct caller *c,
                               const struct dossier *d, struct json **ret, struct errmsg *e);
/* Take the action that in names. ERR_INVALID, ERR_DENIED, ERR_CONFLICT with a problem. */
MUST_USE enum err case_do(struct office *o, struct db *db, const struct caller *c,
                          const struct dossier *d, const struct json *in, struct problem *p,
                          struct errmsg *e);
/* May this office decide by the item's decided_at? What is delegated to a lower tier the higher one may
 * still do. */
bool office_decides(const struct office *o, const struct json *decided_at);
/* Fill a 409 with the allowed ones. ERR_CONFLICT. */
enum err refuse_action(struct problem *p, const char *action, const struct json *allowed,
                       const char *state);

#endif
