/* The promises of a world that has come to rest: everything is where it belongs, and the same
 * everywhere. */
#include "told.h"

#include <string.h>

/* ---- is everything where it belongs? ----------------------------------------------------------*/

/* A rogue names papers that are nowhere, or says no more today. */
static bool only_rogue_has(const char *digest)
{
    for (int i = 0; i < SITES; i++)
        if (!rogue_ground_no(i) && check_paper_there(i, digest + 7))
            return false;
    return rogue >= 0;
}

static bool wants(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT digest, dossier FROM document WHERE state = 'wanted'");
    bool row, any = false;

    while (!any && db_step(st, &row, NULL) == OK && row)
        any = !check_is_lost(col_text(st, 0)) && !only_rogue_has(col_text(st, 0)) &&
              !check_rogue_opened(s, col_text(st, 1));
    db_reset(st);
    return any;
}

/* Does what it says go no further today than the rogue, which may be its street? */
static bool cut_off(int no)
{
    return check_rogue_shut() && rogue_ground_no(no);
}

/* Has an office above not seen the site's signature under all that it holds of it? */
static bool unsigned_above(int no)
{
    bool any = false;

    for (int up = parent_of(no); !any && up >= 0; up = parent_of(up)) {
        if (cut_off(no) && !rogue_ground_no(up))
            break;
        struct stmt *st =
            db_stmt(site[up].db, "SELECT 1 FROM origin WHERE origin = $1 AND signed_seq < seq");
        bind_text(st, 1, site[no].office.ledger.origin);
        if (db_step(st, &any, NULL) != OK)
            any = true;
        db_reset(st);
    }
    return any;
}

static bool all_acknowledged(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT peer FROM link WHERE head_pos <> acked_pos");
    bool row, all = true;

    while (all && db_step(st, &row, NULL) == OK && row)
        all = check_rogue_shut() && !strcmp(col_text(st, 0), site[rogue].code);
    db_reset(st);
    return all;
}

const char *check_waits(void)
{
    static char why[120];

    for (int i = 0; i < SITES; i++) {
        struct site *s = &site[i];
        const char *what = NULL;
        if (i == rogue && check_rogue_shut())
            continue;
        if (!s->up || s->queue || s->busy)
            what = "is down or busy";
        else if (i &&
                 (!conns[i].open || !conns[i].end[0].link || !link_is_up(conns[i].end[0].link)))
            what = "has no link";
        else if (!all_acknowledged(s))
            what = "has events that are not acknowledged";
        else if (!s->caught_up)
            what = "has not caught up with its program";
        else if (check_count(s, "SELECT count(*) FROM meta WHERE key = 'recall'") != 0)
            what = "waits for its past";
        else if (wants(s))
            what = "waits for papers";
        else if (i >= 3 && i != rogue && /* what it names beside its right nobody wants */
                 check_count(s, "SELECT count(*) FROM document WHERE sent = 0 AND state = 'here' "
                                "AND dossier <> ''") != 0)
            what = "does not know that its papers have arrived";
        else if (i && site[parent_of(i)].up && site[0].up && unsigned_above(i))
            what = "has events above that it has not signed";
        if (what) {
            snprintf(why, sizeof why, "site %d %s", i, what);
            return why;
        }
    }
    return NULL;
}

bool check_quiet(void)
{
    return !check_waits();
}

/* ---- the same everywhere ----------------------------------------------------------------------*/

static size_t line_of(const char *at)
{
    return *at ? strcspn(at, "\n") + 1 : 0;
}

/* The row of the same key (the first two columns) there; "" where there is none. */
static const char *namesake(const char *all, const char *line)
{
    const char *end = line;

    for (int bars = 0; *end && bars < 3; end++)
        bars += *end == '|';
    for (; *all; all += line_of(all))
        if (!strncmp(all, line, (size_t)(end - line)))
            return all;
    return "";
}

/* Every row of a dossier is the same at every site that has it; the district has all. Both are in the
 * order of the key. */
static void agree(int no, const char *mine, const char *all)
{
    const char *at = all;
    size_t n, m;

    for (; (n = line_of(mine)) && !broken; mine += n) {
        while ((m = line_of(at)) && (m != n || memcmp(at, mine, n) != 0))
            at += m;
        const char *other = m ? "" : namesake(all, mine);
        if (!m)
            breach("site %d has what the district has not: %.*s / %.*s", no, (int)n - 1, mine,
                   *other ? (int)line_of(other) - 1 : 0, other);
    }
}

static void check_agreement(void)
{
    struct buf all = {0}, mine = {0};

    for (size_t t = 0; t < all_work.type_count; t++)
        for (size_t i = 0; i < all_work.types[t]->table_count; i++) {
            const struct projection *p = &all_work.types[t]->tables[i];
            buf_reset(&all);
            tables_read_one(&site[0], p, &all);
            for (int k = 1; k < SITES && !broken; k++) {
                if (rogue_ground_no(k))
                    continue; /* it may have opened what is nobody's; a street may keep anything back */
                buf_reset(&mine);
                tables_read_one(&site[k], p, &mine);
                agree(k, buf_text(&mine), buf_text(&all));
            }
        }
    buf_free(&all);
    buf_free(&mine);
}

/* ---- with whom it belongs ----------------------------------------------------------------------*/

