/* How many cases residents may file, by person, telephone and network: the numbers of a day belong
 * to all. Whoever is signed in files for others and is not counted. */
#ifndef API_FILINGS_H
#define API_FILINGS_H

#include <stdbool.h>

struct work;

/* For struct call, of POST /cases. On the writer. */
bool filings_admit(struct work *w);  /* false: w->problem is a 429 that names the field */
void filings_settle(struct work *w); /* it was filed */
/* On the loop: Retry-After, and the count of refusals. */
void filings_after(struct work *w);

#endif
