/* What a program that is newer than its folder does first, beside all other work: fold what the one
 * before could not read, then tell the tree what it knows. */
#ifndef SITE_CATCH_UP_H
#define SITE_CATCH_UP_H

struct site;

/* Start it, from site_start(). It ends by itself. */
void catch_up_start(struct site *s);

#endif
