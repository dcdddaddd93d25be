/* A small HTTPS client on OpenSSL's own sockets. The certificate is checked against the fingerprint
 * in the invitation before one byte of the request is written. */
#include "net/pki_post.h"

#include "net/pki.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_BYTES_MAX (1 << 20)

enum err pki_parse_url(const char *url, char *host, size_t host_cap, int *ret_port,
                       struct errmsg *e)
{
    const char *at = strncmp(url, "https://", 8) ? NULL : url + 8;
    const char *colon = at ? strrchr(at, ':') : NULL;
    size_t n = colon ? (size_t)(colon - at) : 0;
    char *end;

    if (colon && n && n < host_cap) {
        long port = strtol(colon + 1, &end, 10);
        if (port > 0 && port < 65536 && (!*end || !strcmp(end, "/"))) {
            snprintf(host, host_cap, "%.*s", (int)n, at);
            *ret_port = (int)port;
            return OK;
        }
    }
    errmsg_set(e, "the parent's address must look like https://HOST:PORT; found \"%s\"", url);
    return ERR_INVALID;
}

static void pem_of(X509 *x, struct buf *out)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p;

    PEM_write_bio_X509(b, x);
    long n = BIO_get_mem_data(b, &p);
    buf_append(out, p, (size_t)n);
    BIO_free(b);
}

static enum err check_peer(SSL *ssl, const char *fingerprint32, struct errmsg *e)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    struct buf leaf = {0}, between = {0}, root = {0};
    char print[65] = "";
    enum err err = ERR_DENIED;
    int n = chain ? sk_X509_num(chain) : 0;

    errmsg_set(e, "the site that answers shows no authority; the invitation is for another one");
    for (int i = 0; i < n; i++)
        pem_of(sk_X509_value(chain, i), i == 0 ? &leaf : i == n - 1 ? &root : &between);
    if (n == 1)
        pem_of(sk_X509_value(chain, 0), &root);
    if (n && (err = pki_fingerprint(buf_text(&root), print, e)) == OK) {
        if (strncasecmp(print, fingerprint32, 32) || strlen(fingerprint32) != 32) {
            errmsg_set(e, "the site that answers belongs to another authority than the invitation");
            err = ERR_DENIED;
        } else {
            err = pki_check(buf_text(&leaf), buf_text(&between), buf_text(&root), e);
        }
    }
    buf_free(&leaf);
    buf_free(&between);
    buf_free(&root);
    return err;
}

static enum err parse_answer(struct buf *raw, int *ret_status, struct buf *answer, struct errmsg *e)
{
    char *text = buf_text(raw), *body = strstr(text, "\r\n\r\n");

    if (strncmp(text, "HTTP/1.", 7) || !body) {
        errmsg_set(e, "the parent's answer is not HTTP");
        return ERR_IO;
    }
    *ret_status = atoi(text + 9);
    buf_append(answer, body + 4, raw->len - (size_t)(body + 4 - text));
    return OK;
}

enum err pki_post(const char *url, const char *path, const char *fingerprint32, const char *body,
                  size_t body_len, int *ret_status, struct buf *answer, struct errmsg *e)
{
    char host[256], target[300];
    struct buf request = {0}, raw = {0};
    SSL_CTX *ctx = NULL;
    BIO *bio = NULL;
    SSL *ssl = NULL;
    int port, fd = -1;
    enum err err;

    if ((err = pki_parse_url(url, host, sizeof host, &port, e)) != OK)
        return err;
    snprintf(target, sizeof target, "%s:%d", host, port);
    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL); /* check_peer() does it, by the fingerprint */
    bio = BIO_new_ssl_connect(ctx);
    BIO_get_ssl(bio, &ssl);
    BIO_set_conn_hostname(bio, target);
    err = ERR_IO;
    if (BIO_do_connect(bio) <= 0) {
        errmsg_set(e, "no site answers at %s; is the parent running, and is the address right?",
                   url);
        goto done;
    }
    BIO_get_fd(bio, &fd);
    struct timeval wait = {20, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (BIO_do_handshake(bio) <= 0) {
        errmsg_set(e, "%s does not speak TLS as a parent does", url);
        goto done;
    }
    if ((err = check_peer(ssl, fingerprint32, e)) != OK)
        goto done;
    buf_printf(&request,
               "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\nConnection: close\r\n\r\n",
               path, target, body_len);
    buf_append(&request, body, body_len);
    err = ERR_IO;
    errmsg_set(e, "the parent at %s broke off", url);
    if (BIO_write(bio, request.data, (int)request.len) != (int)request.len)
        goto done;
    long want = -1;
    for (char piece[16384]; raw.len < ANSWER_BYTES_MAX;) {
        int n = BIO_read(bio, piece, sizeof piece);
        if (n <= 0)
            break;
        buf_append(&raw, piece, (size_t)n);
        const char *text = buf_text(&raw), *head = strstr(text, "\r\n\r\n"),
                   *cl = strcasestr(text, "\r\ncontent-length:");
        if (head && cl && cl < head)
            want = strtol(cl + 17, NULL, 10) + (head + 4 - text);
        if (want >= 0 && (long)raw.len >= want)
            break;
    }
    if (want >= 0 && (long)raw.len >= want)
        err = parse_answer(&raw, ret_status, answer, e);
done:
    BIO_free_all(bio);
    SSL_CTX_free(ctx);
    buf_free(&request);
    buf_free(&raw);
    ERR_clear_error();
    return err;
}
