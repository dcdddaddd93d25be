#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_parse(const char *text, struct address *ret)
{
    char plain[64];
    struct in_addr four;
    size_t n = strlen(text);

    if (n >= 2 && text[0] == '[' && text[n - 1] == ']' && n - 2 < sizeof plain) {
        memcpy(plain, text + 1, n - 2);
        plain[n - 2] = 0;
        return inet_pton(AF_INET6, plain, ret->bytes) == 1;
    }
    if (inet_pton(AF_INET, text, &four) == 1) {
        memcpy(ret->bytes, v4_prefix, 12);
        memcpy(ret->bytes + 12, &four, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, ret->bytes) == 1;
}

bool address_is_v4(const struct address *a)
{
    return !memcmp(a->bytes, v4_prefix, 12);
}

void address_format(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
    out[0] = 0;
    if (address_is_v4(a))
        (void)inet_ntop(AF_INET, a->bytes + 12, out, ADDRESS_TEXT_MAX);
    else
        (void)inet_ntop(AF_INET6, a->bytes, out, ADDRESS_TEXT_MAX);
}

bool address_of(const struct sockaddr *sa, struct address *ret)
{
    if (sa->sa_family == AF_INET) {
        memcpy(ret->bytes, v4_prefix, 12);
        memcpy(ret->bytes + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(ret->bytes, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
        return true;
    }
    return false;
}

static bool same_bits(const struct address *a, const struct address *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    unsigned mask = rest ? 0xffu << (8 - rest) & 0xff : 0;

    return !memcmp(a->bytes, b->bytes, (size_t)whole) &&
           (!rest || (a->bytes[whole] & mask) == (b->bytes[whole] & mask));
}

static void clear_after(struct address *a, int bits)
{
    for (int i = bits; i < 128; i++)
        a->bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

bool network_parse(const char *text, struct network *ret)
{
    char host[64];
    size_t n = strcspn(text, "/");
    struct address cleared;

    if (n >= sizeof host)
        return false;
    memcpy(host, text, n);
    host[n] = 0;
    if (!address_parse(host, &ret->base))
        return false;
    int most = address_is_v4(&ret->base) ? 32 : 128;
    long bits = most;
    if (text[n] == '/') {
        const char *digits = text + n + 1;
        if (!digits[0] || strlen(digits) > 3 || strspn(digits, "0123456789") != strlen(digits))
            return false;
        bits = strtol(digits, NULL, 10);
        if (bits > most)
            return false;
    }
    ret->bits = (int)bits + 128 - most;
    cleared = ret->base;
    clear_after(&cleared, ret->bits);
    return !memcmp(&cleared, &ret->base, sizeof cleared);
}

bool network_has(const struct network *n, const struct address *a)
{
    return same_bits(&n->base, a, n->bits);
}

void network_of_client(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
    struct address cleared = *a;

    if (!address_is_v4(a))
        clear_after(&cleared, 64);
    address_format(&cleared, out);
}

/* ---- what is asked to listen on ---------------------------------------------------------------*/

static enum err look_up(const char *host, const char *port, struct sockaddr_storage *ret,
                        socklen_t *ret_len, struct errmsg *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL, *chosen;
    int rc = getaddrinfo(host, port, &hints, &list);

    if (rc || !list) {
        errmsg_set(e, "the name \"%s\" has no address: %s", host, gai_strerror(rc));
        return ERR_INVALID;
    }
    for (chosen = list; chosen && chosen->ai_family != AF_INET; chosen = chosen->ai_next)
        ;
    if (!chosen)
        chosen = list;
    memcpy(ret, chosen->ai_addr, chosen->ai_addrlen);
    *ret_len = chosen->ai_addrlen;
    freeaddrinfo(list);
    return OK;
}

enum err address_resolve(const char *text, const char *option, struct sockaddr_storage *ret,
                         socklen_t *ret_len, struct errmsg *e)
{
    const char *colon = strrchr(text, ':');
    char host[256];
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (!colon || !n || n >= sizeof host || !digits || digits > 5 || colon[1 + digits] ||
        strtol(colon + 1, NULL, 10) > 65535 || (!bracketed && memchr(text, ':', n))) {
        errmsg_set(e,
                   "%s must be ADDRESS:PORT, as in 127.0.0.1:8400, [::1]:8400 or localhost:8400; "
                   "found \"%s\"",
                   option, text);
        return ERR_INVALID;
    }
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? n - 2 : n), text + bracketed);
    enum err err = look_up(host, colon + 1, ret, ret_len, e);
    if (err != OK)
        errmsg_wrap(e, "%s %s", option, text);
    return err;
}
