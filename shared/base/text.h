/* Small things about texts that every floor needs. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Copy src (NULL: "") into dst, which has room for cap bytes, 1 or more; what does not fit is cut. */
static inline void text_copy(char *dst, size_t cap, const char *src)
{
    size_t n = src ? strnlen(src, cap - 1) : 0;

    if (n)
        memmove(dst, src, n);
    dst[n] = 0;
}

/* The same into an array. */
#define COPY_TEXT(dst, src) text_copy((dst), sizeof(dst), (src))

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
