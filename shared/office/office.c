/* Opening an office on its database. */
#include "office/office.h"

#include "base/mem.h"
#include "base/text.h"
#include "office/apply.h"
#include "office/lease.h"
#include "office/route.h"

#include <assert.h>

enum err office_open(struct office *o, struct db *db, struct errmsg *e)
{
    enum err err;

    assert(o->host && o->work);
    if (!division_tier(o->site, &o->tier)) {
        errmsg_set(e, "%s is not the code of a site", o->site);
        return ERR_INVALID;
    }
    division_street(o->site, o->street);
    if ((err = ledger_open(&o->ledger, db, o->site, o->host, e)) != OK ||
        (err = lease_open(o, db, e)) != OK)
        return err;
    memcpy(o->ledger.parent, o->parent, sizeof o->ledger.parent);
    o->ledger.apply = office_apply;
    o->ledger.route = office_route;
    o->ledger.arg = o;
    return OK;
}

void office_close(struct office *o)
{
    for (int i = 0; i < OFFICE_MEMORIES_MAX; i++) {
        struct office_memory *m = &o->memory[i];
        if (m->p && m->finish)
            m->finish(m->p);
        mem_free(m->p);
        *m = (struct office_memory){0};
    }
}

void *office_memory(struct office *o, const void *key, size_t bytes, void (*finish)(void *p))
{
    for (int i = 0; i < OFFICE_MEMORIES_MAX; i++) {
        struct office_memory *m = &o->memory[i];
        if (m->key == key)
            return m->p;
        if (!m->key) {
            *m = (struct office_memory){key, mem_alloc(bytes), finish};
            memset(m->p, 0, bytes);
            return m->p;
        }
    }
    assert(!"more memories than OFFICE_MEMORIES_MAX");
    return NULL;
}
