/* Authority that follows from the tree alone. One row per class says what is asked of the author. */
#include "office/authority.h"

#include "base/ids.h"
#include "base/text.h"

#include <assert.h>

static bool digits9(const char *s)
{
    for (int i = 0; i < 9; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

const char *dossier_street9(const char *id)
{
    size_t n = id ? strlen(id) : 0;

    if (n == 21 && digits9(id))
        return id;
    return n > 10 && id[0] >= 'a' && id[0] <= 'z' && digits9(id + 1) ? id + 1 : NULL;
}

const char *authority_misplaced(const struct event *ev)
{
    const char *street9 = ev->dossier[0] ? dossier_street9(ev->dossier) : ev->street;

    if (!street9)
        return "the id of the dossier names no street";
    if (strncmp(street9, ev->street, 9) != 0 || strcmp(ev->street + 9, "000") != 0)
        return "the street of the event is not that of its dossier";
    if (strncmp(ev->origin, ev->street, 6) != 0)
        return "a site of another district";
    return NULL;
}

static bool adjacent(const char *a, const char *b)
{
    char parent[13];

    return (division_parent(a, parent) && text_is(parent, b)) ||
           (division_parent(b, parent) && text_is(parent, a));
}

/* What is asked of who says a fact about a place. */
static const char *fact_refuses(const char *site, enum tier tier, enum may may, const char *place)
{
    char parent[13] = "";
    bool self = text_is(place, site);

    if (place && !division_valid(place))
        return "the place that it names is no site";
    if (place)
        division_parent(place, parent);
    switch (may) {
    case MAY_DISTRICT:
        return tier == TIER_DISTRICT ? NULL : "only the district says this";
    case MAY_ABOVE:
        return place && division_within(place, site) ? NULL
                                                     : "only of itself or of a site below it";
    case MAY_PARENT:
        return text_is(parent, site) || (self && tier == TIER_DISTRICT)
                   ? NULL
                   : "only the office directly above says this";
    case MAY_LEND:
        return text_is(parent, site) || (self && tier != TIER_COMMUNITY)
                   ? NULL
                   : "only the office directly above lends numbers";
    case MAY_PLACE:
        return self ? NULL : "only of itself";
    case MAY_OPEN:
    case MAY_CUSTODIAN:
    case MAY_TAKE_BACK:
    case MAY_OWNER:
    case MAY_PART:
    case MAY_OVERRULE:
        break;
    }
    assert(!"a fact of a dossier's class");
    return "no fact";
}

const char *authority_refuses(const struct event *ev, enum may may, const char *place)
{
    const char *why = authority_misplaced(ev);
    char site[13], street[13];
    enum tier tier;

    if (why)
        return why;
    event_site(ev->origin, site);
    if (!division_tier(site, &tier))
        return "its origin is no site";
    if (!ev->dossier[0]) {
        /* A fact stands under the street of the place that it is about. */
        if ((why = fact_refuses(site, tier, may, place)))
            return why;
        division_street(place ? place : site, street);
        return strcmp(street, ev->street) ? "the street of the event is not that of its place"
                                          : NULL;
    }
    division_street(site, street);
    if (may == MAY_OPEN && tier != TIER_DISTRICT && strncmp(street, ev->street, 9) != 0)
        return "a dossier is opened in its own street, or by the district";
    if (may == MAY_OPEN && place && !text_is(place, site) && !adjacent(place, site))
        return "opened into hands that are neither its own nor those directly above or below";
    if (may == MAY_TAKE_BACK && tier != TIER_STREET)
        return "only a street takes something back";
    if (may == MAY_OVERRULE && tier == TIER_COMMUNITY)
        return "only an office above overrules an event";
    return NULL;
}
