/* The promises, checked apart from the code that must keep them. */
#include "world.h"

#include "base/mem.h"
#include "ledger/outbox.h"

#include <string.h>

/* ---- numbers ------------------------------------------------------------------------------------*/

#define NUMBERS 16384
static struct number {
    char number[40], owner[32];
} numbers[NUMBERS];

#define TAKEN_MAX 4000
static struct taken {
    char case_no[24];
    int64_t custody_no;
} taken[TAKEN_MAX];
static int taken_count;

void check_reset(void)
{
    memset(numbers, 0, sizeof numbers);
    taken_count = 0;
}

void check_number(const char *owner, const char *number)
{
    uint64_t h = 1469598103934665603ULL;

    for (const char *p = number; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    for (uint64_t i = h % NUMBERS;; i = (i + 1) % NUMBERS) {
        struct number *x = &numbers[i];
        if (!x->number[0]) {
            snprintf(x->number, sizeof x->number, "%s", number);
            snprintf(x->owner, sizeof x->owner, "%s", owner);
            return;
        }
        if (strcmp(x->number, number))
            continue;
        if (strcmp(x->owner, owner) || !strcmp(owner, "case"))
            breach("the number %s was issued twice (%s, %s)", number, x->owner, owner);
        return;
    }
}

/* ---- custody ------------------------------------------------------------------------------------*/

static int64_t custody_of(struct site *s, const char *case_no)
{
    struct stmt *st = db_stmt(s->db, "SELECT custody_no FROM case_file WHERE case_no = $1");
    int64_t no = 0;
    bool row;

    bind_text(st, 1, case_no);
    if (db_step(st, &row, NULL) == OK && row)
        no = col_int(st, 0);
    db_reset(st);
    return no;
}

void check_taken_back(struct site *s, const char *case_no)
{
    if (taken_count == TAKEN_MAX)
        return;
    snprintf(taken[taken_count].case_no, sizeof taken[0].case_no, "%s", case_no);
    taken[taken_count++].custody_no = custody_of(s, case_no);
    trace("site %d took %s back, custody %lld", s->no, case_no, (long long)taken[taken_count - 1].custody_no);
}

/* Once a case was taken back, nobody decides it under an older custody: the lease sees to that. */
void check_decided(struct site *s, const char *case_no)
{
    int64_t no = custody_of(s, case_no);

    for (int i = 0; i < taken_count; i++)
        if (!strcmp(taken[i].case_no, case_no) && no < taken[i].custody_no)
            breach("site %d decided %s under custody %lld after custody %lld had begun: outside its lease", s->no, case_no,
                   (long long)no, (long long)taken[i].custody_no);
}

/* ---- after a crash ------------------------------------------------------------------------------*/

void check_reopened(struct site *s)
{
    unsigned char hash[32];
    struct errmsg e = {""};
    uint64_t seq = 0;

    if (s->acked_seq && (ledger_head(s->db, s->acked_origin, &seq, hash, &e) != OK || seq < s->acked_seq))
        breach("site %d forgot: its own chain ends at %llu, but %llu was acknowledged to a person", s->no,
               (unsigned long long)seq, (unsigned long long)s->acked_seq);
    for (int i = 0; i < SITES; i++) {
        struct link_state mine, theirs;
        bool linked = parent_of(i) == s->no || parent_of(s->no) == i;
        if (!linked || !site[i].up || !site[i].db)
            continue;
        if (link_read(s->db, site[i].code, &mine, &e) != OK || link_read(site[i].db, s->code, &theirs, &e) != OK)
            continue;
        if (s->restored || site[i].restored)
            continue;
        if (!memcmp(mine.peer_stream, theirs.stream, 16) ? mine.recv_pos < theirs.acked_pos : theirs.acked_pos > 0)
            breach("site %d forgot: it acknowledged %llu to site %d and holds %llu", s->no,
                   (unsigned long long)theirs.acked_pos, i, (unsigned long long)mine.recv_pos);
    }
}

/* ---- is everything where it belongs? ------------------------------------------------------------*/

static int64_t count(struct site *s, const char *sql)
{
    struct stmt *st = db_stmt(s->db, sql);
    int64_t n = -1;
    bool row;

    if (db_step(st, &row, NULL) == OK && row)
        n = col_int(st, 0);
    db_reset(st);
    return n;
}

const char *check_waits(void)
{
    static char why[120];

    for (int i = 0; i < SITES; i++) {
        struct site *s = &site[i];
        const char *what = NULL;
        if (!s->up || s->queue || s->busy)
            what = "is down or busy";
        else if (i && (!conns[i].open || !conns[i].end[0].link || !link_is_up(conns[i].end[0].link)))
            what = "has no link";
        else if (count(s, "SELECT count(*) FROM link WHERE head_pos <> acked_pos") != 0)
            what = "has events that are not acknowledged";
        else if (count(s, "SELECT count(*) FROM meta WHERE key = 'recall'") != 0)
            what = "waits for its past";
        else if (count(s, "SELECT count(*) FROM document WHERE state = 'wanted'") != 0)
            what = "waits for papers";
        else if (i >= 3 && count(s, "SELECT count(*) FROM document WHERE sent = 0 AND state = 'here' AND case_no <> ''") != 0)
            what = "does not know that its papers have arrived";
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

struct seen {
    char case_no[24], state[24], custodian[13];
    int64_t custody_no, completed_ms;
};

static int read_cases(struct site *s, struct seen **ret)
{
    struct stmt *st = db_stmt(s->db, "SELECT case_no, state, custodian, custody_no, completed_ms FROM case_file ORDER BY case_no");
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
                breach("case %s is %s at %s/%lld for site %d and %s at %s/%lld for the district", mine[k].case_no,
                       mine[k].state, mine[k].custodian, (long long)mine[k].custody_no, i, all[at].state,
                       all[at].custodian, (long long)all[at].custody_no);
        }
        mem_free(mine);
    }
    mem_free(all);
}

static void two_decisions(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT case_no, origin, seq, kind, hlc, state, body FROM event WHERE case_no = (SELECT case_no "
                                     "FROM event WHERE kind IN ('case.granted/1', 'case.refused/1') AND state = 'applied' "
                                     "GROUP BY case_no HAVING count(*) > 1 LIMIT 1) AND kind LIKE 'case.%' ORDER BY hlc, origin, seq");
    char no[24] = "";
    bool row;

    while (db_step(st, &row, NULL) == OK && row) {
        snprintf(no, sizeof no, "%s", col_text(st, 0));
        const char *custody = strstr(col_text(st, 6), "\"custody_no\"");
        trace("  %s/%lld %s %s %.16s", col_text(st, 1), (long long)col_int(st, 2), col_text(st, 3), col_text(st, 5), custody ? custody : "");
    }
    breach("site %d: case %s has two decisions", s->no, no);
}

static void check_site(struct site *s)
{
    struct errmsg e = {""};
    char before[65], after[65];
    int64_t events, papers;

    if (ledger_verify(s->db, &events, &e) != OK)
        breach("site %d: the ledger does not hold: %s", s->no, e.text);
    if (count(s, "SELECT count(*) FROM (SELECT case_no FROM event WHERE kind IN ('case.granted/1', 'case.refused/1') AND "
                 "state = 'applied' GROUP BY case_no HAVING count(*) > 1)") != 0)
        two_decisions(s);
    if (blob_verify_all(s->blobs, &papers, &e) != OK)
        breach("site %d: a paper is not what its name says: %s", s->no, e.text);
    struct stmt *st = db_stmt(s->db, "SELECT digest FROM document WHERE state = 'here'");
    bool row;
    while (db_step(st, &row, NULL) == OK && row)
        if (!blob_exists(s->blobs, col_text(st, 0)))
            breach("site %d: a paper announced as here has no bytes: %s", s->no, col_text(st, 0));
    if (db_begin(s->db, &e) != OK || office_digest(s->db, before, &e) != OK || office_rebuild(&s->office, s->db, &e) != OK ||
        office_digest(s->db, after, &e) != OK)
        breach("site %d: the projections cannot be folded again: %s", s->no, e.text);
    else if (strcmp(before, after))
        breach("site %d: the projections differ from a fresh fold", s->no);
    db_rollback(s->db, NULL);
}

/* Everything said by a site, in every epoch, is at its street and its district. */
static void check_witnessed(void)
{
    for (int i = 0; i < SITES; i++) {
        struct stmt *st = db_stmt(site[i].db, "SELECT origin, seq, hash FROM origin WHERE substr(origin, 1, 12) = $1 AND seq > 0");
        bool row;
        bind_text(st, 1, site[i].code);
        while (db_step(st, &row, NULL) == OK && row)
            for (int up = parent_of(i); up >= 0; up = parent_of(up)) {
                unsigned char hash[32];
                struct errmsg e;
                uint64_t seq = 0, head = (uint64_t)col_int(st, 1);
                size_t n;
                if (ledger_head(site[up].db, col_text(st, 0), &seq, hash, &e) != OK || seq != head || memcmp(hash, col_blob(st, 2, &n), 32))
                    breach("site %d holds %llu events of %s, which has %llu", up, (unsigned long long)seq, col_text(st, 0), (unsigned long long)head);
                if (!strcmp(col_text(st, 0), site[i].acked_origin) && seq < site[i].acked_seq)
                    breach("site %d acknowledged %llu of its events to people, site %d holds %llu", i,
                           (unsigned long long)site[i].acked_seq, up, (unsigned long long)seq);
            }
    }
}

void check_end(void)
{
    for (int i = 0; i < SITES && !broken; i++)
        if (i < 3 || dice(3) == 0)
            check_site(&site[i]);
    if (!broken)
        check_witnessed();
    if (!broken)
        check_agreement();
    trace("cases %lld, events %lld, set aside %lld", (long long)count(&site[0], "SELECT count(*) FROM case_file"),
          (long long)count(&site[0], "SELECT count(*) FROM event"), (long long)count(&site[0], "SELECT count(*) FROM repair"));
}
