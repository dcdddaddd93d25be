/* What the files of this floor that talk to libwebsockets share. Private. */
#ifndef NET_INSIDE_H
#define NET_INSIDE_H

#include <libwebsockets.h>

struct loop;

/* The library's context, as long as the loop. */
struct lws_context *loop_context(struct loop *l);

#endif
