#include "net/origin.h"

#include "net/conn.h"
#include "net/door.h"
#include "net/request.h"

#include <string.h>
#include <strings.h>

static bool trusted(const struct http_config *c, const struct address *a)
{
    for (size_t i = 0; i < c->trusted_count; i++)
        if (network_has(&c->trusted[i], a))
            return true;
    return false;
}

/* The last address of X-Forwarded-For that is no trusted proxy: each proxy adds whom it saw. */
static void forwarded(const struct request *r, struct address *ret)
{
    const char *list = head_header(&r->head, "x-forwarded-for");
    char one[64];

    for (const char *end = list ? list + strlen(list) : NULL; end && end > list;) {
        const char *begin = end;
        while (begin > list && begin[-1] != ',')
            begin--;
        const char *p = begin + strspn(begin, " \t");
        size_t n = 0;
        while (p + n < end && p[n] != ' ' && p[n] != '\t' && n < sizeof one - 1)
            n++;
        memcpy(one, p, n);
        one[n] = 0;
        if (!address_parse(one, ret) || !trusted(r->config, ret))
            return; /* whose it is, or as far back as it can be read */
        end = begin > list ? begin - 1 : list;
    }
}

void origin_read(struct request *r)
{
    struct address a = *guest_address(r->guest);
    const char *proto = head_header(&r->head, "x-forwarded-proto");

    r->https = conn_is_tls(guest_conn(r->guest));
    if (guest_is_proxy(r->guest)) {
        struct address said = a;
        forwarded(r, &said);
        a = said;
        r->https = r->https || (proto && !strcasecmp(proto, "https"));
    }
    address_format(&a, r->ip);
    network_of_client(&a, r->network);
}
