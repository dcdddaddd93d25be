/* What of a case is shown in more than one place. Private to this folder. What is made is the
 * caller's. */
#ifndef CASE_VIEW_H
#define CASE_VIEW_H

#include "dossiers/case/state.h"

/* The traffic light of its promise: none, green, yellow, red. */
const char *promise_light(int64_t promised_ms, int64_t completed_ms, const char *state,
                          int64_t now_ms);

/* internal: as the office's people read it, with notes and names; else as a resident. */
struct json *timeline_of(struct db *db, const struct json *lines, bool internal);
struct json *delivery_of(struct db *db, const struct case_state *s, bool internal);
struct json *certificate_of(const struct case_state *s);

/* The 404 of a case that is not there, or not for the caller. ERR_NOT_FOUND. */
enum err no_case(struct problem *p, const char *case_no);

#endif
