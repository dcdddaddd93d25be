/* What a file is, by what it holds, never by its name. */
#ifndef CASEWORK_FILETYPE_H
#define CASEWORK_FILETYPE_H

#include <stddef.h>

#define FILETYPE_HEAD_BYTES 12

/* "image/jpeg", "image/png", "image/webp", "application/pdf", or NULL; head: the first bytes. */
const char *filetype_of(const unsigned char *head, size_t n);

#endif
