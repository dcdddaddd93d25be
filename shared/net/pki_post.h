/* One HTTPS request to a site that is known only by the fingerprint of its authority: how a new
 * site enrols. Waits; for a command, not for the loop. */
#ifndef NET_PKI_POST_H
#define NET_PKI_POST_H

#include "base/buf.h"
#include "base/err.h"

/* POST body (JSON) to url + path, "https://host:port". The server's chain must end at a self-signed
 * authority whose SHA-256 begins with fingerprint32 (32 hex digits). ERR_DENIED: another authority
 * answers there; ERR_IO: nobody answers within 20 s. *ret_status and answer are set on OK. */
MUST_USE enum err pki_post(const char *url, const char *path, const char *fingerprint32,
                           const char *body, size_t body_len, int *ret_status, struct buf *answer,
                           struct errmsg *e);

/* "https://host:port" -> host and port. ERR_INVALID. */
MUST_USE enum err pki_parse_url(const char *url, char *host, size_t host_cap, int *ret_port,
                                struct errmsg *e);

#endif
