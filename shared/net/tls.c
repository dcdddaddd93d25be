/* The settings of OpenSSL that the library has no word for. */
#include "net/inside.h"

#include <openssl/ssl.h>

/* No sessions to take up again: our clients keep none, and each would cost two tickets at the handshake, and the
 * client's certificates in memory. Buffers go while a connection is idle. */
void tls_settle(void *ssl_ctx)
{
    SSL_CTX *ctx = ssl_ctx;

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}
