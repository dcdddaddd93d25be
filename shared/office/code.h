/* The code on a receipt: with it a resident follows what is his, without an account. It is told once;
 * what is kept of it is a hash, in the personal part of the opening. */
#ifndef OFFICE_CODE_H
#define OFFICE_CODE_H

#include "base/host.h"

#include <stdbool.h>

#define CODE_LEN 6
#define CODE_HASH_LEN 22 /* 16 bytes, base64url */

/* A fresh one: digits and capitals, no I and no O. */
void code_make(const struct host *h, char out[CODE_LEN + 1]);
/* What is kept of it; another for each dossier. */
void code_hash(const char *id, const char *code, char out[CODE_HASH_LEN + 1]);
/* Is this the code whose hash is kept? Both may be NULL: then it is not. In constant time. */
bool code_fits(const char *id, const char *code, const char *hash);

#endif
