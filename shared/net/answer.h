/* The bytes of an answer. Private to this floor. */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

struct request;

/* Write what the connection takes of the answer of r. 1: all of it is written, 0: go on when the
 * connection is writable again, -1: it cannot be written, and the connection is about to close. */
int answer_write(struct request *r);

#endif
