/* What net.c, net_effects.c, net_papers.c and net_tick.c know of each other. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

/* net.c: whose end it is; a frame on its way to the other. */
struct site *net_site_of(const struct conn *c, int end);
void net_post(struct conn *c, int from, const unsigned char *bytes, size_t len);

/* net_effects.c: the engine of an end takes one step, and its site does what it asks for. */
void net_step(struct conn *c, int end, struct link_input *in);
/* A job of the store for an end: fx is copied, or NULL. */
struct job *net_job(struct conn *c, int end, const struct link_effect *fx, bool write,
                    enum err (*run)(struct job *j, struct db *db, struct errmsg *e),
                    void (*done)(struct job *j));
void net_answer(struct job *j); /* j->in goes into the engine */
void net_no_answer(struct job *j);
void net_broken_rule(struct job *j); /* if it failed: nobody here lies */
/* The child's next step of getting its past back; up: at the start of a connection. */
void net_recall_look(struct conn *c, const struct link_effect *up);

/* net_papers.c: the effects that are about papers, ... */
void net_paper_effect(struct conn *c, int end, const struct link_effect *x);
void net_have(struct conn *c, int end, const unsigned char digest[32]); /* "I have it" */
/* ... and which of these papers this end fetches next. */
void net_want(struct conn *c, int end, const struct link_end_paper_row *wanted, int count);

#endif
