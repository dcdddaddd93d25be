#include "net/http_stats.h"

#include <stddef.h>

static const struct {
    double seconds;
    const char *text;
} steps[HTTP_STATS_STEPS] = {
    {0.001, "0.001"}, {0.0025, "0.0025"}, {0.005, "0.005"}, {0.01, "0.01"},
    {0.025, "0.025"}, {0.05, "0.05"},     {0.1, "0.1"},     {0.25, "0.25"},
    {0.5, "0.5"},     {1, "1"},           {2.5, "2.5"},     {10, "10"},
};

void http_stats_note(struct http_stats *s, int status, int64_t us)
{
    double seconds = (double)us / 1e6;

    s->answers[status / 100 % 6]++;
    s->count++;
    s->seconds += seconds;
    for (int i = 0; i < HTTP_STATS_STEPS; i++)
        if (seconds <= steps[i].seconds)
            s->within[i]++;
}

void http_stats_metrics(const struct http_stats *s, struct buf *out)
{
    buf_puts(out, "# HELP doorstep_http_answers_total Answers, by the class of their status.\n"
                  "# TYPE doorstep_http_answers_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_printf(out, "doorstep_http_answers_total{class=\"%dxx\"} %llu\n", i,
                   (unsigned long long)s->answers[i]);
    buf_puts(out, "# HELP doorstep_http_seconds From the last byte of a head to the last of its "
                  "answer.\n# TYPE doorstep_http_seconds histogram\n");
    for (int i = 0; i < HTTP_STATS_STEPS; i++)
        buf_printf(out, "doorstep_http_seconds_bucket{le=\"%s\"} %llu\n", steps[i].text,
                   (unsigned long long)s->within[i]);
    buf_printf(out,
               "doorstep_http_seconds_bucket{le=\"+Inf\"} %llu\ndoorstep_http_seconds_sum %.6f\n"
               "doorstep_http_seconds_count %llu\n",
               (unsigned long long)s->count, s->seconds, (unsigned long long)s->count);
}
