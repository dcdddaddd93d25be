#include "base/crypto.h"

#include "base/mem.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A primitive that is not there is a broken installation: nothing sensible can follow. */
static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "crypto: %s failed\n", what);
    abort();
}

/* ---- running digests --------------------------------------------------------------------------*/

/* One struct under two names, so that neither can be taken for the other. */
struct sha256 {
    EVP_MD_CTX *ctx;
};

struct sha1 {
    EVP_MD_CTX *ctx;
};

static EVP_MD_CTX *begin(const EVP_MD *md)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    must(ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1, "digest");
    return ctx;
}

static void take(EVP_MD_CTX *ctx, const void *p, size_t n)
{
    assert(p || !n);
    if (n)
        must(EVP_DigestUpdate(ctx, p, n) == 1, "digest");
}

static void end(EVP_MD_CTX *ctx, unsigned char *out, unsigned want)
{
    unsigned n = 0;

    must(EVP_DigestFinal_ex(ctx, out, &n) == 1, "digest");
    assert(n == want);
}

struct sha256 *sha256_create(void)
{
    struct sha256 *s = mem_alloc(sizeof *s);

    s->ctx = begin(EVP_sha256());
    return s;
}

void sha256_update(struct sha256 *s, const void *p, size_t n)
{
    take(s->ctx, p, n);
}

void sha256_final(struct sha256 *s, unsigned char out[32])
{
    end(s->ctx, out, 32);
}

struct sha256 *sha256_clone(const struct sha256 *s)
{
    struct sha256 *c = mem_alloc(sizeof *c);

    assert(s->ctx);
    c->ctx = EVP_MD_CTX_new();
    must(c->ctx && EVP_MD_CTX_copy_ex(c->ctx, s->ctx) == 1, "digest");
    return c;
}

void sha256_destroy(struct sha256 *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->ctx);
    mem_free(s);
}

struct sha1 *sha1_create(void)
{
    struct sha1 *s = mem_alloc(sizeof *s);

    s->ctx = begin(EVP_sha1());
    return s;
}

void sha1_update(struct sha1 *s, const void *p, size_t n)
{
    take(s->ctx, p, n);
}

void sha1_final(struct sha1 *s, unsigned char out[20])
{
    end(s->ctx, out, 20);
}

void sha1_destroy(struct sha1 *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->ctx);
    mem_free(s);
}

/* ---- digests of a whole -----------------------------------------------------------------------*/

/* Fetched once: looking the algorithm up costs as much as hashing an event. Never freed. Likewise
 * each thread keeps its context, which would be made of three pieces of memory each time; it goes
 * with the thread. */
static EVP_MD *md_sha256;
static pthread_key_t md_context;
static pthread_once_t md_once = PTHREAD_ONCE_INIT;

static void free_context(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void fetch_md(void)
{
    md_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(md_sha256 && !pthread_key_create(&md_context, free_context), "sha256");
}

static EVP_MD_CTX *thread_context(void)
{
    pthread_once(&md_once, fetch_md);
    EVP_MD_CTX *ctx = pthread_getspecific(md_context);
    if (!ctx) {
        ctx = EVP_MD_CTX_new();
        must(ctx && !pthread_setspecific(md_context, ctx), "sha256");
    }
    return ctx;
}

void crypto_sha256_of(const struct bytes *list, int count, unsigned char out[32])
{
    EVP_MD_CTX *ctx = thread_context();

    must(EVP_DigestInit_ex2(ctx, md_sha256, NULL) == 1, "sha256");
    for (int i = 0; i < count; i++)
        if (list[i].n)
            must(EVP_DigestUpdate(ctx, list[i].p, list[i].n) == 1, "sha256");
    must(EVP_DigestFinal_ex(ctx, out, NULL) == 1, "sha256");
}

void crypto_sha256(const void *p, size_t n, unsigned char out[32])
{
    const struct bytes one = {p, n};

    crypto_sha256_of(&one, 1, out);
}

void hex_encode(const void *p, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *b = p;

    assert(b || !n);
    for (size_t i = 0; i < n; i++) {
        *out++ = digit[b[i] >> 4];
        *out++ = digit[b[i] & 15];
    }
    *out = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, void *out, size_t n)
{
    unsigned char *b = out;

    if (!text || strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        b[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const void *p, size_t n, struct buf *out)
{
    const unsigned char *b = p;

    assert(b || !n);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16;
        if (i + 1 < n)
            v |= (uint32_t)b[i + 1] << 8;
        if (i + 2 < n)
            v |= b[i + 2];
        buf_putc(out, url_alphabet[v >> 18]);
        buf_putc(out, url_alphabet[v >> 12 & 63]);
        if (i + 1 < n)
            buf_putc(out, url_alphabet[v >> 6 & 63]);
        if (i + 2 < n)
            buf_putc(out, url_alphabet[v & 63]);
    }
}

static int sixbit(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == c62 ? 62 : c == c63 ? 63 : -1;
}

static bool decode64(const char *text, size_t n, char c62, char c63, struct buf *out)
{
    size_t start = out->len;
    uint32_t v = 0;
    int bits = 0;

    for (size_t i = 0; i < n; i++) {
        int six = sixbit(text[i], c62, c63);
        if (six < 0)
            goto fail;
        v = (v << 6 | (uint32_t)six) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_u8(out, v >> bits & 0xff);
        }
    }
    if (bits < 6 && !(v & ((1u << bits) - 1)))
        return true;
fail:
    out->len = start;
    return false;
}

bool base64url_decode(const char *text, size_t n, struct buf *out)
{
    return decode64(text, n, '-', '_', out);
}

bool base64_decode(const char *text, size_t n, struct buf *out)
{
    if (n % 4)
        return false;
    for (int pad = 0; pad < 2 && n && text[n - 1] == '='; pad++)
        n--;
    return decode64(text, n, '+', '/', out);
}

void crypto_random(void *p, size_t n)
{
    assert(n <= 1 << 20);
    must(RAND_bytes(p, (int)n) == 1, "random");
}

void crypto_public(const unsigned char seed[32], unsigned char pub[32])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    size_t n = 32;

    must(key && EVP_PKEY_get_raw_public_key(key, pub, &n) == 1, "ed25519 key");
    assert(n == 32);
    EVP_PKEY_free(key);
}

void crypto_keypair(unsigned char seed[32], unsigned char pub[32])
{
    crypto_random(seed, 32);
    crypto_public(seed, pub);
}

void crypto_sign(const unsigned char seed[32], const void *msg, size_t n, unsigned char sig[64])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;

    must(key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(ctx, sig, &len, n ? msg : (const void *)"", n) == 1 && len == 64,
         "ed25519 sign");
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
}

bool crypto_verify(const unsigned char pub[32], const void *msg, size_t n,
                   const unsigned char sig[64])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good;

    must(ctx != NULL, "ed25519 verify");
    good = key && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestVerify(ctx, sig, 64, n ? msg : (const void *)"", n) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}

void crypto_scrypt(const char *password, const unsigned char salt[16], unsigned char out[32])
{
    assert(password);
    must(EVP_PBE_scrypt(password, strlen(password), salt, 16, 16384, 8, 1, 64 << 20, out, 32) == 1,
         "scrypt");
}

void crypto_hmac(const void *key, size_t key_len, const void *p, size_t n, unsigned char out[32])
{
    unsigned len = 32;

    assert(key_len <= INT_MAX && (key || !key_len) && (p || !n));
    must(HMAC(EVP_sha256(), key_len ? key : "", (int)key_len, n ? p : (const void *)"", n, out,
              &len) != NULL,
         "hmac");
    assert(len == 32);
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
