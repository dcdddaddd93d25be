/* Make a hub's folder old: multiply what it holds of one origin.
 *
 *   bench_stored DIR ORIGIN COPIES
 *
 * Every row that belongs to the origin or to a case that it speaks of is copied COPIES times, each
 * time as another site's, a day earlier, with case numbers of that day: facts, outboxes and
 * projections alike, so that every table and index is as large as after years. It is done by SQL
 * and not through the rules, which would take long. What is not as in a real folder: the hash
 * chains and signatures of the copies (nobody reads old ones when new events come), the check digit
 * of their case numbers, and what the bodies say of dates and numbers. `verify` would refuse it. */
#include "db/db.h"
#include "filing.h"
#include "site/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 64
#define DAY_MS 86400000LL

static struct errmsg e;
static struct problem p;
static struct db *db;

struct table {
    char name[64];
    bool by_origin, by_dossier; /* else by case */
    char columns[1024];
    char copied[4096]; /* an expression for each column; $s new site, $k number of the copy, $m rows
                          of the outbox */
};

static void sql(const char *text)
{
    filing_must(db_exec(db, text, &e), text, &e, &p);
}

static void add(char *out, size_t cap, const char *sep, const char *text)
{
    if (strlen(out) + strlen(sep) + strlen(text) + 1 > cap)
        exit(1);
    strcat(strcat(out, out[0] ? sep : ""), text);
}

/* How a column of a copy comes from the template's. */
static void column(struct table *t, const char *name, const char *type, const char *old)
{
    char x[512];
    size_t n = strlen(name);

    if (!strcmp(name, "case_no") || !strcmp(name, "dossier") || !strcmp(name, "id"))
        snprintf(
            x, sizeof x,
            "CASE %s WHEN '' THEN '' ELSE substr(%s, 1, 9) || substr(strftime('%%Y%%m%%d', '20' || "
            "substr(%s, 10, 2) || '-' || "
            "substr(%s, 12, 2) || '-' || substr(%s, 14, 2), '-$k days'), 3) || substr(%s, 16) END",
            name, name, name, name, name, name);
    else if (!strcmp(name, "number"))
        snprintf(x, sizeof x, "number || '-$k'");
    else if (!strcmp(name, "pos"))
        snprintf(x, sizeof x, "pos + $k * (SELECT head_pos FROM mark WHERE mark.peer = t.peer)");
    else if (!strcmp(name, "up_pos"))
        snprintf(x, sizeof x, "up_pos + $k * (SELECT max(head_pos) FROM mark)");
    else if (!strcmp(name, "hlc"))
        snprintf(x, sizeof x, "hlc - $k * %lld", DAY_MS << 16);
    else if (!strcmp(name, "person"))
        snprintf(x, sizeof x,
                 "(filed_ms - $k * %lld) / 604800000 * 100000000000 + person %% 100000000000",
                 DAY_MS);
    else if (!strcmp(name, "certificate"))
        snprintf(x, sizeof x, "CASE certificate WHEN '' THEN '' ELSE certificate || '-$k' END");
    else if (n > 3 && !strcmp(name + n - 3, "_ms"))
        snprintf(x, sizeof x, "CASE %s WHEN 0 THEN 0 ELSE %s - $k * %lld END", name, name, DAY_MS);
    else if (!strcmp(type, "TEXT") && strcmp(name, "actor") && strcmp(name, "kind"))
        snprintf(x, sizeof x, "replace(%s, '%s', '$s')", name, old);
    else
        snprintf(x, sizeof x, "%s", name);
    add(t->columns, sizeof t->columns, ", ", name);
    add(t->copied, sizeof t->copied, ", ", x);
}

