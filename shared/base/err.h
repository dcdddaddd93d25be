/* Errors: what went wrong (enum err) and the sentence for people (struct errmsg). */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* Each says whose fault it is: of the input, of the other side, or of the world. What is wrong with
 * the program asserts instead. */
enum err {
    OK = 0,
    ERR_INVALID,     /* the input is wrong; nothing changed */
    ERR_NOT_FOUND,   /* what was asked for is not there, or may not be seen */
    ERR_CONFLICT,    /* the state does not allow it, or the row is there already */
    ERR_DENIED,      /* whoever asks may not */
    ERR_PEER,        /* the other side broke the protocol: close that link, carry on */
    ERR_IO,          /* the world failed */
    ERR_FULL,        /* no room on the disk */
    ERR_BUSY,        /* somebody else has it now; the same may work later */
    ERR_CORRUPT,     /* stored data is not what it should be */
    ERR_CLOSED,      /* it is being closed, or is */
    ERR_UNSUPPORTED, /* made by a newer program, or by one before the first release; or the file
                        system cannot do it */
    ERR_WITHHELD,    /* the other side keeps back what it must show: store nothing of it */
};

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

struct errmsg {
    char text[512]; /* NUL-terminated; what was longer is cut */
};

/* Set the sentence. A NULL message is allowed everywhere. */
void errmsg_set(struct errmsg *e, const char *fmt, ...) PRINTF(2, 3);
/* Put "prefix: " in front: each layer adds its own. */
void errmsg_wrap(struct errmsg *e, const char *fmt, ...) PRINTF(2, 3);
/* For logs: "not-found"; "?" for what is no enum err. */
const char *err_name(enum err err);

#endif
