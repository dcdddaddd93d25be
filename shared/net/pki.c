/* X.509 by OpenSSL. With base/crypto.c the only file that knows it. */
#include "net/pki.h"

#include "base/crypto.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CA_DAYS (20 * 365)
#define BACKDATE_S (24 * 3600) /* a site whose clock is behind can still use it */

static enum err failed(struct errmsg *e, const char *what, enum err err)
{
    char text[160] = "no reason given";
    unsigned long code = ERR_get_error();

    if (code)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    errmsg_set(e, "%s: %s", what, text);
    return err;
}

static void take_bio(BIO *bio, struct buf *out)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);

    buf_append(out, p, (size_t)n);
    BIO_free(bio);
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return key;
}

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return cert;
}

void pki_new_key(struct buf *ret_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());

    if (!key || !bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        abort();
    take_bio(bio, ret_key);
    EVP_PKEY_free(key);
}

static bool set_name(X509_NAME *name, const char *cn)
{
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
                                      0) == 1;
}

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *x;
    bool good;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = x && X509_add_ext(cert, x, -1) == 1;
    X509_EXTENSION_free(x);
    return good;
}

/* A certificate with everything but its extensions and signature. */
static X509 *blank(const char *cn, X509_NAME *issuer, EVP_PKEY *key, int days)
{
    X509 *cert = X509_new();
    unsigned char serial[16];
    BIGNUM *number;

    if (!cert || RAND_bytes(serial, sizeof serial) != 1)
        abort();
    serial[0] &= 0x7f;
    number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    if (X509_set_version(cert, X509_VERSION_3) != 1 || !set_name(X509_get_subject_name(cert), cn) ||
        X509_set_issuer_name(cert, issuer ? issuer : X509_get_subject_name(cert)) != 1 ||
        !X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_S) ||
        !X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * 24 * 3600) ||
        X509_set_pubkey(cert, key) != 1)
        abort();
    return cert;
}

static void write_cert(X509 *cert, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || PEM_write_bio_X509(bio, cert) != 1)
        abort();
    take_bio(bio, out);
}

enum err pki_new_ca(const char *key_pem, const char *cn, struct buf *ret_cert, struct errmsg *e)
{
    EVP_PKEY *key = read_key(key_pem);
    X509 *cert;
    enum err err = OK;

    if (!key)
        return failed(e, "read the private key", ERR_CORRUPT);
    cert = blank(cn, NULL, key, CA_DAYS);
    if (!extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:1") ||
        !extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature") ||
        !extend(cert, cert, NID_subject_key_identifier, "hash") ||
        !X509_sign(cert, key, EVP_sha256()))
        err = failed(e, "make the authority", ERR_INVALID);
    else
        write_cert(cert, ret_cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    return err;
}

enum err pki_request(const char *key_pem, const char *cn, struct buf *ret_csr, struct errmsg *e)
{
    EVP_PKEY *key = read_key(key_pem);
    X509_REQ *req = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    enum err err = OK;

    if (!key || !set_name(X509_REQ_get_subject_name(req), cn) ||
        X509_REQ_set_pubkey(req, key) != 1 || !X509_REQ_sign(req, key, EVP_sha256()) ||
        PEM_write_bio_X509_REQ(bio, req) != 1)
        err = failed(e, "make the request", ERR_CORRUPT);
    if (err == OK)
        take_bio(bio, ret_csr);
    else
        BIO_free(bio);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    return err;
}

static X509_REQ *read_request(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

    BIO_free(bio);
    if (req && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1) {
        X509_REQ_free(req);
        req = NULL;
    }
    return req;
}

static bool extend_issued(X509 *cert, X509 *ca, const struct pki_issue *in)
{
    return extend(cert, ca, NID_basic_constraints,
                  in->is_ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           extend(cert, ca, NID_key_usage,
                  in->is_ca ? "critical,keyCertSign,cRLSign,digitalSignature"
                            : "critical,digitalSignature") &&
           extend(cert, ca, NID_ext_key_usage, "serverAuth,clientAuth") &&
           extend(cert, ca, NID_subject_key_identifier, "hash") &&
           extend(cert, ca, NID_authority_key_identifier, "keyid:always") &&
           (!in->san || extend(cert, ca, NID_subject_alt_name, in->san));
}

enum err pki_issue(const struct pki_issue *in, struct buf *ret_cert, struct errmsg *e)
{
    EVP_PKEY *ca_key = read_key(in->ca_key);
    X509 *ca = read_cert(in->ca_cert), *cert = NULL;
    X509_REQ *req = read_request(in->csr);
    enum err err = OK;

    if (!ca_key || !ca) {
        err = failed(e, "read the authority's key and certificate", ERR_CORRUPT);
    } else if (!req) {
        err = failed(e, "read the request for a certificate", ERR_INVALID);
    } else {
        cert = blank(in->cn, X509_get_subject_name(ca), X509_REQ_get0_pubkey(req), in->days);
        if (!extend_issued(cert, ca, in) || !X509_sign(cert, ca_key, EVP_sha256()))
            err = failed(e, "issue the certificate", ERR_INVALID);
        else
            write_cert(cert, ret_cert);
    }
    X509_free(cert);
    X509_free(ca);
    X509_REQ_free(req);
    EVP_PKEY_free(ca_key);
    return err;
}

static STACK_OF(X509) * read_chain(const char *pem)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert;

    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(chain, cert);
    ERR_clear_error(); /* the end of the text is not a fault */
    BIO_free(bio);
    return chain;
}

enum err pki_check(const char *cert_pem, const char *chain_pem, const char *root_pem,
                   struct errmsg *e)
{
    X509 *cert = read_cert(cert_pem), *root = read_cert(root_pem);
    STACK_OF(X509) *chain = read_chain(chain_pem);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    enum err err = OK;

    if (!cert || !root || X509_STORE_add_cert(store, root) != 1 ||
        X509_STORE_CTX_init(ctx, store, cert, chain) != 1) {
        err = failed(e, "read the certificates", ERR_INVALID);
    } else if (X509_verify_cert(ctx) != 1) {
        errmsg_set(e, "the certificate is not trusted: %s",
                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
        ERR_clear_error();
        err = ERR_DENIED;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(chain, X509_free);
    X509_free(cert);
    X509_free(root);
    return err;
}

static bool print_of(const X509 *cert, char out[65])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    out[0] = 0;
    if (!cert || X509_digest(cert, EVP_sha256(), hash, &n) != 1 || n != 32)
        return false;
    hex_encode(hash, 32, out);
    return true;
}

enum err pki_fingerprint(const char *cert_pem, char out[65], struct errmsg *e)
{
    X509 *cert = read_cert(cert_pem);
    bool done = print_of(cert, out);

    X509_free(cert);
    return done ? OK : failed(e, "read the certificate", ERR_INVALID);
}

bool pki_peer_fingerprint(void *ssl, char out[65])
{
    X509 *cert = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
    bool done = print_of(cert, out);

    X509_free(cert);
    return done;
}

enum err pki_common_name(const char *cert_pem, char *out, size_t cap, struct errmsg *e)
{
    X509 *cert = read_cert(cert_pem);
    int n =
        cert ? X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, (int)cap)
             : -1;

    X509_free(cert);
    return n > 0 && (size_t)n < cap ? OK : failed(e, "read the common name", ERR_INVALID);
}

void pki_settle(void *ssl_ctx)
{
    SSL_CTX *ctx = ssl_ctx;

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

const char *pki_why(void *ssl)
{
    long found = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;

    return found == X509_V_OK ? NULL : X509_verify_cert_error_string(found);
}
