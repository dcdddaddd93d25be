/* Which route a request takes. Pure. */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "base/arena.h"
#include "net/http.h"

#define ROUTE_PARAMS_MAX 4

struct route_params {
    struct {
        /* of "{name}" in the route, as decoded */
        const char *name, *value;
    } list[ROUTE_PARAMS_MAX]; /* list[0 .. count) */
    int count;
};

/* Does route->path describe this path? Its parts go into *ret (in a); NULL: not wanted. */
bool route_fits(const struct route *route, const char *path, struct arena *a,
                struct route_params *ret);
/* The route of method and path; HEAD takes a GET. NULL: there is none. */
const struct route *route_find(const struct http_config *c, const char *method, const char *path,
                               struct arena *a, struct route_params *ret);
/* "GET, HEAD, OPTIONS, POST": what route_find() would take for this path, and OPTIONS; "": nothing.
 */
void route_allow(const struct http_config *c, const char *path, char *out, size_t cap);

#endif
