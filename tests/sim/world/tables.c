/* All that people read, as text: so that two foldings can be compared, and what differs be named. */
#include "world.h"

#include <string.h>

static void add_row(struct stmt *st, const char *table, int columns, struct buf *out)
{
    buf_puts(out, table);
    for (int i = 0; i < columns; i++) {
        const char *text = col_text(st, i);
        buf_putc(out, '|');
        buf_puts(out, text ? text : "NULL");
    }
    buf_putc(out, '\n');
}

static void add_table(struct site *s, const struct projection *p, const char *but, struct buf *out)
{
    char sql[900];
    int columns = 1;
    bool row;

    for (const char *c = p->columns; *c; c++)
        columns += *c == ',';
    snprintf(sql, sizeof sql, "SELECT %s FROM %s %s ORDER BY %s /* full scan: a test */",
             p->columns, p->table,
             !but                          ? ""
             : strcmp(p->table, "counter") ? "WHERE substr(origin, 1, 12) <> $1"
                                           : "WHERE holder <> $1",
             p->key);
    struct stmt *st = db_stmt(s->db, sql);
    if (but)
        bind_text(st, 1, but);
    while (db_step(st, &row, NULL) == OK && row)
        add_row(st, p->table, columns, out);
    db_reset(st);
}

void tables_read_one(struct site *s, const struct projection *p, struct buf *out)
{
    add_table(s, p, NULL, out);
}

void tables_read(struct site *s, const char *but, struct buf *out)
{
    static const struct projection verdicts = {"event", "origin, seq, kind, dossier, state, reason",
                                               "origin, seq"};
    const struct office_work *w = s->office.work;

    for (size_t g = 0; g < w->group_count; g++)
        for (size_t i = 0; i < w->groups[g]->table_count; i++) {
            const struct projection *p = &w->groups[g]->tables[i];
            bool told = !strcmp(p->table, "repair") || !strcmp(p->table, "counter");
            add_table(s, p, told ? but : NULL, out);
        }
    for (size_t t = 0; t < w->type_count; t++)
        for (size_t i = 0; i < w->types[t]->table_count; i++)
            add_table(s, &w->types[t]->tables[i], NULL, out);
    add_table(s, &verdicts, but, out);
}

static int line_at(const char *text)
{
    size_t n = strcspn(text, "\n");

    return n > 110 ? 110 : (int)n;
}

bool tables_differ(struct buf *a, struct buf *b, char out[240])
{
    size_t same = 0;

    if (a->len == b->len && !memcmp(a->data, b->data, a->len))
        return false;
    const char *x = buf_text(a), *y = buf_text(b);
    for (size_t i = 0; x[i] && x[i] == y[i]; i++)
        if (x[i] == '\n')
            same = i + 1;
    snprintf(out, 240, "%.*s / %.*s", line_at(x + same), x + same, line_at(y + same), y + same);
    return true;
}
