/* Tickets and queues of a hall: take a number, call, follow. */
#include "api/call.h"

#include "api/filings.h"
#include "dossiers/ticket/ticket.h"

const struct call tickets_calls[] = {
    {.method = "POST",
     .path = "/api/v1/tickets",
     .fn = ticket_issue,
     .subject = "id",
     .flags = CALL_WRITE | CALL_PUBLIC | CALL_CREATES,
     .location = "/api/v1/tickets/{id}",
     .admit = filings_admit, /* what residents take from a network counts with what they file */
     .settle = filings_settle,
     .after = filings_after},
    {.method = "GET",
     .path = "/api/v1/tickets",
     .fn = ticket_list,
     .flags = CALL_PAGED,
     .query = {"queue", "state", "day", "limit", "cursor"}},
    {.method = "GET",
     .path = "/api/v1/tickets/{id}",
     .fn = ticket_show,
     .subject = "id",
     .flags = CALL_PUBLIC | CALL_CODED,
     .query = {"code"}},
    {.method = "POST",
     .path = "/api/v1/tickets/{id}/actions",
     .fn = ticket_act,
     .subject = "id",
     .flags = CALL_WRITE | CALL_PUBLIC | CALL_REPLAYS | CALL_CODED,
     .query = {"code"}},
    {.method = "GET",
     .path = "/api/v1/queues/{queue}",
     .fn = queue_show,
     .flags = CALL_PUBLIC,
     .query = {"hall"}},
    {.method = "POST",
     .path = "/api/v1/queues/{queue}/next",
     .fn = queue_next,
     .subject = "id",
     .roles = " clerk reviewer supervisor admin ",
     .flags = CALL_WRITE | CALL_REPLAYS},
    {0},
};
