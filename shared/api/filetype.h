/* What a file is, told from its first bytes and never from its name. */
#ifndef API_FILETYPE_H
#define API_FILETYPE_H

#include <stddef.h>

#define FILETYPE_HEAD_BYTES 64

/* The media type, or NULL for none that an office takes as a paper. */
const char *filetype_sniff(const unsigned char *p, size_t n);

#endif
