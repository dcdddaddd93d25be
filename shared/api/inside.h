/* What the files of this floor share. Private. */
#ifndef API_INSIDE_H
#define API_INSIDE_H

#include "api/api.h"
#include "api/static.h"
#include "office/office.h"
#include "db/store.h"
#include "net/http.h"

#include <stdint.h>

struct live;
struct blob_dir;
struct call_bound;
struct refusals;
struct tally;
struct tries;
struct uploads;
struct workers;

struct api {
    /* what the program gave: they outlive the api */
    struct site *site;
    struct loop *loop;
    struct limits *limits;
    struct http_stats stats; /* counted by net, shown in /metrics */
    struct office *office;
    struct store *store;
    /* the site's papers; uploads on their way to be one; live sockets; the pages */
    struct blob_dir *blobs;
    struct uploads *uploads;
    struct live *live;
    struct static_pages pages;
    /* drawn forms, or NULL */
    api_print_fn *print_certificate, *print_label;
    /* what is counted against guesses and floods, and what hashes passwords (NULL: it has ended) */
    struct tries *tries;
    struct refusals *refusals;
    struct tally *filings; /* writer */
    struct workers *workers;
    /* one per call, and one per route: routes[0 .. route_count) */
    struct call_bound *bound;
    struct route *routes;
    size_t route_count;
    /* for /metrics */
    uint64_t call_count, upload_bytes, document_count;
};

/* The routes that are no calls of the tables. */
const struct route *api_streamed_routes(size_t *ret_count);

/* What store jobs use of it. */
static inline struct office *api_office(struct api *api)
{
    return api->office;
}

/* Where jobs go. */
static inline struct store *api_store(struct api *api)
{
    return api->store;
}

/* Where papers are. */
static inline struct blob_dir *api_blobs(struct api *api)
{
    return api->blobs;
}

#endif
