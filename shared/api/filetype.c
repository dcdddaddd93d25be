/* Signatures of the kinds of file that are handed in as papers. */
#include "api/filetype.h"

#include <string.h>

static const struct {
    size_t at, len;
    const char *bytes;
    const char *type;
} signatures[] = {
    {0, 3, "\xff\xd8\xff", "image/jpeg"},
    {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
    {0, 5, "%PDF-", "application/pdf"},
    {8, 4, "WEBP", "image/webp"},
    {4, 8, "ftypheic", "image/heic"},
    {4, 8, "ftypheix", "image/heic"},
    {4, 8, "ftypmif1", "image/heif"},
    {0, 4, "II*\0", "image/tiff"},
    {0, 4, "MM\0*", "image/tiff"},
    {0, 4, "PK\x03\x04", "application/zip"},
};

const char *filetype_sniff(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
        if (n >= signatures[i].at + signatures[i].len &&
            !memcmp(p + signatures[i].at, signatures[i].bytes, signatures[i].len))
            return signatures[i].type;
    return NULL;
}
