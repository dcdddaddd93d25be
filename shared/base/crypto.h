/* Digests, signatures, passwords and the two text forms of bytes. The only room of OpenSSL's
 * primitives (TLS lives in net/). A primitive that fails is a broken build: the process ends. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A running SHA-256. final() may be called once; clone() copies the state so far. */
struct sha256;
struct sha256 *sha256_create(void);
void sha256_update(struct sha256 *s, const void *p, size_t n);
void sha256_final(struct sha256 *s, unsigned char out[32]);
struct sha256 *sha256_clone(const struct sha256 *s);
void sha256_destroy(struct sha256 *s); /* NULL is allowed */
void crypto_sha256(const void *p, size_t n, unsigned char out[32]);
/* Of several pieces, one behind the other. */
struct bytes {
    const void *p; /* may be NULL when n is 0 */
    size_t n;
};
void crypto_sha256_of(const struct bytes *list, int count, unsigned char out[32]);

/* Lower-case hex of n bytes: out holds 2n + 1 characters. */
void hex_encode(const void *p, size_t n, char *out);
/* Exactly 2n hex digits and the end of the text, else false. */
bool hex_decode(const char *text, void *out, size_t n);

/* base64url without padding, appended to out. Decoding refuses any other character and stray bits.
 */
void base64url_encode(const void *p, size_t n, struct buf *out);
bool base64url_decode(const char *text, size_t n, struct buf *out);
/* Ordinary base64 with padding (the tus protocol's headers). */
bool base64_decode(const char *text, size_t n, struct buf *out);

void crypto_random(void *p, size_t n);

/* Ed25519. The seed is the secret key. */
void crypto_keypair(unsigned char seed[32], unsigned char pub[32]); /* a new pair */
void crypto_public(const unsigned char seed[32], unsigned char pub[32]);
void crypto_sign(const unsigned char seed[32], const void *msg, size_t n, unsigned char sig[64]);
bool crypto_verify(const unsigned char pub[32], const void *msg, size_t n,
                   const unsigned char sig[64]);

/* scrypt N=16384 r=8 p=1: about 50 ms and 16 MiB. */
void crypto_scrypt(const char *password, const unsigned char salt[16], unsigned char out[32]);
/* HMAC-SHA-256. */
void crypto_hmac(const void *key, size_t key_len, const void *p, size_t n, unsigned char out[32]);
/* Constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);

#endif
