#include "catalogue/filetype.h"

#include <string.h>

const char *filetype_of(const unsigned char *head, size_t n)
{
    if (n >= 3 && !memcmp(head, "\xff\xd8\xff", 3))
        return "image/jpeg";
    if (n >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8))
        return "image/png";
    if (n >= 12 && !memcmp(head, "RIFF", 4) && !memcmp(head + 8, "WEBP", 4))
        return "image/webp";
    if (n >= 5 && !memcmp(head, "%PDF-", 5))
        return "application/pdf";
    return NULL;
}
