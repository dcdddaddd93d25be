/* Reading events without the parser and the tables of the code under test. */
#include "told.h"

#include "base/crypto.h"
#include "ledger/row.h"

#include <stdlib.h>
#include <string.h>

static char *keep(struct arena *a, const char *text)
{
    return arena_strdup(a, text ? text : "");
}

void told_read(struct site *s, const char *where, const char *arg, struct telling *t)
{
    char sql[400];
    bool row;

    snprintf(
        sql, sizeof sql,
        "SELECT kind, dossier, street, origin, seq, hlc, flags, state, record FROM event WHERE "
        "%s ORDER BY hlc, origin, seq /* full scan: a test */",
        where);
    struct stmt *st = db_stmt(s->db, sql);
    if (arg)
        bind_text(st, 1, arg);
    t->count = 0;
    while (db_step(st, &row, NULL) == OK && row) {
        if (t->count == t->cap) {
            int cap = t->cap ? t->cap * 2 : 64;
            struct told *more = arena_alloc(t->arena, sizeof *more * (size_t)cap);
            if (t->count)
                memcpy(more, t->list, sizeof *more * (size_t)t->count);
            t->list = more;
            t->cap = cap;
        }
        struct told *x = &t->list[t->count++];
        snprintf(x->kind, sizeof x->kind, "%s", col_text(st, 0));
        snprintf(x->dossier, sizeof x->dossier, "%s", col_text(st, 1));
        snprintf(x->street, sizeof x->street, "%s", col_text(st, 2));
        snprintf(x->origin, sizeof x->origin, "%s", col_text(st, 3));
        snprintf(x->by, sizeof x->by, "%.12s", col_text(st, 3));
        snprintf(x->state, sizeof x->state, "%s", col_text(st, 7));
        x->seq = (uint64_t)col_int(st, 4);
        x->hlc = (uint64_t)col_int(st, 5);
        x->flags = (unsigned)col_int(st, 6);
        x->record = keep(t->arena, col_text(st, 8));
        x->id[0] = 0;
    }
    db_reset(st);
}

static int by_dossier(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int c = strcmp(x->dossier, y->dossier);

    if (c)
        return c;
    if (x->hlc != y->hlc)
        return x->hlc < y->hlc ? -1 : 1;
    c = strcmp(x->origin, y->origin);
    return c ? c : x->seq < y->seq ? -1 : x->seq > y->seq;
}

void told_each_dossier(struct site *s, void (*fn)(struct site *s, struct telling *t),
                       void (*fact_fn)(struct site *s, const struct told *x))
{
    struct telling all = {.arena = arena_create()};

    told_read(s, "1 = 1", NULL, &all);
    qsort(all.list, (size_t)all.count, sizeof *all.list, by_dossier);
    for (int i = 0, n; i < all.count && !broken; i += n) {
        for (n = 1; i + n < all.count && !strcmp(all.list[i].dossier, all.list[i + n].dossier);)
            n++;
        struct telling one = {.arena = all.arena, .list = &all.list[i], .count = n};
        if (all.list[i].dossier[0] && fn)
            fn(s, &one);
        for (int k = 0; k < n && !all.list[i].dossier[0] && fact_fn; k++)
            fact_fn(s, &all.list[i + k]);
    }
    arena_destroy(all.arena);
}

void told_ids(struct site *s, struct telling *t)
{
    for (int i = 0; i < t->count; i++) {
        struct told *x = &t->list[i];
        struct stmt *st = db_stmt(s->db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE origin = "
                                                                      "$1 AND seq = $2");
        unsigned char id[EVENT_ID_BYTES];
        struct event_sum sum;
        bool row;
        bind_text(st, 1, x->origin);
        bind_int(st, 2, (int64_t)x->seq);
        if (db_step(st, &row, NULL) == OK && row) {
            struct event ev = ledger_row(st, 0);
            event_sum(&ev, &sum);
            event_id(&sum, id);
            hex_encode(id, sizeof id, x->id);
        }
        db_reset(st);
    }
}

/* Behind a text that begins at p. */
static const char *behind_text(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

/* Where the value of a member begins; NULL: it is not there. */
static const char *member(const char *json, const char *key)
{
    size_t n = strlen(key);
    int depth = 0;

    if (*json != '{')
        return NULL;
    for (const char *p = json; *p;) {
        if (*p == '"') {
            const char *end = behind_text(p);
            if (depth == 1 && *end == ':' && (size_t)(end - p) == n + 2 && !strncmp(p + 1, key, n))
                return end + 1;
            p = end;
            continue;
        }
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    }
    return NULL;
}

bool told_text(const struct told *x, const char *key, char *out, size_t cap)
{
    const char *p = member(x->record, key);

    out[0] = 0;
    if (!p || *p != '"')
        return false;
    snprintf(out, cap, "%.*s", (int)(behind_text(p) - p - 2), p + 1);
    return true;
}

int64_t told_int(const struct told *x, const char *key)
{
    const char *p = member(x->record, key);

    return p && (*p == '-' || (*p >= '0' && *p <= '9')) ? strtoll(p, NULL, 10) : -1;
}

void told_print(struct site *s, const char *dossier)
{
    struct telling t = {.arena = arena_create()};

    told_read(s, "dossier = $1", dossier, &t);
    for (int i = 0; i < t.count; i++)
        printf("  site %d: %016llx %s.%llu %s %s %.200s\n", s->no,
               (unsigned long long)t.list[i].hlc, t.list[i].origin,
               (unsigned long long)t.list[i].seq, t.list[i].kind, t.list[i].state,
               t.list[i].record);
    arena_destroy(t.arena);
}