/* Who has part in a dossier has all of it that counts. */
static void check_has_all(struct site *s, const struct telling *t)
{
    struct stmt *st =
        db_stmt(s->db, "SELECT count(*) FROM event WHERE dossier = $1 AND state IN ('applied', "
                       "'aside')");
    int n = 0;
    bool row;

    for (int i = 0; i < t->count; i++)
        n += !strcmp(t->list[i].state, "applied") || !strcmp(t->list[i].state, "aside");
    bind_text(st, 1, t->list[0].dossier);
    if (db_step(st, &row, NULL) == OK && row && col_int(st, 0) != n)
        breach("site %d has %lld events of %s, which concerns it, and the district %d", s->no,
               (long long)col_int(st, 0), t->list[0].dossier, n);
    db_reset(st);
}

static void one_concerned(struct site *district, struct telling *t)
{
    struct hands_of h;

    (void)district;
    judge_hands(t, &h);
    for (int i = 1; h.opening && i < SITES; i++)
        if (!rogue_ground_no(i) && judge_part(&h, site[i].code))
            check_has_all(&site[i], t);
}

static void check_concerned(void)
{
    told_each_dossier(&site[0], one_concerned, NULL);
}

/* ---- each site by itself, and what it has said ------------------------------------------------*/

static void check_site(struct site *s)
{
    struct errmsg e = {""};
    struct buf before = {0}, after = {0};
    char what[240];
    struct ledger_counts n;
    int64_t papers;

    if (ledger_verify(s->db, &n, &e) != OK)
        breach("site %d: the ledger does not hold: %s", s->no, e.text);
    if (blob_verify_all(s->blobs, &papers, &e) != OK)
        breach("site %d: a paper is not what its name says: %s", s->no, e.text);
    check_papers(s);
    check_clock(s);
    if (check_count(s,
                    "SELECT count(*) FROM repair r JOIN event v ON v.origin = r.origin AND v.seq = "
                    "r.seq WHERE v.state IN ('applied', 'unknown') /* full scan: a test */"))
        breach("site %d: a repair item about what is applied, or not known", s->no);
    tables_read(s, NULL, &before);
    if (db_begin(s->db, &e) != OK || office_rebuild(&s->office, s->db, &e) != OK)
        breach("site %d: the projections cannot be folded again: %s", s->no, e.text);
    tables_read(s, NULL, &after);
    if (tables_differ(&before, &after, what))
        breach("site %d: the projections differ from a fresh fold: %s", s->no, what);
    db_rollback(s->db, NULL);
    buf_free(&before);
    buf_free(&after);
}

/* Everything said by a site, in every epoch, is at its street and its district. */
static void check_witnessed(void)
{
    for (int i = 0; i < SITES; i++) {
        struct stmt *st = db_stmt(
            site[i].db,
            "SELECT origin, seq, hash FROM origin WHERE substr(origin, 1, 12) = $1 AND seq > 0");
        bool row;
        bind_text(st, 1, site[i].code);
        while (db_step(st, &row, NULL) == OK && row)
            for (int up = parent_of(i); up >= 0; up = parent_of(up)) {
                if (cut_off(i) && !rogue_ground_no(up))
                    break;
                unsigned char hash[32];
                struct errmsg e;
                uint64_t seq = 0, head = (uint64_t)col_int(st, 1);
                size_t n;
                if (ledger_head(site[up].db, col_text(st, 0), &seq, hash, &e) != OK ||
                    seq != head || memcmp(hash, col_blob(st, 2, &n), 32))
                    breach("site %d holds %llu events of %s, which has %llu", up,
                           (unsigned long long)seq, col_text(st, 0), (unsigned long long)head);
                if (!strcmp(col_text(st, 0), site[i].acked_origin) && seq < site[i].acked_seq)
                    breach("site %d acknowledged %llu of its events to people, site %d holds %llu",
                           i, (unsigned long long)site[i].acked_seq, up, (unsigned long long)seq);
            }
    }
}

/* ... and what its parent has of it, it has itself, also when it lost its disk. */
static void check_remembered(void)
{
    for (int i = 1; i < SITES; i++) {
        if (i == rogue && check_rogue_shut())
            continue;
        struct stmt *st =
            db_stmt(site[parent_of(i)].db,
                    "SELECT origin, seq FROM origin WHERE substr(origin, 1, 12) = $1 AND seq > 0");
        bool row;
        bind_text(st, 1, site[i].code);
        while (db_step(st, &row, NULL) == OK && row) {
            unsigned char hash[32];
            struct errmsg e;
            uint64_t seq = 0;
            if (ledger_head(site[i].db, col_text(st, 0), &seq, hash, &e) != OK ||
                seq != (uint64_t)col_int(st, 1))
                breach("site %d has %llu events of its own %s, its parent %lld", i,
                       (unsigned long long)seq, col_text(st, 0), (long long)col_int(st, 1));
        }
    }
}

/* ---- all of it --------------------------------------------------------------------------------*/

void check_end(void)
{
    for (int i = 0; i < SITES && !broken; i++)
        if (i < 3 || dice(3) == 0)
            check_site(&site[i]);
    if (!broken)
        check_witnessed();
    if (!broken)
        check_remembered();
    if (!broken)
        check_numbers();
    if (!broken)
        check_agreement();
    if (!broken)
        check_concerned();
    if (!broken)
        check_rogue();
    for (size_t t = 0; t < sim_type_count && !broken; t++)
        sim_types[t]->check_end();
    for (int i = 1; i < SITES && !broken; i++)
        for (size_t t = 0; t < sim_type_count && !rogue_ground_no(i); t++)
            sim_types[t]->check_people(&site[i]);
    trace("cases %lld, events %lld, set aside %lld",
          (long long)check_count(&site[0], "SELECT count(*) FROM case_file"),
          (long long)check_count(&site[0], "SELECT count(*) FROM event"),
          (long long)check_count(&site[0], "SELECT count(*) FROM repair"));
}
