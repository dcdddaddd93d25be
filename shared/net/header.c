/* Which headers this program reads, and how each is had from the library. */
#include "base/mem.h"
#include "net/inside.h"

#include <string.h>

static const struct {
    const char *name;
    int token; /* -1: the library keeps it as a custom header */
} known[] = {
    {"host", WSI_TOKEN_HOST},
    {"origin", WSI_TOKEN_ORIGIN},
    {"authorization", WSI_TOKEN_HTTP_AUTHORIZATION},
    {"cookie", WSI_TOKEN_HTTP_COOKIE},
    {"accept-language", WSI_TOKEN_HTTP_ACCEPT_LANGUAGE},
    {"accept-encoding", WSI_TOKEN_HTTP_ACCEPT_ENCODING},
    {"content-length", WSI_TOKEN_HTTP_CONTENT_LENGTH},
    {"content-type", WSI_TOKEN_HTTP_CONTENT_TYPE},
    {"if-match", WSI_TOKEN_HTTP_IF_MATCH},
    {"if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH},
    {"range", WSI_TOKEN_HTTP_RANGE},
    {"transfer-encoding", WSI_TOKEN_HTTP_TRANSFER_ENCODING},
};

bool header_read(struct lws *wsi, const char *name, struct buf *out)
{
    char text[8192], with_colon[64];
    int n = -1;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(known[i].name, name)) {
            if (!lws_hdr_total_length(wsi, (enum lws_token_indexes)known[i].token))
                return false;
            n = lws_hdr_copy(wsi, text, sizeof text, (enum lws_token_indexes)known[i].token);
            goto got;
        }
    size_t len = strlen(name);
    if (len + 2 > sizeof with_colon)
        return false;
    memcpy(with_colon, name, len);
    memcpy(with_colon + len, ":", 2);
    n = lws_hdr_custom_length(wsi, with_colon, (int)len + 1);
    if (n < 0 || n >= (int)sizeof text)
        return false;
    n = lws_hdr_custom_copy(wsi, text, sizeof text, with_colon, (int)len + 1);
got:
    if (n < 0)
        return false;
    buf_append(out, text, (size_t)n);
    return true;
}
