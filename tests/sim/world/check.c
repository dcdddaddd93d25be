/* The promises that hold at every moment, checked apart from the code that must keep them: numbers,
 * custody, and what a site still knows after a crash. */
#include "told.h"

#include "files.h"
#include "ledger/link_rows.h"

#include <string.h>
#include <unistd.h>

/* ---- numbers ----------------------------------------------------------------------------------*/

#define NUMBERS 16384
static struct number {
    char number[40], owner[32];
} numbers[NUMBERS];

#define CASES_MAX 8192
static struct hands {
    char case_no[24], custodian[13];
    int64_t no; /* the highest custody that anybody has made */
    int maker;
} custodies[CASES_MAX];

#define LOST_MAX 4096
static char lost[LOST_MAX][65], at_risk[LOST_MAX][65]; /* papers that went with a disk */
static int lost_count, risk_count;

void check_reset(void)
{
    memset(numbers, 0, sizeof numbers);
    memset(custodies, 0, sizeof custodies);
    lost_count = risk_count = 0;
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

/* ---- custody ----------------------------------------------------------------------------------*/

static struct hands *custody_at(const char *case_no)
{
    uint64_t h = 1469598103934665603ULL;

    for (const char *p = case_no; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    for (uint64_t i = h % CASES_MAX;; i = (i + 1) % CASES_MAX)
        if (!custodies[i].case_no[0] || !strcmp(custodies[i].case_no, case_no))
            return &custodies[i];
}

static bool waits_for_its_community(struct site *s, const char *case_no)
{
    struct stmt *st =
        db_stmt(s->db, "SELECT record FROM event WHERE dossier = $1 AND kind = 'case.filed/1' AND "
                       "state = 'applied'");
    char text[16] = "";
    bool row;

    bind_text(st, 1, case_no);
    if (db_step(st, &row, NULL) == OK && row)
        text_of(col_text(st, 0), "take_back", text, sizeof text);
    db_reset(st);
    return strcmp(text, "overrule") != 0;
}

static bool lost_holder(const char *code)
{
    for (int i = 0; i < SITES; i++)
        if (!strcmp(site[i].code, code))
            return site[i].lost;
    return !code[0]; /* nobody was seen to have it in hand */
}

/* A step that may forbid deciding, and of which its program does not know what it means; or the program
 * of him to whom it hands the case on, as far as it was told. */
static void check_unknown(struct site *s, const char *case_no, bool decides, const char *to)
{
    struct stmt *st = db_stmt(
        s->db,
        "SELECT v.kind, v.state, v.origin, coalesce(q.critical, '') FROM event v LEFT JOIN "
        "equipped q ON q.site = $2 WHERE v.dossier = $1 AND v.flags % 2 = 1 AND v.state NOT IN "
        "('refused', 'denied') AND v.kind <> 'dossier.overruled/1'");
    char by[13];
    bool row;

    bind_text(st, 1, case_no);
    bind_text(st, 2, to);
    while (db_step(st, &row, NULL) == OK && row) {
        snprintf(by, sizeof by, "%s", col_text(st, 2));
        if (rogue_ground(by))
            continue;
        if (decides && !strcmp(col_text(st, 1), "unknown"))
            breach("site %d decided %s beside %s, which its program does not know", s->no, case_no,
                   col_text(st, 0));
        if (!decides && strcmp(s->code, to) && code_within(to, s->code) &&
            !strstr(col_text(st, 3), col_text(st, 0)))
            breach("site %d handed %s to %s, whose program does not know %s", s->no, case_no, to,
                   col_text(st, 0));
    }
    db_reset(st);
}

/* What a street has taken back it decides only when the district knows that. */
static void check_held_above(struct site *s, const char *case_no, int64_t no)
{
    static const char sql[] = "SELECT record FROM event WHERE dossier = $1 AND kind = "
                              "'case.taken_back/1' AND state = 'applied'";
    bool row, took = false, held = false;

    for (int i = 0; i < 2 && site[0].db; i++) {
        struct stmt *st = db_stmt(i ? site[0].db : s->db, sql);
        bind_text(st, 1, case_no);
        while (db_step(st, &row, NULL) == OK && row)
            if (int_of(col_text(st, 0), "custody_no") == no)
                *(i ? &held : &took) = true;
        db_reset(st);
    }
    if (site[0].db && took && !held)
        breach("site %d decided %s, and its taking back is not yet held above", s->no, case_no);
}

/* A case is handed on by its custodian, or taken back when his lease is over; so no two sites ever
 * make the same custody, and once one is made nobody decides under an older one. */
void check_custody(struct site *s, const char *case_no, const char *action, uint64_t before)
{
    struct stmt *st = db_stmt(
        s->db, "SELECT custody_no, custodian, held, filed_at FROM case_file WHERE case_no = "
               "$1");
    bool row, decides, stranger = false;
    struct hands *c = custody_at(case_no);
    char custodian[13] = "";
    int64_t no = 0;

    bind_text(st, 1, case_no);
    if (db_step(st, &row, NULL) == OK && row) {
        no = col_int(st, 0);
        snprintf(custodian, sizeof custodian, "%s", col_text(st, 1));
        for (int i = 0; i < SITES; i++)
            stranger |= rogue_ground_no(i) && (strstr(col_text(st, 2), site[i].code) ||
                                               !strcmp(col_text(st, 3), site[i].code));
    }
    db_reset(st);
    if (stranger) /* what a rogue has or had in hand it decides when it likes */
        return;
    st = db_stmt(s->db, "SELECT 1 FROM event WHERE origin = $1 AND seq > $2 "
                        "AND kind IN ('case.granted/1', 'case.refused/1', 'case.not_accepted/1')");
    bind_text(st, 1, s->office.ledger.origin);
    bind_int(st, 2, (int64_t)before);
    decides = db_step(st, &row, NULL) == OK && row;
    db_reset(st);
    if (decides && no < c->no)
        breach(
            "site %d decided %s under custody %lld after custody %lld had begun: outside its lease",
            s->no, case_no, (long long)no, (long long)c->no);
    if (decides || !strcmp(action, "transfer"))
        check_unknown(s, case_no, decides, custodian);
    if (decides && s->no && s->no < 3)
        check_held_above(s, case_no, no);
    if (decides && strcmp(custodian, s->code))
        breach("site %d decided %s, which is in the hands of %s", s->no, case_no, custodian);
    if (no == c->no && c->no && strcmp(custodian, c->custodian))
        breach("case %s has two custodians under custody %lld: %s and %s", case_no, (long long)no,
               custodian, c->custodian);
    if (no <= c->no)
        return;
    if (!strcmp(action, "take_back"))
        trace("site %d took %s back, custody %lld", s->no, case_no, (long long)no);
    if (!strcmp(action, "take_back") && waits_for_its_community(s, case_no) &&
        !lost_holder(c->custodian))
        breach("site %d took %s back, which waits for %s", s->no, case_no, c->custodian);
    snprintf(c->case_no, sizeof c->case_no, "%s", case_no);
    snprintf(c->custodian, sizeof c->custodian, "%s", custodian);
    c->no = no;
    c->maker = s->no;
}

static bool has_heard_of(struct site *s, const struct hands *c)
{
    struct stmt *st =
        db_stmt(s->db, "SELECT 1 FROM case_file WHERE case_no = $1 AND custody_no >= $2");
    bool row;

    bind_text(st, 1, c->case_no);
    bind_int(st, 2, c->no);
    bool heard = db_step(st, &row, NULL) == OK && row;
    db_reset(st);
    return heard;
}

/* A custody of which nobody had heard but the site whose disk is gone has never been; nor has a
 * filing. */
static void forget_custodies(int no)
{
    struct site *parent = &site[parent_of(no)];

    for (int i = 0; i < CASES_MAX; i++)
        if (custodies[i].case_no[0] && custodies[i].maker == no &&
            (!parent->up || !has_heard_of(parent, &custodies[i])))
            custodies[i].no = 0;
}

/* ---- papers that go with a disk ---------------------------------------------------------------*/

static void note_risk(void *arg, const char *name)
{
    (void)arg;
    if (risk_count < LOST_MAX)
        snprintf(at_risk[risk_count++], 65, "%s", name);
}

bool check_paper_there(int no, const char *hex)
{
    char path[100];

    snprintf(path, sizeof path, "/disk%d/blobs/%.2s/%.64s", no, hex, hex);
    return access(path, F_OK) == 0;
}

void check_disk_goes(int no)
{
    risk_count = 0;
    files_each(no, note_risk, NULL);
}

void check_disk_gone(int no)
{
    forget_custodies(no);
    for (int i = 0; i < risk_count && lost_count < LOST_MAX; i++) {
        bool held = false;
        for (int k = 0; k < SITES && !held; k++)
            held = check_paper_there(k, at_risk[i]);
        if (!held)
            memcpy(lost[lost_count++], at_risk[i], 65);
    }
}

bool check_is_lost(const char *digest)
{
    for (int i = 0; i < lost_count; i++)
        if (!strcmp(lost[i], digest + 7))
            return true;
    return false;
}

/* ---- clocks -----------------------------------------------------------------------------------*/

void check_clock(struct site *s)
{
    int64_t hlc_ms = (int64_t)(s->office.ledger.hlc_last >> 16);

    if (s->no != rogue && hlc_ms > s->wall_max_ms + 5 * 60 * 1000)
        breach("site %d: its clock of events is %lld s before its own", s->no,
               (long long)(hlc_ms - s->wall_max_ms) / 1000);
}

/* ---- after a crash ----------------------------------------------------------------------------*/

int64_t check_count(struct site *s, const char *sql)
{
    struct stmt *st = db_stmt(s->db, sql);
    int64_t n = -1;
    bool row;

    if (db_step(st, &row, NULL) == OK && row)
        n = col_int(st, 0);
    db_reset(st);
    return n;
}

void check_papers(struct site *s)
{
    struct stmt *st = db_stmt(s->db, "SELECT digest FROM document WHERE state = 'here'");
    bool row;

    while (db_step(st, &row, NULL) == OK && row)
        if (!blob_exists(s->blobs, col_text(st, 0)))
            breach("site %d: a paper announced as here has no bytes: %s", s->no, col_text(st, 0));
    db_reset(st);
}

void check_reopened(struct site *s)
{
    unsigned char hash[32];
    struct errmsg e = {""};
    uint64_t seq = 0;

    if (check_count(s, "SELECT count(*) FROM origin o WHERE o.seq <> (SELECT count(*) FROM event v "
                       "WHERE v.origin = o.origin AND v.seq <= o.seq AND v.hash IS NOT NULL) "
                       "/* full scan: a test */") > 0)
        breach("site %d: a chain has a gap", s->no);
    check_papers(s);
    if (s->acked_seq &&
        (ledger_head(s->db, s->acked_origin, &seq, hash, &e) != OK || seq < s->acked_seq))
        breach("site %d forgot: its own chain ends at %llu, but %llu was acknowledged to a person",
               s->no, (unsigned long long)seq, (unsigned long long)s->acked_seq);
    for (int i = 0; i < SITES; i++) {
        struct link_state mine, theirs;
        bool linked = parent_of(i) == s->no || parent_of(s->no) == i;
        if (!linked || !site[i].up || !site[i].db)
            continue;
        if (link_read(s->db, site[i].code, &mine, &e) != OK ||
            link_read(site[i].db, s->code, &theirs, &e) != OK)
            continue;
        if (s->restored || site[i].restored)
            continue;
        if (!memcmp(mine.peer_stream, theirs.stream, 16) ? mine.recv_pos < theirs.acked_pos
                                                         : theirs.acked_pos > 0)
            breach("site %d forgot: it acknowledged %llu to site %d and holds %llu", s->no,
                   (unsigned long long)theirs.acked_pos, i, (unsigned long long)mine.recv_pos);
    }
}
