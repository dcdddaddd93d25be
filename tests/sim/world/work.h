/* What those who play people know of each other. */
#ifndef SIM_WORK_H
#define SIM_WORK_H

#include "world.h"

/* type_case.c: what was filed so far, and the query codes that the residents were given. */
#define FILED_MAX 4000
struct filed {
    char case_no[22], code[7];
    int64_t filed_ms; /* by the wall clock of the site */
};
extern struct filed work_filed[FILED_MAX];
extern int work_filed_count;

struct paper {
    char digest[DIGEST_TEXT_LEN + 1];
    int64_t size;
};
bool work_paper(struct site *s, struct paper *ret);
/* Somebody gives a command; arg goes over to it. */
void work_command(const struct sim_type *t, struct site *s, const struct caller *c, office_fn *fn,
                  struct json *arg);

/* work_filing.c */
void work_file(struct site *s);
void work_check(struct site *s);

/* work_acting.c */
const char *work_one_of(const char *list, char out[32]); /* a word of it, by chance */
void work_act(struct site *s);
void work_resident_acts(struct site *s);

#endif
