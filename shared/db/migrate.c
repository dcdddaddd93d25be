#include "db/migrate.h"

#include <assert.h>
#include <string.h>

static enum err scalar(struct db *db, const char *sql, int *ret, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, sql);
    bool row;
    enum err err = db_step(st, &row, e);

    if (err == OK)
        *ret = row ? (int)col_int(st, 0) : 0;
    db_reset(st);
    return err;
}

enum err migrate_version(struct db *db, int *ret_version, struct errmsg *e)
{
    int tables = 0, version = 0;
    enum err err = scalar(
        db, "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name='schema_version'",
        &tables, e);

    if (err == OK && tables)
        err = scalar(db, "SELECT max(version) FROM schema_version", &version, e);
    if (err == OK)
        *ret_version = version;
    return err;
}

static enum err run_one(struct db *db, const struct migration *m, struct errmsg *e)
{
    assert(m->name && m->sql && db_in_transaction(db));
    enum err err = db_exec(db, m->sql, e);

    if (err == OK) {
        struct stmt *st = db_stmt(db, "INSERT INTO schema_version(version, name, applied_at)"
                                      " VALUES($version, $name, datetime('now'))");
        bind_int(st, "$version", m->version);
        bind_text(st, "$name", m->name);
        err = db_run(st, e);
    }
    if (err != OK)
        errmsg_wrap(e, "step %04d %s", m->version, m->name);
    return err;
}

/* A file whose steps are not the first of ours has another beginning. */
static enum err same_beginning(struct db *db, const struct migration *list, int n, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT version, name FROM schema_version ORDER BY version");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row) {
        const struct migration *m = list;
        while (m < list + n && m->version != col_int(st, 0))
            m++;
        if (m < list + n && strcmp(m->name, col_text(st, 1))) {
            errmsg_set(
                e,
                "the data are of a format from before the first release (their step %d is "
                "\"%s\", here it is \"%s\"), which no later program reads: keep the program "
                "that wrote them to look at them, and set the site up anew in an empty folder "
                "数据为正式发布前的旧格式，请在空文件夹中重新建站",
                m->version, col_text(st, 1), m->name);
            err = ERR_UNSUPPORTED;
            break;
        }
    }
    db_reset(st);
    return err;
}

enum err migrate(struct db *db, const struct migration *list, int n, struct errmsg *e)
{
    int have = 0, known = n ? list[n - 1].version : 0;
    enum err err = db_begin(db, e);

    if (err != OK)
        goto fail;
    err = migrate_version(db, &have, e);
    if (err == OK && have)
        err = same_beginning(db, list, n, e);
    if (err == OK && have > known) {
        errmsg_set(e,
                   "the data were written by a newer program (schema %d, this program knows %d); "
                   "install the newer program",
                   have, known);
        err = ERR_UNSUPPORTED;
    }
    if (err == OK && have < known)
        err = db_exec(db,
                      "CREATE TABLE IF NOT EXISTS schema_version("
                      " version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"
                      " STRICT",
                      e);
    for (int i = 0; err == OK && i < n; i++) {
        assert(list[i].version > (i ? list[i - 1].version : 0));
        if (list[i].version > have)
            err = run_one(db, &list[i], e);
    }
    if (err == OK)
        err = db_commit(db, e);
    if (err == OK)
        return OK;
    (void)db_rollback(db, NULL);
fail:
    errmsg_wrap(e, "migrate %s", db_path(db));
    return err;
}
