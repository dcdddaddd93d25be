/* A client's frame, RFC 6455 5.2 and 5.3: all that a client sends is masked. The library does it
 * byte by byte, which was the largest single cost of sending papers: 2.5 ms for a megabyte. */
#include "net/inside.h"

#include "base/crypto.h"

#include <stdint.h>
#include <string.h>

_Static_assert(LWS_PRE >= WS_FRAME_HEADER_MAX, "a message has no room for its header");

static size_t put_length(unsigned char *h, size_t n)
{
    int bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;

    h[1] = (unsigned char)(0x80 | (bytes ? bytes == 2 ? 126 : 127 : n));
    for (int i = 0; i < bytes; i++)
        h[2 + i] = (unsigned char)((uint64_t)n >> (8 * (bytes - 1 - i)));
    return 2 + (size_t)bytes;
}

static void mask(unsigned char *p, size_t n, const unsigned char key[4])
{
    uint64_t k, x;
    size_t i = 0;

    memcpy(&k, key, 4);
    memcpy((unsigned char *)&k + 4, key, 4);
    for (; i + 8 <= n; i += 8) {
        memcpy(&x, p + i, 8);
        x ^= k;
        memcpy(p + i, &x, 8);
    }
    for (; i < n; i++)
        p[i] ^= key[i % 4];
}

size_t ws_frame(unsigned char *payload, size_t n, bool binary)
{
    unsigned char h[WS_FRAME_HEADER_MAX];
    size_t len = put_length(h, n);

    h[0] = binary ? 0x82 : 0x81; /* whole, not a fragment */
    crypto_random(h + len, 4);
    mask(payload, n, h + len);
    memcpy(payload - len - 4, h, len + 4);
    return len + 4;
}
