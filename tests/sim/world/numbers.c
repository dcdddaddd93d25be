/* Every number that was given out lies in a block that was leased to its user, blocks do not
 * overlap, and in between none is missing: read from the events of the district alone, apart from
 * the rows that the offices keep. */
#include "world.h"

#include "base/ids.h"
#include "base/mem.h"
#include "ledger/event.h"

#include <stdlib.h>
#include <string.h>

struct block {
    char kind, street[13], holder[13];
    int64_t first, last;
};

struct use {
    char kind, holder[13], day[8], street[13];
    int64_t n;
    char case_no[24];
    bool applied;
};

static struct block *blocks;
static struct use *uses;
static int block_count, block_cap, use_count, use_cap;

int64_t int_of(const char *body, const char *key)
{
    char quoted[24];

    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *p = strstr(body, quoted);
    return p ? strtoll(p + strlen(quoted), NULL, 10) : -1;
}

bool text_of(const char *body, const char *key, char *out, size_t cap)
{
    char quoted[24];

    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *p = strstr(body, quoted);
    snprintf(out, cap, "%.*s", p ? (int)strcspn(p + strlen(quoted), "\"") : 0,
             p ? p + strlen(quoted) : "");
    return p != NULL;
}

static void note_block(const char *street, const char *body)
{
    char kind[16];

    if (block_count == block_cap)
        blocks = mem_realloc(blocks,
                             sizeof *blocks * (size_t)(block_cap = block_cap ? block_cap * 2 : 64));
    struct block *b = &blocks[block_count++];
    *b = (struct block){.first = int_of(body, "first"), .last = int_of(body, "last")};
    text_of(body, "kind", kind, sizeof kind);
    text_of(body, "holder", b->holder, sizeof b->holder);
    snprintf(b->street, sizeof b->street, "%s",
             kind[0] == 'w' ? "" : street); /* waybills are the district's */
    b->kind =
        kind[0] == 'c' ? kind[1] : kind[0]; /* a: case, e: certificate, w: waybill, t: ticket */
}

static void note_use(char kind, const char *origin, const char *day, int64_t n, const char *case_no,
                     bool applied)
{
    if (use_count == use_cap)
        uses = mem_realloc(uses, sizeof *uses * (size_t)(use_cap = use_cap ? use_cap * 2 : 256));
    struct use *u = &uses[use_count++];
    *u = (struct use){.kind = kind, .n = n, .applied = applied};
    event_site(origin, u->holder);
    division_street(u->holder, u->street);
    snprintf(u->day, sizeof u->day, "%s", day);
    snprintf(u->case_no, sizeof u->case_no, "%s", case_no);
}

static const char *by_of(const char *origin)
{
    static char by[13];

    event_site(origin, by);
    return by;
}

static void read_events(void)
{
    struct stmt *st = db_stmt(
        site[0].db, "SELECT kind, origin, dossier, record, state, street FROM event WHERE kind IN "
                    "('block.leased/1', "
                    "'case.filed/1', 'ticket.issued/1', 'certificate.issued/1', "
                    "'delivery.ordered/1', 'delivery.assigned/1') "
                    "/* full scan: a test */");
    bool row;

    block_count = use_count = 0;
    while (db_step(st, &row, NULL) == OK && row) {
        const char *kind = col_text(st, 0), *origin = col_text(st, 1), *no = col_text(st, 2),
                   *body = col_text(st, 3);
        bool applied = !strcmp(col_text(st, 4), "applied");
        if (rogue_ground(by_of(origin)) || (!applied && !strcmp(kind, "block.leased/1")))
            continue; /* what it numbers, nobody explains */
        char text[48], day[8] = "";
        if (!strcmp(kind, "block.leased/1")) {
            note_block(col_text(st, 5), body);
        } else if (!strcmp(kind, "case.filed/1")) {
            snprintf(day, sizeof day, "%.6s", no + 9);
            snprintf(text, sizeof text, "%.5s", no + 15);
            note_use('a', origin, day, strtoll(text, NULL, 10), no, applied);
        } else if (!strcmp(kind, "ticket.issued/1") && strlen(no) == 20) { /* a series a day */
            snprintf(day, sizeof day, "%.7s", no + 10);
            note_use('t', origin, day, strtoll(no + 17, NULL, 10) - 1, no, applied);
        } else if (!strcmp(kind, "certificate.issued/1") &&
                   text_of(body, "number", text, sizeof text) && strlen(text) > 6) {
            note_use('e', origin, "", strtoll(text + strlen(text) - 6, NULL, 10), no, applied);
        } else if (text_of(body, "waybill", text, sizeof text) && strlen(text) == 13) {
            text[10] = 0; /* the check digit */
            note_use('w', origin, "", strtoll(text + 2, NULL, 10), no, applied);
        }
    }
    db_reset(st);
}