/* The tables that speak of origins or cases, and their rows of the template. */
static int templates(struct table *t, const char *origin)
{
    struct stmt *st = db_stmt(db, "SELECT m.name, c.name, c.type FROM sqlite_master m, "
                                  "pragma_table_info(m.name) c WHERE m.type = 'table' "
                                  "AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) x WHERE "
                                  "x.name IN ('origin', 'case_no', 'dossier')) "
                                  "ORDER BY m.name, c.cid");
    char text[6000];
    int n = 0;
    bool row;

    while (db_step(st, &row, &e) == OK && row) {
        if (!n || strcmp(t[n - 1].name, col_text(st, 0))) {
            if (n == TABLES_MAX)
                exit(1);
            memset(&t[n], 0, sizeof t[n]);
            snprintf(t[n++].name, sizeof t->name, "%s", col_text(st, 0));
        }
        t[n - 1].by_origin |= !strcmp(col_text(st, 1), "origin");
        t[n - 1].by_dossier |= !strcmp(col_text(st, 1), "dossier");
        column(&t[n - 1], col_text(st, 1), col_text(st, 2), origin);
    }
    snprintf(text, sizeof text,
             "CREATE TEMP TABLE cases AS SELECT DISTINCT dossier FROM event WHERE origin = '%s' "
             "AND dossier <> ''",
             origin);
    sql(text);
    sql("CREATE TEMP TABLE mark AS SELECT peer, head_pos FROM link");
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text,
                 t[i].by_origin ? "CREATE TEMP TABLE t_%s AS SELECT * FROM %s WHERE origin = '%s'"
                                : "CREATE TEMP TABLE t_%s AS SELECT * FROM %s WHERE %s IN "
                                  "(SELECT dossier FROM cases)",
                 t[i].name, t[i].name,
                 t[i].by_origin    ? origin
                 : t[i].by_dossier ? "dossier"
                                   : "case_no");
        sql(text);
    }
    return n;
}

/* Is the outbox to the parent a number in the event's row? */
static bool has_up_pos(void)
{
    struct stmt *st = db_stmt(db, "SELECT 1 FROM pragma_table_info('event') WHERE name = 'up_pos'");
    bool row = false;

    if (db_step(st, &row, &e) == OK)
        db_reset(st);
    return row;
}

/* text with $s and $k put in. */
static void fill_in(const char *text, const char *site, int k, char *out, size_t cap)
{
    size_t n = 0;

    for (; *text && n + 16 < cap; text++)
        if (text[0] == '$' && text[1] == 's')
            n += (size_t)snprintf(out + n, cap - n, "%s", site), text++;
        else if (text[0] == '$' && text[1] == 'k')
            n += (size_t)snprintf(out + n, cap - n, "%d", k), text++;
        else
            out[n++] = *text;
    out[n] = 0;
}

int main(int argc, char **argv)
{
    static struct table tables[TABLES_MAX];
    struct folder f;
    char text[12000], done[12000], site[13];
    int copies = argc == 4 ? atoi(argv[3]) : 0, n;

    json_use_arenas();
    if (copies < 1 || copies > 700 || strlen(argv[2]) != 12)
        return 2;
    filing_must(folder_read(argv[1], &f, &e), "folder", &e, &p);
    filing_must(folder_open_db(&f, &db, &e), "database", &e, &p);
    sql("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY; "
        "PRAGMA wal_autocheckpoint = 20000");
    n = templates(tables, argv[2]);
    for (int k = 1; k <= copies; k++) {
        filing_must(db_begin(db, &e), "begin", &e, &p);
        snprintf(site, sizeof site, "%.9s%03d", argv[2], 100 + k);
        for (int i = 0; i < n; i++) {
            snprintf(text, sizeof text, "INSERT INTO %.63s (%.1023s) SELECT %.4095s FROM t_%.63s t",
                     tables[i].name, tables[i].columns, tables[i].copied, tables[i].name);
            fill_in(text, site, k, done, sizeof done);
            sql(done);
        }
        filing_must(db_commit(db, &e), "commit", &e, &p);
    }
    filing_must(db_begin(db, &e), "begin", &e, &p);
    /* The parent and the children have had it all. Positions may have gaps. */
    sql("UPDATE link SET head_pos = max(head_pos, coalesce((SELECT max(pos) FROM outbox WHERE "
        "outbox.peer = link.peer), 0))");
    if (has_up_pos())
        sql("UPDATE link SET head_pos = max(head_pos, (SELECT max(up_pos) FROM event)) WHERE role "
            "= 'parent'");
    sql("UPDATE link SET acked_pos = head_pos");
    filing_must(db_commit(db, &e), "commit", &e, &p);
    sql("PRAGMA wal_checkpoint(TRUNCATE)");
    db_close(db);
    return 0;
}
