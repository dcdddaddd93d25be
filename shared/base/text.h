/* Small things about texts that every floor needs. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Copy src (NULL: "") into the array dst; what does not fit is cut. */
#define COPY_TEXT(dst, src) ((void)snprintf((dst), sizeof(dst), "%s", (src) ? (src) : ""))

/* s, or `other` where there is none. */
static inline const char *text_or(const char *s, const char *other)
{
    return s ? s : other;
}

/* Are both there and equal? */
static inline bool text_is(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/**
 * word_in(list, word):
 * Is ${word} one of the words of ${list}?
 *
 * Shapes  Words are parted by single blanks, with a blank at each end of the list: " agent clerk ".
 *         NULL and "" are in no list; nor is a word with a blank in it.
 */
static inline bool word_in(const char *list, const char *word)
{
    size_t n = word ? strlen(word) : 0;

    if (!n || !list || strchr(word, ' '))
        return false;
    for (const char *at = list; (at = strstr(at, word)); at++)
        if (at > list && at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

#endif
