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
    struct site *site;
    struct loop *loop;
    struct limits *limits;
    struct http_stats stats;
    struct office *office;
    struct store *store;
    struct blob_dir *blobs;
    struct uploads *uploads;
    struct live *live;
    struct static_pages pages;
    api_print_fn *print_certificate, *print_label;
    struct tries *tries;
    struct refusals *refusals;
    struct tally *filings; /* writer */
    struct workers *workers;
    struct call_bound *bound;
    struct route *routes;
    size_t route_count;
    /* for /metrics */
    uint64_t call_count, upload_bytes, document_count;
};

/* The routes that are no calls of the tables. */
const struct route *api_streamed_routes(size_t *ret_count);

static inline struct office *api_office(struct api *api)
{
    return api->office;
}

static inline struct store *api_store(struct api *api)
{
    return api->store;
}

static inline struct blob_dir *api_blobs(struct api *api)
{
    return api->blobs;
}

#endif
