/* The office itself: figures, status, sites, accounts, repair items. */
#include "api/call.h"

#include "api/inside.h"
#include "dossiers/case/case.h"
#include "office/accounts.h"
#include "office/blocks.h"
#include "office/invitations.h"
#include "office/sites.h"
#include "office/verdict.h"
#include "site/site.h"

#include <assert.h>

/* Whoever is signed in may know how the site is doing; the site itself fills the answer. */
static enum err status_ask(struct office *office, struct db *db, const struct caller *caller,
                           const struct json *in, struct json **out, struct problem *problem)
{
    (void)caller;
    (void)in;
    (void)problem;
    *out = office->status(office->status_arg, db);
    return *out ? OK : ERR_IO;
}

/* What only the running program knows is added on its own thread. */
static void status_after(struct work *w)
{
    if (w->problem.status)
        return;
    site_add_links(w->api->site, w->out);
    buf_reset(&w->body);
    buf_reset(&w->packed);
    json_canonical(w->out, &w->body);
}

/* The password is hashed beside the writer, and goes no further. */
static void seal_account(struct work *w)
{
    if (account_seal(w->api->office->host, w->in, &w->problem) != OK)
        assert(w->problem.status);
}

const struct call statistics_calls[] = {
    {.method = "GET",
     .path = "/api/v1/statistics",
     .fn = statistics_show,
     .query = {"from", "to", "by"}},
    {0},
};

const struct call offices_calls[] = {
    {.method = "GET", .path = "/api/v1/status", .fn = status_ask, .after = status_after},
    {.method = "GET", .path = "/api/v1/sites", .fn = site_list, .flags = CALL_PUBLIC},
    {.method = "POST",
     .path = "/api/v1/sites/{site}/invitations",
     .fn = invitation_create,
     .roles = " admin ",
     .flags = CALL_WRITE | CALL_CREATES | CALL_SECRET},
    {.method = "GET",
     .path = "/api/v1/accounts",
     .fn = account_list,
     .roles = " admin supervisor ",
     .query = {"site", "role"}},
    {.method = "POST",
     .path = "/api/v1/accounts",
     .fn = account_add,
     .toil = seal_account,
     .roles = " admin ",
     .flags = CALL_WRITE | CALL_CREATES},
    {.method = "GET",
     .path = "/api/v1/repairs",
     .fn = repair_list,
     .flags = CALL_PAGED,
     .query = {"state", "limit", "cursor"}},
    {.method = "GET", .path = "/api/v1/blocks", .fn = block_list},
    {0},
};
