/* The promises of a world that has come to rest: everything is where it belongs, and the same
 * everywhere. */
#include "world.h"

#include "base/mem.h"

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
        if (i == rogue || cut_off(i))
            continue; /* it may have opened what is nobody's */
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

/* ---- who decided ------------------------------------------------------------------------------*/

/* Read from the events alone, by the numbers of custodies and nobody's clock: the chain of hands, and
 * under it every decision that stands, which must be the latest custodian's of all that decided. */
struct step {
    char kind[24], by[13], to[13];
    int64_t no;
    bool applied;
};

static int steps_of(struct site *s, const char *case_no, struct step *list, int max)
{
    struct stmt *st = db_stmt(
        s->db, "SELECT kind, origin, record, state FROM event WHERE dossier = $1 AND state <> "
               "'refused' ORDER BY hlc, origin, seq");
    int n = 0;
    bool row;

    bind_text(st, 1, case_no);
    while (db_step(st, &row, NULL) == OK && row && n < max) {
        struct step *x = &list[n++];
        const char *record = col_text(st, 2);
        *x = (struct step){.no = int_of(record, "custody_no"),
                           .applied = !strcmp(col_text(st, 3), "applied")};
        snprintf(x->kind, sizeof x->kind, "%.20s", col_text(st, 0));
        snprintf(x->by, sizeof x->by, "%.12s", col_text(st, 1));
        text_of(record, "to", x->to, sizeof x->to);
        if (!strcmp(x->kind, "case.filed/1"))
            text_of(record, "custodian", x->to, sizeof x->to), x->no = 1;
    }
    db_reset(st);
    return n;
}

static bool decision(const struct step *x)
{
    return !strcmp(x->kind, "case.granted/1") || !strcmp(x->kind, "case.refused/1") ||
           !strcmp(x->kind, "case.withdrawn/1") || !strcmp(x->kind, "case.not_accepted/1");
}

static void check_case(struct site *s, const char *case_no)
{
    static struct step list[400];
    char hands[40][13] = {""};
    int n = steps_of(s, case_no, list, 400), stands = 0, top = 0;
    int64_t latest = 0, standing = 0;
    bool overruled = false; /* by a street that is a rogue: it may, of its communities */

    for (int i = 0; i < n; i++) { /* moves that stand make one chain */
        const struct step *x = &list[i];
        bool move = !strcmp(x->kind, "case.filed/1") || !strcmp(x->kind, "case.transferred/") ||
                    strstr(x->kind, "transferred") || strstr(x->kind, "taken_back");
        if (!x->applied || !move || x->no < 1 || x->no >= 40)
            continue;
        if (hands[x->no][0])
            breach("site %d: case %s has two custodies %lld", s->no, case_no, (long long)x->no);
        snprintf(hands[x->no], 13, "%s", x->to);
        top = x->no > top ? (int)x->no : top;
    }
    for (int k = 1; k <= top; k++)
        if (!hands[k][0])
            breach("site %d: case %s has custody %d, but not %d", s->no, case_no, top, k);
    for (int i = 0; i < n; i++) {
        const struct step *x = &list[i];
        bool his = x->no >= 1 && x->no < 40 && !strcmp(hands[x->no], x->by);
        overruled |= !strcmp(x->kind, "dossier.overruled/1") && x->applied && rogue_ground(x->by);
        if (!decision(x))
            continue;
        if (his && x->no > latest)
            latest = x->no;
        if (!x->applied)
            continue;
        stands++;
        standing = x->no;
        if (!his)
            breach("site %d: case %s: %s by %s under custody %lld stands, which was %s's", s->no,
                   case_no, x->kind, x->by, (long long)x->no, hands[x->no]);
    }
    if (stands > 1 || (!overruled && ((latest && !stands) || standing != latest)))
        breach("site %d: case %s: %d decisions stand, under custody %lld, and the latest is under "
               "%lld",
               s->no, case_no, stands, (long long)standing, (long long)latest);
}

static void check_deciders(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT case_no FROM case_file /* full scan: a test */");
    bool row;

    while (!broken && db_step(st, &row, NULL) == OK && row) {
        char no[24];
        snprintf(no, sizeof no, "%s", col_text(st, 0));
        check_case(s, no);
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
            if (concerns && i != rogue && !cut_off(i) && !has_case(&site[i], col_text(st, 0)))
                breach("site %d does not have case %s, which concerns it", i, col_text(st, 0));
        }
    db_reset(st);
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
    for (int i = 0; i < 3 && !broken; i++)
        check_deciders(&site[i]);
    for (int i = 1; i < SITES && !broken; i++)
        if (!rogue_ground_no(i))
            work_check(&site[i]);
    trace("cases %lld, events %lld, set aside %lld",
          (long long)check_count(&site[0], "SELECT count(*) FROM case_file"),
          (long long)check_count(&site[0], "SELECT count(*) FROM event"),
          (long long)check_count(&site[0], "SELECT count(*) FROM repair"));
}
