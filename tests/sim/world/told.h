/* What the ledger of a site says, read apart from the code under test: its events as texts, and a second
 * opinion on who might have said them. */
#ifndef SIM_TOLD_H
#define SIM_TOLD_H

#include "world.h"

#define HANDS_MAX 40

/* An event as a row of `event` has it. */
struct told {
    char kind[65], dossier[33], street[13], origin[25], by[13], state[10];
    char *record; /* canonical JSON */
    uint64_t seq, hlc;
    unsigned flags;
    char id[33]; /* hex; "" until told_id() */
};

/* Events of one dossier, or facts. */
struct telling {
    struct arena *arena;
    struct told *list;
    int count, cap;
};

/* Start with {.arena = a}. where: SQL behind WHERE, one parameter. Read in the order of the ledger. */
void told_read(struct site *s, const char *where, const char *arg, struct telling *ret);
/* Call fn for each dossier that is here, fact_fn for each fact; either may be NULL. */
void told_each_dossier(struct site *s, void (*fn)(struct site *s, struct telling *t),
                       void (*fact_fn)(struct site *s, const struct told *x));
void told_ids(struct site *s,
              struct telling *t); /* the names by which other events refer to them */

void told_print(struct site *s, const char *dossier); /* for who looks for a fault */

/* A member of the record itself, not of what stands within it. int: -1 where there is none, or no
 * number. */
bool told_text(const struct told *x, const char *key, char *out, size_t cap);
int64_t told_int(const struct told *x, const char *key);

/* ---- the second opinion ----*/

/* Could its author ever say this? NULL, or why not. Of a kind that nobody here knows: could he say
 * anything there? */
const char *judge_ever(const struct told *x);

bool judge_knows(const struct told *x); /* has the newest program a row for it? */

/* In whose hands a dossier was, by the moves that count at that site. */
struct hands_of {
    const struct told *opening; /* NULL: none counts */
    char at[HANDS_MAX + 1][13];
    int top;
};
bool judge_opens(const struct told *x);
void judge_hands(const struct telling *t, struct hands_of *ret);
/* Could its author say this in the dossier as it stands? NULL, or why not. judge_ever() is not asked. */
const char *judge_now(const struct telling *t, const struct hands_of *h, const struct told *x);
/* Has who, or a site below it, part in it? */
bool judge_part(const struct hands_of *h, const char *who);

bool code_within(const char *code, const char *ancestor);
bool code_parent(const char *code, char out[13]); /* false for a district */

#endif
