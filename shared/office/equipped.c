/* Reading the table `equipped`. */
#include "office/equipped.h"

#include "base/text.h"

static void add_word(char *list, size_t cap, const char *word)
{
    size_t n = strlen(list);

    if (!word_in(list, word) && n + strlen(word) + 2 <= cap)
        snprintf(list + n, cap - n, "%s%s ", n ? "" : " ", word);
}

enum err equipment_of(struct db *db, const char *site, struct equipment *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT program, types, critical FROM equipped WHERE site = $1");

    *ret = (struct equipment){.said = false};
    bind_text(st, 1, site);
    enum err err = db_step(st, &ret->said, e);
    if (err == OK && ret->said) {
        COPY_TEXT(ret->program, col_text(st, 0));
        COPY_TEXT(ret->types, col_text(st, 1));
        COPY_TEXT(ret->critical, col_text(st, 2));
    }
    db_reset(st);
    return err;
}

void equipment_own(const struct office *o, struct equipment *ret)
{
    ret->types[0] = ret->critical[0] = 0;
    for (size_t t = 0; t < o->work->type_count; t++) {
        const struct dossier_type *type = o->work->types[t];
        add_word(ret->types, sizeof ret->types, type->name);
        for (size_t i = 0; i < type->kind_count; i++)
            if (type->kinds[i].flags & KIND_CRITICAL)
                add_word(ret->critical, sizeof ret->critical, type->kinds[i].kind);
    }
    add_word(ret->critical, sizeof ret->critical, KIND_OVERRULED);
}

bool equipment_has_type(const struct equipment *x, const struct dossier_type *t)
{
    return x->said ? word_in(x->types, t->name) : !t->letter;
}

enum err equipped_for_kind(struct office *o, struct db *db, const char *site, const char *kind,
                           bool *ret, struct errmsg *e)
{
    struct equipment x;
    enum err err = equipment_of(db, site, &x, e);

    (void)o;
    *ret = err == OK && (text_is(kind, KIND_OVERRULED) || word_in(x.critical, kind));
    return err;
}
