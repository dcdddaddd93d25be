/* Cases: file, list, show, act, follow, look for repairs. */
#include "api/call.h"

#include "api/filings.h"
#include "dossiers/case/case.h"

const struct call cases_calls[] = {
    {.method = "POST",
     .path = "/api/v1/cases",
     .fn = case_lodge,
     .flags = CALL_WRITE | CALL_PUBLIC | CALL_CREATES,
     .location = "/api/v1/cases/{case_no}",
     .admit = filings_admit,
     .settle = filings_settle,
     .after = filings_after},
    {.method = "GET",
     .path = "/api/v1/cases",
     .fn = case_list,
     .flags = CALL_PAGED,
     .query = {"state", "q", "item", "community", "custodian", "mine", "from", "to", "limit",
               "cursor"}},
    {.method = "GET", .path = "/api/v1/cases/{case_no}", .fn = case_show, .flags = CALL_TAGGED},
    {.method = "POST",
     .path = "/api/v1/cases/{case_no}/actions",
     .fn = case_act,
     .show = case_show,
     .flags = CALL_WRITE | CALL_PUBLIC | CALL_REPLAYS | CALL_MATCHES | CALL_CODED,
     .query = {"code"}},
    {.method = "GET",
     .path = "/api/v1/track/{case_no}",
     .fn = case_track,
     .flags = CALL_PUBLIC | CALL_CODED,
     .query = {"code"}},
    {0},
};
