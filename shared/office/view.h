/* What is shown in the same way of every kind of work. What is made is the caller's. */
#ifndef OFFICE_VIEW_H
#define OFFICE_VIEW_H

#include "office/fold.h"

/* A moment as RFC 3339; ms 0: the member is not set. */
void view_time(struct json *o, const char *key, int64_t ms);
/* A member of another value, copied; nothing where there is none. */
void view_copy(struct json *to, const char *key, const struct json *from);

/* The history of a dossier, a line for each event that stands or that only a newer program can read:
 * [{at_ms, kind, title, title_en, site, actor_name?, text?}], in the order of the time of each. */
struct json *view_lines(const struct dossier *d);
/* The same to be shown: `at` in place of at_ms, site_name beside site. internal: for the office's
 * people; else without the names of colleagues and without lines of the kinds in `hidden`
 * (" case.noted "; NULL: none). */
struct json *view_history(struct db *db, const struct json *lines, bool internal,
                          const char *hidden);

#endif
