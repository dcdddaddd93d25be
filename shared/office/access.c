#include "office/access.h"

#include "base/text.h"

bool caller_is(const struct caller *c, const char *roles)
{
    return c->user[0] && word_in(roles, c->role);
}

enum sight caller_sight(const struct caller *c)
{
    enum tier tier;

    if (!caller_is(c, " agent clerk dispatcher reviewer supervisor admin ") ||
        !division_tier(c->site, &tier))
        return SIGHT_NONE;
    return tier == TIER_COMMUNITY ? SIGHT_COMMUNITY : SIGHT_STREETS;
}

void caller_prefix(const struct caller *c, char out[13])
{
    enum tier tier = TIER_COMMUNITY;

    snprintf(out, 13, "%s", c->site);
    division_tier(c->site, &tier);
    if (tier == TIER_DISTRICT)
        out[6] = 0;
    else if (tier == TIER_STREET)
        out[9] = 0;
}
