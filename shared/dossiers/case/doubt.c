/* A case lives with the version of its item that it names: of an older one than today's the published
 * fact is looked up. */
#include "dossiers/case/doubt.h"

#include "base/text.h"
#include "catalogue/items.h"
#include "dossiers/case/state.h"

static const struct json *tiers_of(const struct json *item)
{
    return json_get(item, "decided_at");
}

enum err case_doubt(struct office *o, struct db *db, const struct dossier_event *x,
                    char why[DOUBT_BYTES], struct errmsg *e)
{
    const struct json *claimed = tiers_of(x->record);
    const char *code = text_or(json_get_text(x->record, "item"), "");
    struct json *item = NULL;
    enum tier tier;
    enum err err;

    (void)o;
    if (!text_is(x->ev.kind, "case.filed/1") || !division_tier(x->site, &tier) ||
        !tier_decides(claimed, tier))
        return OK; /* it claims nothing for itself */
    err = item_version(db, code, json_get_int(x->record, "item_version", 0), &item, e);
    if (err != OK)
        return err;
    if (!item)
        snprintf(why, DOUBT_BYTES, "no item %.60s of such a version was published", code);
    else if (!tier_decides(tiers_of(item), tier))
        snprintf(why, DOUBT_BYTES, "item %.60s is not decided at this tier", code);
    json_free(item);
    return OK;
}
