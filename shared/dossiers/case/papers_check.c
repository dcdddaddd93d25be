/* Papers that somebody hands in with a case. */
#include "dossiers/case/papers_check.h"

#include "base/text.h"
#include "catalogue/form.h"

static enum err paper_check(struct db *db, const struct json *material, const char *digest,
                            size_t at, size_t no, struct json **ret, struct problem *p,
                            struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "SELECT size, media_type, state, name FROM document WHERE digest = $1");
    char field[80];
    enum err err;
    bool row;

    snprintf(field, sizeof field, "materials[%zu].documents[%zu]", at, no);
    bind_text(st, 1, text_or(digest, ""));
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    if (!row || strcmp(col_text(st, 2), "here")) {
        db_reset(st);
        problem_set(p, 422, "document-unknown", field, "the digest of a finished upload", digest,
                    "这份材料还没有上传完成", "This paper has not been uploaded");
        return ERR_INVALID;
    }
    err = form_check_document(material, col_text(st, 1), col_int(st, 0), p);
    if (err == OK) {
        *ret = json_object();
        json_set_text(*ret, "digest", digest);
        json_set_text(*ret, "media_type", col_text(st, 1));
        json_set_int(*ret, "size", col_int(st, 0));
        json_set_text(*ret, "name", col_text(st, 3));
    } else {
        snprintf(p->field, sizeof p->field, "%s", field);
    }
    db_reset(st);
    return err;
}

enum err papers_check(struct db *db, const struct json *item, const struct json *given,
                      struct json **ret, struct problem *p, struct errmsg *e)
{
    struct json *list = json_array();
    enum err err = OK;

    for (size_t i = 0; err == OK && i < json_count(given); i++) {
        const struct json *g = json_at(given, i), *docs = json_get(g, "documents");
        const struct json *material = form_material(item, json_get_text(g, "code"));
        struct json *m = json_object();
        json_push(list, m);
        json_set_text(m, "code", json_get_text(g, "code"));
        if (json_get_bool(g, "later", false))
            json_set_bool(m, "later", true);
        if (json_get_bool(g, "commitment", false))
            json_set_bool(m, "commitment", true);
        if (!material) {
            problem_set(p, 422, "material-unknown", "materials", "a material of this item",
                        json_get_text(g, "code"), "材料不属于本事项", "Not a paper of this item");
            err = ERR_INVALID;
        }
        if (json_count(docs) > 20) {
            problem_set(p, 422, "documents-too-many", "materials", "at most 20 files for one paper",
                        NULL, "一份材料最多 20 个文件", "At most 20 files for one paper");
            err = ERR_INVALID;
        }
        struct json *kept = json_array();
        json_set(m, "documents", kept);
        for (size_t k = 0; err == OK && k < json_count(docs); k++) {
            struct json *d = NULL;
            err = paper_check(db, material, json_value_text(json_at(docs, k)), i, k, &d, p, e);
            if (d)
                json_push(kept, d);
        }
    }
    if (err == OK)
        *ret = list;
    else
        json_free(list);
    return err;
}
