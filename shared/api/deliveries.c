/* Deliveries: the courier's and dispatcher's list, and each step. */
#include "api/call.h"
#include "dossiers/case/case.h"

const struct call deliveries_calls[] = {
    {.method = "GET",
     .path = "/api/v1/deliveries",
     .fn = delivery_list,
     .flags = CALL_PAGED,
     .query = {"state", "method", "case_no", "limit", "cursor"}},
    {.method = "POST",
     .path = "/api/v1/deliveries/{id}/actions",
     .fn = delivery_act,
     .flags = CALL_WRITE | CALL_REPLAYS},
    {0},
};
