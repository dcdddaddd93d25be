/* Hands are numbered from 1; who hands on names the next number. */
#include "office/custody.h"

#include "base/ids.h"
#include "base/text.h"

#include <assert.h>

const char *custody_holder(const struct custody *c)
{
    return c->at[c->no];
}

void custody_open(struct custody *c, const char *site)
{
    assert(c->no == 0);
    c->no = 1;
    COPY_TEXT(c->at[1], site);
}

static bool next_to(const char *a, const char *b)
{
    char parent[13];

    return (division_parent(a, parent) && text_is(parent, b)) ||
           (division_parent(b, parent) && text_is(parent, a));
}

const char *custody_move(struct custody *c, const char *by, const char *to, bool back)
{
    const char *holder = custody_holder(c);
    char parent[13];
    enum tier tier;

    if (!to || !division_valid(to) || !c->no || c->no == CUSTODY_MAX)
        return "not the next custody of the dossier";
    if (back) {
        if (!division_tier(by, &tier) || tier != TIER_STREET || !division_parent(holder, parent) ||
            !text_is(parent, by) || !text_is(to, by))
            return "only a street takes something back, from its own community";
    } else if (!text_is(by, holder)) {
        return "not in the hands of who hands it on";
    } else if (!next_to(by, to)) {
        return "handed on to a site that is neither directly above nor directly below";
    }
    c->no++;
    COPY_TEXT(c->at[c->no], to);
    return NULL;
}

bool custody_held(const struct custody *c, const char *site)
{
    for (int i = 1; i <= c->no; i++)
        if (text_is(c->at[i], site))
            return true;
    return false;
}
