/* A chunked body, RFC 9112 7.1, as it comes from the socket. Pure. */
#ifndef NET_CHUNKED_H
#define NET_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

/* Zero is the beginning of a body. */
struct chunked {
    enum {
        CHUNKED_SIZE,
        CHUNKED_DATA,
        CHUNKED_DATA_END,
        CHUNKED_TRAILER,
        CHUNKED_DONE
    } state;         /* what the next byte is of */
    uint64_t left;   /* of this chunk */
    unsigned digits; /* of its size so far */
    unsigned line;   /* bytes of the line that is being read */
    int extension;   /* the rest of the size's line counts for nothing */
};

enum chunked_got {
    CHUNKED_MORE, /* all of it is taken, and more must come */
    CHUNKED_BODY, /* *ret_len bytes of the body at *ret_body */
    CHUNKED_END,  /* the body is whole; what is left belongs to the next request */
    CHUNKED_BAD,  /* this is no chunked body */
};

/* Go on at p[0 .. n). *ret_used bytes were taken; call again with the rest after CHUNKED_BODY.
 * *ret_body points into p. Trailers are dropped. */
enum chunked_got chunked_next(struct chunked *c, const char *p, size_t n, size_t *ret_used,
                              const char **ret_body, size_t *ret_len);

#endif
