#include "office/code.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

void code_make(const struct host *h, char out[CODE_LEN + 1])
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    unsigned char raw[CODE_LEN];

    host_random(h, raw, sizeof raw);
    for (int i = 0; i < CODE_LEN; i++)
        out[i] = alphabet[raw[i] % (sizeof alphabet - 1)];
    out[CODE_LEN] = 0;
}

void code_hash(const char *id, const char *code, char out[CODE_HASH_LEN + 1])
{
    unsigned char sum[32];
    char text[160];
    struct buf b = {0};

    snprintf(text, sizeof text, "doorstep.query.2\n%.40s\n%.40s", id, code);
    crypto_sha256(text, strlen(text), sum);
    base64url_encode(sum, 16, &b);
    snprintf(out, CODE_HASH_LEN + 1, "%s", buf_text(&b));
    buf_free(&b);
}

bool code_fits(const char *id, const char *code, const char *hash)
{
    char given[CODE_HASH_LEN + 1];

    if (!code || !code[0] || !hash || strlen(hash) != CODE_HASH_LEN)
        return false;
    code_hash(id, code, given);
    return crypto_equal(given, hash, CODE_HASH_LEN);
}
