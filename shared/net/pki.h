/* The certificates of the tree: the district is the authority, a street signs for its communities,
 * every site's common name is its 12-digit code. P-256 keys; everything as PEM text. */
#ifndef NET_PKI_H
#define NET_PKI_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* A new private key, PKCS 8. */
void pki_new_key(struct buf *ret_key);

/* A self-signed authority named cn, for 20 years. */
MUST_USE enum err pki_new_ca(const char *key, const char *cn, struct buf *ret_cert,
                             struct errmsg *e);

/* A request for a certificate of cn, signed by its own key. */
MUST_USE enum err pki_request(const char *key, const char *cn, struct buf *ret_csr,
                              struct errmsg *e);

struct pki_issue {
    /* PEM: who signs, and what is asked for */
    const char *ca_key, *ca_cert;
    const char *csr;
    const char *cn;  /* what it is issued for; the name in the request counts for nothing */
    bool is_ca;      /* it may sign certificates of end sites (a street) */
    const char *san; /* "DNS:localhost,IP:127.0.0.1,URI:urn:doorstep:site:331002003000" */
    int days;        /* from now */
};

/* ERR_INVALID: the request is not one, or its own signature is wrong. */
MUST_USE enum err pki_issue(const struct pki_issue *in, struct buf *ret_cert, struct errmsg *e);

/* Does cert, by way of the intermediate certificates in chain (may be ""), end at root, now?
 * ERR_DENIED: e says why, as OpenSSL puts it. */
MUST_USE enum err pki_check(const char *cert, const char *chain, const char *root,
                            struct errmsg *e);

/* SHA-256 of the certificate, 64 hex digits. */
MUST_USE enum err pki_fingerprint(const char *cert, char out[65], struct errmsg *e);
MUST_USE enum err pki_common_name(const char *cert, char *out, size_t cap, struct errmsg *e);

/* What a listening SSL_CTX does otherwise than it would: no sessions to take up again (our clients
 * keep none, and each costs two tickets at the handshake and the client's certificates in memory),
 * no buffers while a connection is idle. */
void pki_settle(void *ssl_ctx);

/* Likewise of the certificate that the other side of this SSL has shown; out is "" and the answer
 * false when it has shown none. */
bool pki_peer_fingerprint(void *ssl, char out[65]);

/* What was found wrong with the certificate of the other side of this SSL, or NULL. */
const char *pki_why(void *ssl);

#endif
