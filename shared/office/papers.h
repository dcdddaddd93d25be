/* Papers: which dossier names which, and whether they are here. The bytes are the ledger's (blob.h). */
#ifndef OFFICE_PAPERS_H
#define OFFICE_PAPERS_H

#include "office/office.h"

/* Is it a list of papers as below, or of none: of objects with a code, their documents, if any, objects
 * with a digest in lower case? What a site sends may be anything. *ret_count: how many of both. */
bool papers_fit(const struct json *materials, size_t *ret_count);

/* The dossier names the papers of a list of materials [{documents: [{digest, size, media_type,
 * name}]}]: who sees it sees them. A projection. */
MUST_USE enum err papers_name(struct db *db, const char *street, const char *id,
                              const struct json *materials, struct errmsg *e);
MUST_USE enum err papers_drop(struct db *db, const char *id, struct errmsg *e);

/* A row for each such paper: here already, to be fetched (wanted), or left where it is. filed_ms: the
 * oldest are fetched first. */
MUST_USE enum err papers_note(struct db *db, const char *street, const char *id,
                              const struct json *materials, bool wanted, int64_t filed_ms,
                              struct errmsg *e);

/* May the caller see the paper? id "": by any dossier that names it. */
MUST_USE enum err paper_visible(struct office *o, struct db *db, const struct caller *c,
                                const char *digest, const char *id, bool *ret, struct errmsg *e);

#endif
