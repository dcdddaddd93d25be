/* Which papers are fetched, and from whom (protocol.md 5). Private to this floor; loop thread. */
#ifndef SITE_FETCH_H
#define SITE_FETCH_H

#include "site/inside.h"

/* fetch_wanted(s, rows, n): ask for what can be asked for now, in the order of the rows; the others
 * come with the next glance. A paper is fetched by one link at a time: where its case came from;
 * else the parent; else, when nobody there is up, any child. */
void fetch_wanted(struct site *s, const struct link_end_paper_row *rows, int n);

#endif
