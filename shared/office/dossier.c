/* Looking things up in the tables of the kinds of work. */
#include "office/dossier.h"

#include "base/text.h"

/* What every dossier knows, whatever its type. */
static const struct event_kind common[] = {
    {KIND_OVERRULED, "上级撤销了一步", "A step was overruled by an office above", MAY_OVERRULE,
     KIND_CRITICAL | KIND_QUIET, NULL, " id ", NULL},
};

const struct dossier_type *dossier_type_of(const struct office_work *w, const char *id)
{
    const char *street9 = dossier_street9(id);

    for (size_t i = 0; street9 && i < w->type_count; i++)
        if (street9 == id ? !w->types[i]->letter : w->types[i]->letter == id[0])
            return w->types[i];
    return NULL;
}

const struct dossier_type *dossier_type_named(const struct office_work *w, const char *name)
{
    for (size_t i = 0; i < w->type_count; i++)
        if (text_is(w->types[i]->name, name))
            return w->types[i];
    return NULL;
}

const struct event_kind *event_kind_of(const struct dossier_type *t, const char *kind)
{
    for (size_t i = 0; i < t->kind_count; i++)
        if (!strcmp(t->kinds[i].kind, kind))
            return &t->kinds[i];
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (!strcmp(common[i].kind, kind))
            return &common[i];
    return NULL;
}

bool dossier_opens(const struct dossier_type *t, const char *kind)
{
    const struct event_kind *k = event_kind_of(t, kind);

    return k && (k->flags & KIND_OPENS);
}

const struct fact_kind *fact_kind_of(const struct office_work *w, const char *kind)
{
    for (size_t g = 0; g < w->group_count; g++)
        for (size_t i = 0; i < w->groups[g]->count; i++)
            if (!strcmp(w->groups[g]->kinds[i].kind, kind))
                return &w->groups[g]->kinds[i];
    return NULL;
}
