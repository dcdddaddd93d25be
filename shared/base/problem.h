/* What a person is told when input is refused: an RFC 9457 problem with its two languages. */
#ifndef BASE_PROBLEM_H
#define BASE_PROBLEM_H

struct problem {
    int status;          /* 0: no problem; 400 broken JSON, 403, 404, 409, 413, 415, 422 invalid */
    char code[48];       /* slug: "material-missing" */
    char field[128];     /* JSON pointer or name of the field */
    char expected[200];  /* what would be right; "": nothing to say */
    char found[200];     /* what was there instead; "": nothing to say */
    char zh[300];        /* the sentence for people */
    char en[300];        /* the same in English */
    char allowed[8][32]; /* what would be allowed instead: allowed[0 .. allowed_count) */
    int allowed_count;
};

/* Overwrite all of p. Any text may be NULL; what is too long is cut at a whole character. p may be
 * NULL. */
void problem_set(struct problem *p, int status, const char *code, const char *field,
                 const char *expected, const char *found, const char *zh, const char *en);
void problem_allow(struct problem *p, const char *what); /* beyond eight: dropped */

#endif
