/* For the watchers: no names, no numbers of people. */
#include "api/health.h"

#include "api/inside.h"
#include "api/live.h"
#include "api/reply.h"
#include "base/json.h"
#include "base/workers.h"
#include "net/http.h"
#include "site/site.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef BUILD_COMMIT
#define BUILD_COMMIT "unknown"
#endif

static void reply_text(struct request *req, int status, const char *text)
{
    reply_send(req, status, NULL, 0, "text/plain; charset=utf-8", text, strlen(text));
}

void health_live(struct request *req, void *api)
{
    (void)api;
    reply_text(req, 200, "ok\n");
}

void health_ready(struct request *req, void *arg)
{
    struct api *api = arg;
    if (store_failed(api->store))
        reply_text(req, 503, "writing has stopped\n");
    else if (site_catching_up(api->site))
        reply_text(req, 503, "what an older program left is being read\n");
    else
        reply_text(req, 200, "ready\n");
}

static void metric(struct buf *out, const char *name, const char *type, const char *help,
                   long long value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, value);
}

static long long resident_bytes(void)
{
    long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*d %lld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

void health_metrics(struct request *req, void *arg)
{
    struct api *api = arg;
    struct buf out = {0};
    metric(&out, "doorstep_calls_total", "counter", "Calls since the start.",
           (long long)api->call_count);
    metric(&out, "doorstep_upload_bytes_total", "counter", "Bytes of uploads received.",
           (long long)api->upload_bytes);
    metric(&out, "doorstep_documents_served_total", "counter", "Papers given out.",
           (long long)api->document_count);
    metric(&out, "doorstep_store_pending", "gauge", "Jobs not yet answered.",
           store_pending(api->store));
    metric(&out, "doorstep_store_failed", "gauge", "1 once writing has stopped.",
           store_failed(api->store));
    metric(&out, "doorstep_live_sockets", "gauge", "Open live sockets.", live_count(api->live));
    metric(&out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    struct json *status = site_status(api->site);
    const struct json *link = json_get(status, "link");
    const char *state = json_get_text(link, "state");
    if (state) {
        metric(&out, "doorstep_link_up", "gauge", "1 while the parent is connected.",
               !strcmp(state, "up"));
        metric(&out, "doorstep_unsent_events", "gauge", "Events the parent does not hold.",
               json_get_int(link, "unsent_events", 0));
        metric(&out, "doorstep_unsent_documents", "gauge", "Papers the parent does not hold.",
               json_get_int(link, "unsent_documents", 0));
    }
    json_free(status);
    metric(&out, "doorstep_hashing_waiting", "gauge", "Passwords that wait to be hashed.",
           api->workers ? workers_waiting(api->workers) : 0);
    buf_printf(&out,
               "# HELP doorstep_build_info What this program was built from and with.\n"
               "# TYPE doorstep_build_info gauge\n"
               "doorstep_build_info{commit=\"%s\",compiler=\"%s\"} 1\n",
               BUILD_COMMIT, __VERSION__);
    limits_metrics(api->limits, &out);
    http_stats_metrics(&api->stats, &out);
    reply_send(req, 200, NULL, 0, "text/plain; version=0.0.4; charset=utf-8", out.data, out.len);
    buf_free(&out);
}
