/* One cleaning for every text that comes from outside. Pure. */
#ifndef BASE_CLEAN_H
#define BASE_CLEAN_H

#include "base/buf.h"

#include <stdbool.h>

enum clean_kind {
    CLEAN_LINE,   /* a name, an address: one line */
    CLEAN_LINES,  /* what somebody wrote: line breaks and tabs may be in it */
    CLEAN_NUMBER, /* a telephone or identity number: blanks and marks between its places count for
                    nothing */
};

enum clean_fault {
    CLEAN_GOOD,
    CLEAN_NOT_UTF8,
    CLEAN_CONTROL, /* a control character; a line break where there is one line */
    CLEAN_TURNED,  /* a character that turns the direction of what follows (U+202A to U+202E, U+2066
                     to U+2069): what is read would not be what is stored */
};

/**
 * clean_text(kind, text, out):
 * Append ${text} to ${out} as it is stored.
 *
 * Shapes  Blanks of Unicode (no-break, ideographic ...) become the ordinary one; blanks at both
 *         ends go; characters that show nothing (zero width, soft hyphen, fillers, direction
 *         marks) go, but for variation selectors, which belong to the character before them: so a
 *         text in which nothing can be seen becomes "". CR LF and CR become LF. CLEAN_NUMBER: all
 *         blanks and direction changes go too.
 *         Composition (NFC) is left as it came: this program has no table for it, and what
 *         keyboards for Chinese make is composed.
 * Errors  Another fault than CLEAN_GOOD: out holds no promise beyond its old length.
 */
enum clean_fault clean_text(enum clean_kind kind, const char *text, struct buf *out);

/* The same as SQL's LIKE with ESCAPE '\' takes it: every character stands for itself. */
void clean_like(const char *text, struct buf *out);

#endif
