/* Digests, signatures, passwords and the text forms of bytes. The only room of OpenSSL's primitives
 * (TLS lives in net/). A primitive that fails is a broken installation: the process ends. All of it
 * may be called by any thread. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A running SHA-256. final() may be called once, and nothing after it but destroy(); clone() copies
 * the state so far into another one. */
struct sha256;
struct sha256 *sha256_create(void);
void sha256_update(struct sha256 *s, const void *p, size_t n);
void sha256_final(struct sha256 *s, unsigned char out[32]);
struct sha256 *sha256_clone(const struct sha256 *s);
void sha256_destroy(struct sha256 *s);                              /* NULL is allowed */
void crypto_sha256(const void *p, size_t n, unsigned char out[32]); /* of n bytes at once */
/* Of several pieces list[0 .. count), one behind the other. */
struct bytes {
    const void *p; /* may be NULL when n is 0 */
    size_t n;      /* how many */
};
void crypto_sha256_of(const struct bytes *list, int count, unsigned char out[32]);

/* A running SHA-1, for the checksum extension of tus only (which every server must offer): it
 * guards a piece of an upload against a bad line, not against malice. final() may be called once.
 */
struct sha1;
struct sha1 *sha1_create(void);
void sha1_update(struct sha1 *s, const void *p, size_t n);
void sha1_final(struct sha1 *s, unsigned char out[20]);
void sha1_destroy(struct sha1 *s); /* NULL is allowed */

/* Lower-case hex of n bytes: out holds 2n + 1 characters. */
void hex_encode(const void *p, size_t n, char *out);
/* Exactly 2n hex digits of either case and the end of the text into n bytes; else false, and out
 * may be written in part. NULL: false. */
bool hex_decode(const char *text, void *out, size_t n);

/* base64url without padding, appended to out. Decoding takes n characters and refuses any other and
 * stray bits: then false, and out is as it was. */
void base64url_encode(const void *p, size_t n, struct buf *out);
bool base64url_decode(const char *text, size_t n, struct buf *out);
/* Ordinary base64 with padding (the tus protocol's headers), with the same promises. */
bool base64_decode(const char *text, size_t n, struct buf *out);

/* n bytes, at most 1 MiB, of the system's randomness: for keys too. */
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
/* Are n bytes the same? Takes as long either way. */
bool crypto_equal(const void *a, const void *b, size_t n);

#endif
