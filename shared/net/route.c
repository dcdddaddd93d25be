#include "net/route.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool route_fits(const struct route *route, const char *path, struct arena *a,
                struct route_params *ret)
{
    const char *at = route->path;

    if (ret)
        ret->count = 0;
    while (*at && *path) {
        if (*at == '{') {
            size_t name = strcspn(at, "}") - 1, n = strcspn(path, "/");
            if (!n)
                return false;
            if (ret) {
                assert(ret->count < ROUTE_PARAMS_MAX);
                ret->list[ret->count].name = arena_strndup(a, at + 1, name);
                ret->list[ret->count++].value = arena_strndup(a, path, n);
            }
            at += name + 2;
            path += n;
        } else if (*at++ != *path++) {
            return false;
        }
    }
    return !*at && !*path;
}

const struct route *route_find(const struct http_config *c, const char *method, const char *path,
                               struct arena *a, struct route_params *ret)
{
    bool head = !strcmp(method, "HEAD");
    const struct route *get = NULL;

    for (size_t i = 0; i < c->route_count; i++) {
        const struct route *x = &c->routes[i];
        bool same = !strcmp(x->method, method), as_get = head && !strcmp(x->method, "GET");
        if ((same || as_get) && route_fits(x, path, NULL, NULL)) {
            if (same) {
                (void)route_fits(x, path, a, ret);
                return x;
            }
            get = x;
        }
    }
    if (get)
        (void)route_fits(get, path, a, ret);
    return get;
}

void route_allow(const struct http_config *c, const char *path, char *out, size_t cap)
{
    static const char *const known[] = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"};
    bool any = false, has[sizeof known / sizeof known[0]] = {false};

    for (size_t i = 0; i < c->route_count; i++) {
        if (!route_fits(&c->routes[i], path, NULL, NULL))
            continue;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            if (!strcmp(known[k], c->routes[i].method))
                any = has[k] = true;
        has[1] = has[1] || !strcmp(c->routes[i].method, "GET");
    }
    out[0] = 0;
    has[2] = any;
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
        if (has[k])
            snprintf(out + strlen(out), cap - strlen(out), "%s%s", out[0] ? ", " : "", known[k]);
}
