/* One cleaning for every text that comes from outside. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>

enum text_kind {
    TEXT_LINE,   /* a name, an address: one line */
    TEXT_LINES,  /* what somebody wrote: line breaks and tabs may be in it */
    TEXT_NUMBER, /* a telephone or identity number: blanks and marks between its places count for
                    nothing */
};

enum text_fault {
    TEXT_GOOD,
    TEXT_NOT_UTF8,
    TEXT_CONTROL, /* a control character; a line break where there is one line */
    TEXT_TURNED,  /* a character that turns the direction of what follows (U+202A to U+202E, U+2066
                     to U+2069): what is read would not be what is stored */
};

/**
 * text_clean(kind, text, out):
 * Append ${text} to ${out} as it is stored.
 *
 * Shapes  Blanks of Unicode (no-break, ideographic ...) become the ordinary one; blanks at both
 *         ends go; characters that show nothing (zero width, soft hyphen, fillers, direction
 *         marks) go, but for variation selectors, which belong to the character before them: so a
 *         text in which nothing can be seen becomes "". CR LF and CR become LF. TEXT_NUMBER: all
 *         blanks and direction changes go too.
 *         Composition (NFC) is left as it came: this program has no table for it, and what
 *         keyboards for Chinese make is composed.
 * Errors  Another fault than TEXT_GOOD: out holds no promise beyond its old length.
 */
enum text_fault text_clean(enum text_kind kind, const char *text, struct buf *out);

/* The same as SQL's LIKE with ESCAPE '\' takes it: every character stands for itself. */
void text_like(const char *text, struct buf *out);

#endif
