/* A line in the log for what was refused at the door: the kind, the reason, the name that was given
 * and the address it came from; never a password or a code. Loop thread. */
#ifndef API_REFUSALS_H
#define API_REFUSALS_H

struct refusals;

/* One for the api's life; destroy takes NULL. */
struct refusals *refusals_create(void);
void refusals_destroy(struct refusals *r);

/* At most twenty lines in a second; how many were left out stands in the next that is written.
 * name: "" when there is none; one that is no user name is not written out. */
void refusals_log(struct refusals *r, const char *what, const char *reason, const char *name,
                  const char *address);

#endif
