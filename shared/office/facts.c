#include "office/facts.h"

#include "office/accounts.h"
#include "office/blocks.h"
#include "office/sites.h"
#include "office/welcome.h"

static const struct fact_kind kinds[] = {
    {"site.enrolled/1", MAY_PARENT, "site", "*", 0, site_enrolled},
    {"site.revoked/1", MAY_PARENT, "site", "*", 0, site_revoked},
    {"site.equipped/1", MAY_PLACE, "site", "*", 0, site_equipped},
    {"account.created/1", MAY_ABOVE, "site", " site username role rev ", 0, account_created},
    {"block.leased/1", MAY_LEND, "holder", "*", 0, block_leased},
};

static const struct projection tables[] = {
    {"site", "code, name, tier, public_key, ended, rev, hlc", "code"},
    {"equipped", "site, program, types, critical, hlc", "site"},
    {"account", "site, username, name, role, salt, hash, rev, hlc", "site, username"},
    {"block", "street, kind, holder, first, last, hlc", "street, kind, holder, first"},
    {"counter", "street, kind, holder, scope, next", "street, kind, holder, scope"},
    {"repair", "street, origin, seq, dossier, kind, reason, owner, deadline_ms",
     "street, origin, seq"},
    {"paper", "street, dossier, digest", "street, dossier, digest"},
};

const struct fact_group office_facts = {kinds, sizeof kinds / sizeof kinds[0], tables,
                                        sizeof tables / sizeof tables[0]};
