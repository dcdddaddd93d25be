/* The promises of a world that has come to rest: everything is where it belongs, and the same
 * everywhere. */
#include "world.h"

#include "base/mem.h"

#include <string.h>

/* ---- is everything where it belongs? ----------------------------------------------------------*/

static bool wants(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT digest FROM document WHERE state = 'wanted'");
    bool row, any = false;

    while (!any && db_step(st, &row, NULL) == OK && row)
        any = !check_is_lost(col_text(st, 0));
    db_reset(st);
    return any;
}

/* Has an office above not seen the site's signature under all that it holds of it? */
static bool unsigned_above(int no)
{
    bool any = false;

    for (int up = parent_of(no); !any && up >= 0; up = parent_of(up)) {
        struct stmt *st =
            db_stmt(site[up].db, "SELECT 1 FROM origin WHERE origin = $1 AND signed_seq < seq");
        bind_text(st, 1, site[no].office.ledger.origin);
        if (db_step(st, &any, NULL) != OK)
            any = true;
        db_reset(st);
    }
    return any;
}

const char *check_waits(void)
{
    static char why[120];

    for (int i = 0; i < SITES; i++) {
        struct site *s = &site[i];
        const char *what = NULL;
        if (!s->up || s->queue || s->busy)
            what = "is down or busy";
        else if (i &&
                 (!conns[i].open || !conns[i].end[0].link || !link_is_up(conns[i].end[0].link)))
            what = "has no link";
        else if (check_count(s, "SELECT count(*) FROM link WHERE head_pos <> acked_pos") != 0)
            what = "has events that are not acknowledged";
        else if (check_count(s, "SELECT count(*) FROM meta WHERE key = 'recall'") != 0)
            what = "waits for its past";
        else if (wants(s))
            what = "waits for papers";
        else if (i >= 3 && check_count(s, "SELECT count(*) FROM document WHERE sent = 0 "
                                          "AND state = 'here' AND dossier <> ''") != 0)
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

struct seen {
    char case_no[24], state[24], custodian[13];
    int64_t custody_no, completed_ms;
};

static int read_cases(struct site *s, struct seen **ret)
{
    struct stmt *st = db_stmt(s->db, "SELECT case_no, state, custodian, custody_no, completed_ms "
                                     "FROM case_file ORDER BY case_no");
    int n = 0, cap = 256;
    struct seen *list = mem_alloc(sizeof *list * (size_t)cap);
    bool row;

    while (db_step(st, &row, NULL) == OK && row) {
        if (n == cap)
            list = mem_realloc(list, sizeof *list * (size_t)(cap *= 2));
        struct seen *x = &list[n++];
        memset(x, 0, sizeof *x);
        snprintf(x->case_no, sizeof x->case_no, "%s", col_text(st, 0));
        snprintf(x->state, sizeof x->state, "%s", col_text(st, 1));
        snprintf(x->custodian, sizeof x->custodian, "%s", col_text(st, 2));
        x->custody_no = col_int(st, 3);
        x->completed_ms = col_int(st, 4);
    }
    *ret = list;
    return n;
}

/* The same case is the same at every site that has it; the district has all. */
static void check_agreement(void)
{
    struct seen *all, *mine;
    int n = read_cases(&site[0], &all);

    for (int i = 1; i < SITES; i++) {
        int m = read_cases(&site[i], &mine), at = 0;
        for (int k = 0; k < m; k++) {
            while (at < n && strcmp(all[at].case_no, mine[k].case_no) < 0)
                at++;
            if (at == n || strcmp(all[at].case_no, mine[k].case_no))
                breach("the district does not know case %s of site %d", mine[k].case_no, i);
            else if (memcmp(&all[at], &mine[k], sizeof *all))
                breach("case %s is %s at %s/%lld for site %d and %s at %s/%lld for the district",
                       mine[k].case_no, mine[k].state, mine[k].custodian,
                       (long long)mine[k].custody_no, i, all[at].state, all[at].custodian,
                       (long long)all[at].custody_no);
        }
        mem_free(mine);
    }
    mem_free(all);
}

/* In the order of the fold, whatever stands was decided by who had the case in hand just then. */
static void check_deciders(void)
{
    struct stmt *st = db_stmt(
        site[0].db,
        "SELECT dossier, origin, kind, record FROM event WHERE state = 'applied' AND kind IN "
        "('case.filed/1', 'case.transferred/1', 'case.taken_back/1', "
        "'case.granted/1', 'case.refused/1') "
        "ORDER BY dossier, hlc, origin, seq /* full scan: a test */");
    char custodian[13] = "";
    int64_t custody = 0;
    bool row;

    while (!broken && db_step(st, &row, NULL) == OK && row) {
        const char *kind = col_text(st, 2), *body = col_text(st, 3);
        if (!strcmp(kind, "case.filed/1")) {
            text_of(body, "custodian", custodian, sizeof custodian);
            custody = 1;
        } else if (!strcmp(kind, "case.transferred/1") || !strcmp(kind, "case.taken_back/1")) {
            text_of(body, "to", custodian, sizeof custodian);
            custody = int_of(body, "custody_no");
        } else if (int_of(body, "custody_no") != custody ||
                   strncmp(col_text(st, 1), custodian, 12)) {
            breach("case %s: %s by %s under custody %lld stands, but %s had it under custody %lld",
                   col_text(st, 0), kind, col_text(st, 1), (long long)int_of(body, "custody_no"),
                   custodian, (long long)custody);
        }
    }
    db_reset(st);
}

static bool has_case(struct site *s, const char *case_no)
{
    struct stmt *st = db_stmt(s->db, "SELECT 1 FROM case_file WHERE case_no = $1");
    bool row = false;

    bind_text(st, 1, case_no);
    if (db_step(st, &row, NULL) != OK)
        row = false;
    db_reset(st);
    return row;
}

/* Who took a case, or ever had it in hand, has it; and so has his street. */
static void check_concerned(void)
{
    struct stmt *st = db_stmt(
        site[0].db, "SELECT case_no, filed_at, held FROM case_file /* full scan: a test */");
    bool row;

    while (!broken && db_step(st, &row, NULL) == OK && row)
        for (int i = 1; i < SITES; i++) {
            bool concerns =
                !strcmp(col_text(st, 1), site[i].code) || strstr(col_text(st, 2), site[i].code);
            for (int k = 3; k < SITES && i < 3 && !concerns; k++)
                concerns = parent_of(k) == i && (!strcmp(col_text(st, 1), site[k].code) ||
                                                 strstr(col_text(st, 2), site[k].code));
            if (concerns && !has_case(&site[i], col_text(st, 0)))
                breach("site %d does not have case %s, which concerns it", i, col_text(st, 0));
        }
    db_reset(st);
}

/* ---- each site by itself, and what it has said ------------------------------------------------*/

static void two_decisions(struct site *s)
{
    struct stmt *st = db_stmt(
        s->db, "SELECT dossier, origin, seq, kind, hlc, state, record FROM event WHERE dossier = "
               "(SELECT dossier FROM event WHERE kind IN ('case.granted/1', 'case.refused/1') "
               "AND state = 'applied' "
               "GROUP BY dossier HAVING count(*) > 1 LIMIT 1) "
               "AND kind LIKE 'case.%' ORDER BY hlc, origin, seq");
    char no[24] = "";
    bool row;

    while (db_step(st, &row, NULL) == OK && row) {
        snprintf(no, sizeof no, "%s", col_text(st, 0));
        const char *custody = strstr(col_text(st, 6), "\"custody_no\"");
        trace("  %s/%lld %s %s %.16s", col_text(st, 1), (long long)col_int(st, 2), col_text(st, 3),
              col_text(st, 5), custody ? custody : "");
    }
    breach("site %d: case %s has two decisions", s->no, no);
}

static void check_site(struct site *s)
{
    struct errmsg e = {""};
    char before[65], after[65];
    struct ledger_counts n;
    int64_t papers;

    if (ledger_verify(s->db, &n, &e) != OK)
        breach("site %d: the ledger does not hold: %s", s->no, e.text);
    if (check_count(s, "SELECT count(*) FROM (SELECT dossier FROM event WHERE "
                       "kind IN ('case.granted/1', 'case.refused/1') AND state = 'applied' "
                       "GROUP BY dossier HAVING count(*) > 1)") != 0)
        two_decisions(s);
    if (blob_verify_all(s->blobs, &papers, &e) != OK)
        breach("site %d: a paper is not what its name says: %s", s->no, e.text);
    check_papers(s);
    if (db_begin(s->db, &e) != OK || office_digest(s->db, before, &e) != OK ||
        office_rebuild(&s->office, s->db, &e) != OK || office_digest(s->db, after, &e) != OK)
        breach("site %d: the projections cannot be folded again: %s", s->no, e.text);
    else if (strcmp(before, after))
        breach("site %d: the projections differ from a fresh fold", s->no);
    db_rollback(s->db, NULL);
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
        check_deciders();
    for (int i = 1; i < SITES && !broken; i++)
        work_check(&site[i]);
    trace("cases %lld, events %lld, set aside %lld",
          (long long)check_count(&site[0], "SELECT count(*) FROM case_file"),
          (long long)check_count(&site[0], "SELECT count(*) FROM event"),
          (long long)check_count(&site[0], "SELECT count(*) FROM repair"));
}