static int by_block(const void *x, const void *y)
{
    const struct block *a = x, *b = y;
    int c = a->kind != b->kind ? a->kind - b->kind : strcmp(a->street, b->street);

    return c ? c : a->first < b->first ? -1 : a->first > b->first;
}

static int by_use(const void *x, const void *y)
{
    const struct use *a = x, *b = y;
    int c = a->kind != b->kind ? a->kind - b->kind : strcmp(a->holder, b->holder);

    c = c ? c : strcmp(a->day, b->day);
    c = c ? c : a->n < b->n ? -1 : a->n > b->n;
    return c ? c : strcmp(a->case_no, b->case_no);
}

static struct site *site_by(const char *code)
{
    for (int i = 0; i < SITES; i++)
        if (!strcmp(site[i].code, code))
            return &site[i];
    return &site[0];
}

/* The first number of this holder behind n; -1: none. */
static int64_t after(const struct use *u, int64_t n)
{
    int64_t least = -1;

    for (int i = 0; i < block_count; i++) {
        const struct block *b = &blocks[i];
        if (b->kind != u->kind || strcmp(b->holder, u->holder) || b->last <= n)
            continue;
        int64_t x = b->first > n ? b->first : n + 1;
        if (least < 0 || x < least)
            least = x;
    }
    return least;
}

void check_numbers(void)
{
    read_events();
    if (!block_count)
        return;
    qsort(blocks, (size_t)block_count, sizeof *blocks, by_block);
    for (int i = 1; i < block_count; i++) /* a holder may be given the rest of his own once more */
        if (blocks[i].kind == blocks[i - 1].kind &&
            !strcmp(blocks[i].street, blocks[i - 1].street) &&
            blocks[i].first <= blocks[i - 1].last && strcmp(blocks[i].holder, blocks[i - 1].holder))
            breach("two blocks of %s share numbers: %lld..%lld for %s, %lld..%lld for %s",
                   blocks[i].street, (long long)blocks[i - 1].first, (long long)blocks[i - 1].last,
                   blocks[i - 1].holder, (long long)blocks[i].first, (long long)blocks[i].last,
                   blocks[i].holder);
    if (!use_count)
        return;
    qsort(uses, (size_t)use_count, sizeof *uses, by_use);
    for (int i = 0; i < use_count; i++) {
        const struct use *u = &uses[i], *last = i ? &uses[i - 1] : NULL;
        bool begins = !last || last->kind != u->kind || strcmp(last->holder, u->holder) ||
                      strcmp(last->day, u->day);
        const struct site *s = site_by(u->holder);
        int64_t next = after(u, begins ? -1 : last->n);
        if (!begins && u->n == last->n) {
            /* The same certificate stands in one event; a waybill may be named again in its own
             * case. */
            if (u->applied && last->applied && !s->untold &&
                (u->kind != 'w' || strcmp(u->case_no, last->case_no)))
                breach("the number %c %lld of %s was used twice: %s and %s", u->kind,
                       (long long)u->n, u->holder, last->case_no, u->case_no);
        } else if (u->n < next || next < 0) {
            breach("the number %c %lld of %s was never leased to it", u->kind, (long long)u->n,
                   u->holder);
        } else if (u->n != next && !s->restored) {
            bool leased = false; /* a gap, but a number of its own? */
            for (int k = 0; k < block_count; k++)
                leased |= blocks[k].kind == u->kind && !strcmp(blocks[k].holder, u->holder) &&
                          blocks[k].first <= u->n && u->n <= blocks[k].last;
            breach(leased ? "the numbers %c %lld..%lld of %s are not explained"
                          : "the number %c ..%lld..%lld of %s was never leased to it",
                   u->kind, (long long)next, (long long)u->n - 1, u->holder);
        }
    }
}
