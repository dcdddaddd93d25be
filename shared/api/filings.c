#include "api/filings.h"

#include "api/call.h"
#include "api/inside.h"
#include "api/tally.h"
#include "base/host.h"

#include <string.h>

#define HOUR_MS (3600LL * 1000)
#define DAY_MS (24 * HOUR_MS)

static const struct rule {
    enum limit limit;
    const char *kind, *member; /* of the applicant; NULL: the network */
    int64_t window_ms;
    const char *code, *field, *retry;
    const char *zh, *en;
} rules[] = {
    {LIMIT_FILINGS_PER_PERSON_DAY, "person", "id_number", DAY_MS, "too-many-filings-person",
     "applicant.id_number", "3600", "这位申请人今天申办的事项已达上限，请明天再办，或到窗口办理。",
     "This person has filed as much as can be filed in a day. Come again tomorrow, or to the "
     "desk."},
    {LIMIT_FILINGS_PER_PHONE_DAY, "phone", "mobile", DAY_MS, "too-many-filings-phone",
     "applicant.mobile", "3600", "这个手机号码今天申办的事项已达上限，请明天再办，或到窗口办理。",
     "This telephone has filed as much as can be filed in a day. Come again tomorrow, or to the "
     "desk."},
    {LIMIT_FILINGS_PER_NETWORK_HOUR, "network", NULL, HOUR_MS, "too-many-filings-network", NULL,
     "600", "来自这个网络的申请过多，请稍后再试，或到窗口办理。",
     "Too much is filed from this network. Try again later, or come to the desk."},
};
#define RULES (sizeof rules / sizeof rules[0])

static const char *whose(const struct work *w, const struct rule *r)
{
    const char *text =
        r->member ? json_get_text(json_get(w->in, "applicant"), r->member) : w->network;

    return text ? text : "";
}

bool filings_admit(struct work *w)
{
    int64_t now = host_mono_ms(w->api->office->host);

    if (w->caller.user[0])
        return true;
    for (size_t i = 0; i < RULES; i++) {
        const struct rule *r = &rules[i];
        if (!whose(w, r)[0] || tally_of(w->api->filings, r->kind, whose(w, r), r->window_ms, now) <
                                   w->api->limits->max[r->limit])
            continue;
        problem_set(&w->problem, 429, r->code, r->field, NULL, NULL, r->zh, r->en);
        return false;
    }
    return true;
}

void filings_settle(struct work *w)
{
    int64_t now = host_mono_ms(w->api->office->host);

    for (size_t i = 0; i < RULES && !w->caller.user[0]; i++)
        if (whose(w, &rules[i])[0])
            tally_add(w->api->filings, rules[i].kind, whose(w, &rules[i]), rules[i].window_ms, now,
                      1);
}

void filings_after(struct work *w)
{
    for (size_t i = 0; i < RULES && w->problem.status == 429; i++)
        if (!strcmp(w->problem.code, rules[i].code)) {
            limits_note_refusal(w->api->limits, rules[i].limit);
            call_header(w, "Retry-After", rules[i].retry);
        }
}
