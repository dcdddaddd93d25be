/* What a call is told: its body, its query and the parts of its path, as one JSON object of clean
 * texts. */
#ifndef API_INPUT_H
#define API_INPUT_H

#include <stdbool.h>

struct work;

/**
 * input_read(w):
 * Set w->in from w->req: the body, over it what the call names of the query, over it the parts of
 * the path. Every text is cleaned (clean_text()): numbers of people and telephones as CLEAN_NUMBER,
 * what may have lines as CLEAN_LINES, passwords and tokens not at all, everything else as CLEAN_LINE.
 *
 * Errors  false, and w->problem says what: 415 another content type, 400 broken JSON, 422 no
 *         object, or a text with a control character or a turned direction, with its field.
 */
bool input_read(struct work *w);

#endif
