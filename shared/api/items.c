/* The guide: items of the catalogue. */
#include "api/call.h"
#include "catalogue/items.h"

const struct call items_calls[] = {
    {.method = "GET",
     .path = "/api/v1/items",
     .fn = item_list,
     .flags = CALL_PUBLIC | CALL_TAGGED | CALL_PAGED,
     .query = {"q", "audience", "state", "limit", "cursor"}},
    {.method = "GET",
     .path = "/api/v1/items/{code}",
     .fn = item_show,
     .flags = CALL_PUBLIC | CALL_TAGGED},
    {.method = "POST",
     .path = "/api/v1/items",
     .fn = item_import,
     .flags = CALL_WRITE | CALL_CREATES | CALL_LARGE,
     .location = "/api/v1/items/{code}",
     .roles = " admin "},
    {0},
};
