/* Signatures of the simulated world. Every site here is honest and Ed25519 has its own tests, yet
 * it took a fifth of a seed's time; so a keyed digest stands in for it (linked by --wrap): a wrong
 * key, text or signature still fails. */
#include "base/crypto.h"

#include <string.h>

void __wrap_crypto_sign(const unsigned char seed[32], const void *msg, size_t n,
                        unsigned char sig[64]);
bool __wrap_crypto_verify(const unsigned char pub[32], const void *msg, size_t n,
                          const unsigned char sig[64]);

static void digest(const unsigned char pub[32], const void *msg, size_t n, unsigned char sig[64])
{
    crypto_hmac(pub, 32, msg, n, sig);
    crypto_hmac(sig, 32, pub, 32, sig + 32);
}

void __wrap_crypto_sign(const unsigned char seed[32], const void *msg, size_t n,
                        unsigned char sig[64])
{
    static struct {
        unsigned char seed[32], pub[32];
    } known[64]; /* sites are installed anew: the oldest goes */
    static unsigned at;
    unsigned i = 0;

    while (i < 64 && memcmp(known[i].seed, seed, 32))
        i++;
    if (i == 64) {
        i = at++ % 64;
        memcpy(known[i].seed, seed, 32);
        crypto_public(seed, known[i].pub);
    }
    digest(known[i].pub, msg, n, sig);
}

bool __wrap_crypto_verify(const unsigned char pub[32], const void *msg, size_t n,
                          const unsigned char sig[64])
{
    unsigned char right[64];

    digest(pub, msg, n, right);
    return !memcmp(right, sig, 64);
}
