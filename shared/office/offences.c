/* One text of `meta` per child: "DAY COUNT". */
#include "office/offences.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/meta.h"

static const char *key_of(const char *child, char out[32])
{
    snprintf(out, 32, "offences.%s", child);
    return out;
}

enum err offences_today(struct office *o, struct db *db, const char *child, int *ret,
                        struct errmsg *e)
{
    char text[40], key[32];
    int day = 0, count = 0;
    enum err err = meta_read(db, key_of(child, key), text, sizeof text, NULL, e);

    *ret = 0;
    if (err == OK && sscanf(text, "%d %d", &day, &count) == 2 &&
        day == time_days(host_wall_ms(o->host)))
        *ret = count;
    return err;
}

enum err offences_count(struct office *o, struct db *db, const char *child,
                        const struct arrival *list, size_t n, bool *ret_close, struct errmsg *e)
{
    char text[40], key[32];
    int before = 0, more = 0;
    enum err err;

    *ret_close = false;
    for (size_t i = 0; i < n; i++)
        more += list[i].got != RECEIVED_DUPLICATE && text_is(list[i].state, "refused") &&
                !strncmp(list[i].ev.origin, child, 12);
    if (!more || (err = offences_today(o, db, child, &before, e)) != OK)
        return more ? err : OK;
    if (!before)
        log_line(
            LOG_LEVEL_ERROR, "office",
            "offence=first child=%s text=\"it says what is never its to say: its program is broken "
            "or hostile\"",
            child);
    snprintf(text, sizeof text, "%d %d", time_days(host_wall_ms(o->host)), before + more);
    *ret_close = before + more >= OFFENCES_A_DAY;
    return meta_write(db, key_of(child, key), text, e);
}
