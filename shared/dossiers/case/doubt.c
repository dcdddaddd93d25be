/* A case lives with the version of its item that it names, be it older than today's. */
#include "dossiers/case/doubt.h"

#include "base/text.h"
#include "base/text_set.h"
#include "catalogue/items.h"
#include "dossiers/case/state.h"

/* What is delegated to a lower tier the higher one may still do. */
static bool decides(const char *tiers, enum tier tier)
{
    for (enum tier t = tier; t <= TIER_COMMUNITY; t++)
        if (word_in(tiers, tier_name(t)))
            return true;
    return false;
}

/* The lowest tier that a filing lets decide: its own, or that of an office which it hands it to. */
static bool lowest(const struct json *decided_at, enum tier *ret)
{
    for (enum tier t = TIER_COMMUNITY; t > TIER_DISTRICT; t--)
        if (tier_decides(decided_at, t)) {
            *ret = t;
            return true;
        }
    return false;
}

#define CODE_BYTES 80
#define KEY_BYTES (CODE_BYTES + 32)

/* A word for an item, a version and a tier. Not printf(): of every filing. */
static void key_of(const char *code, int64_t version, enum tier tier, char out[KEY_BYTES])
{
    char *p = out;

    memcpy(p, "case ", 5);
    p += 5;
    *p++ = (char)('0' + tier);
    for (uint64_t v = (uint64_t)version; v; v >>= 4)
        *p++ = "0123456789abcdef"[v & 15];
    *p++ = ' ';
    text_copy(p, CODE_BYTES + 1, code);
}

enum err case_doubt(struct office *o, struct db *db, const struct dossier_event *x,
                    struct text_set *seen, char why[DOUBT_BYTES], struct errmsg *e)
{
    const char *code = text_or(json_get_text(x->record, "item"), "");
    int64_t version = json_get_int(x->record, "item_version", 0);
    char tiers[ITEM_TIERS_BYTES], key[KEY_BYTES];
    enum tier tier;

    (void)o;
    if (!text_is(x->ev.kind, "case.filed/1") || !lowest(json_get(x->record, "decided_at"), &tier))
        return OK; /* nobody below the district may decide it */
    key_of(code, version, tier, key);
    if (strlen(code) <= CODE_BYTES && text_set_has(seen, key))
        return OK;
    enum err err = item_tiers(db, code, version, tiers, e);
    if (err != OK)
        return err;
    if (!tiers[0])
        snprintf(why, DOUBT_BYTES, "no item %.60s of such a version was published", code);
    else if (!decides(tiers, tier))
        snprintf(why, DOUBT_BYTES, "item %.60s is not decided by a %s", code, tier_name(tier));
    else if (strlen(code) <= CODE_BYTES)
        text_set_put(seen, key, NULL);
    return OK;
}
