/* The tables `paper` and `document`. */
#include "office/papers.h"

#include "base/text.h"
#include "ledger/blob.h"

static bool digest_fits(const char *digest)
{
    return digest_valid(digest) && strspn(digest + 7, "0123456789abcdef") == 64;
}

bool papers_fit(const struct json *materials, size_t *ret_count)
{
    size_t n = json_count(materials);

    if (!json_is_array(materials))
        return false;
    for (size_t i = 0; i < json_count(materials); i++) {
        const struct json *m = json_at(materials, i), *docs = json_get(m, "documents");
        if (!json_get_text(m, "code") || (docs && !json_is_array(docs)))
            return false;
        for (size_t k = 0; k < json_count(docs); k++, n++)
            if (!digest_fits(json_get_text(json_at(docs, k), "digest")))
                return false;
    }
    *ret_count = n;
    return true;
}

/* Call fn for every paper of the list. */
static enum err each(const struct json *materials,
                     enum err (*fn)(void *arg, const struct json *document, struct errmsg *e),
                     void *arg, struct errmsg *e)
{
    enum err err = OK;
    size_t n;

    if (!papers_fit(materials, &n))
        return OK;
    for (size_t i = 0; err == OK && i < json_count(materials); i++) {
        const struct json *docs = json_get(json_at(materials, i), "documents");
        for (size_t k = 0; err == OK && k < json_count(docs); k++)
            err = fn(arg, json_at(docs, k), e);
    }
    return err;
}

struct naming {
    struct db *db;
    const char *street, *id;
    bool wanted;
    int64_t filed_ms;
};

static enum err name_one(void *arg, const struct json *document, struct errmsg *e)
{
    struct naming *n = arg;
    struct stmt *st = db_stmt(n->db, "INSERT INTO paper (street, dossier, digest) VALUES ($1, $2, "
                                     "$3) ON CONFLICT DO NOTHING");

    bind_text(st, 1, n->street);
    bind_text(st, 2, n->id);
    bind_text(st, 3, text_or(json_get_text(document, "digest"), ""));
    return db_run(st, e);
}

enum err papers_name(struct db *db, const char *street, const char *id,
                     const struct json *materials, struct errmsg *e)
{
    struct naming n = {.db = db, .street = street, .id = id};

    return each(materials, name_one, &n, e);
}

enum err papers_drop(struct db *db, const char *id, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "DELETE FROM paper WHERE dossier = $1");

    bind_text(st, 1, id);
    return db_run(st, e);
}

static enum err note_one(void *arg, const struct json *d, struct errmsg *e)
{
    struct naming *n = arg;
    struct stmt *st = db_stmt(
        n->db,
        "INSERT INTO document (digest, street, dossier, size, media_type, state, hlc, name) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (digest) DO UPDATE SET "
        "dossier = CASE document.dossier WHEN '' THEN excluded.dossier ELSE document.dossier END, "
        "hlc = CASE document.hlc WHEN 0 THEN excluded.hlc ELSE document.hlc END, "
        "state = CASE WHEN document.state = 'remote' THEN excluded.state ELSE document.state END "
        "WHERE document.dossier = '' OR document.hlc = 0 OR document.state <> "
        "CASE WHEN document.state = 'remote' THEN excluded.state ELSE document.state END");

    bind_text(st, 1, text_or(json_get_text(d, "digest"), ""));
    bind_text(st, 2, n->street);
    bind_text(st, 3, n->id);
    bind_int(st, 4, json_get_int(d, "size", 0));
    bind_text(st, 5, text_or(json_get_text(d, "media_type"), "application/octet-stream"));
    bind_text(st, 6, n->wanted ? "wanted" : "remote");
    bind_int(st, 7, n->filed_ms << 16);
    bind_text(st, 8, text_or(json_get_text(d, "name"), ""));
    return db_run(st, e);
}

enum err papers_note(struct db *db, const char *street, const char *id,
                     const struct json *materials, bool wanted, int64_t filed_ms, struct errmsg *e)
{
    struct naming n = {db, street, id, wanted, filed_ms};

    return each(materials, note_one, &n, e);
}

enum err paper_visible(struct office *o, struct db *db, const struct caller *c, const char *digest,
                       const char *id, bool *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT dossier FROM paper WHERE digest = $1 AND ($2 = '' OR "
                                  "dossier = $2)");
    enum err err;
    bool row;

    *ret = false;
    bind_text(st, 1, digest);
    bind_text(st, 2, id);
    while ((err = db_step(st, &row, e)) == OK && row && !*ret) {
        const struct dossier_type *t = dossier_type_of(o->work, col_text(st, 0));
        if (t && (err = t->visible(o, db, c, col_text(st, 0), ret, e)) != OK)
            break;
    }
    db_reset(st);
    return err;
}
