/* A day's work of one office, stopped at every single write, sync, truncation, new name and removal
 * of its disk, of the database and of the papers alike: what was not synced is kept, lost or
 * spoiled, names as well as bytes. Reopened, the ledger must verify, every paper hold its bytes,
 * everything that was acknowledged be there, the rows fold to the same, and the day go on to the
 * same end. The same with an I/O error and with a full disk at every call: then the office stops,
 * says so, and is started again. */
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "catalogue/items.h"
#include "dossiers/all.h"
#include "dossiers/case/case.h"
#include "office/enrol.h"
#include "office/rebuild.h"
#include "office/office.h"
#include "db/migrate.h"
#include "disk.h"
#include "files.h"
#include "ledger/blob.h"
#include "ledger/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES 5
#define STEPS_EACH 5 /* upload, file, complete, note, fetch a paper in pieces */
#define STEPS (CASES * STEPS_EACH)
#define PIECE 1500

static struct db *db;
static struct office office;
static int64_t clock_ms;
static uint64_t rng;
static uint64_t acked;          /* own events that somebody was told of */
static char case_no[CASES][24]; /* filed and acknowledged */
static char query[CASES][8];
static struct blob_dir *blobs;
static char paper[2 * CASES]
                 [DIGEST_TEXT_LEN + 1]; /* whole, and said to be so; even: uploaded, odd: fetched */
static int step_at;                     /* next step of the day */

static uint64_t dice(uint64_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return below ? rng % below : 0;
}

static int64_t wall(void *arg)
{
    (void)arg;
    return clock_ms += 1000;
}

static int64_t mono(void *arg)
{
    (void)arg;
    return clock_ms - 1790000000000LL;
}

static void random_bytes(void *arg, void *p, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)dice(256);
}

static const struct host host = {wall, mono, random_bytes, NULL};

static enum err open_all(struct errmsg *e)
{
    enum err err = db_open("/disk0/doorstep.db", DB_WRITE, &db, e);

    if (err == OK)
        err = blob_dir_open("/disk0/blobs", &blobs, e);
    if (err != OK)
        return err;
    memset(&office, 0, sizeof office);
    office.host = &host;
    office.work = &all_work;
    snprintf(office.site, sizeof office.site, "331002000000");
    snprintf(office.name, sizeof office.name, "椒江区");
    memset(office.seed, 7, 32);
    snprintf(office.boot, sizeof office.boot, "boot");
    return office_open(&office, db, e);
}

static void close_all(void)
{
    office_close(&office);
    db_close(db);
    db = NULL;
    blob_dir_close(blobs);
    blobs = NULL;
}

static void fail(const char *what, const char *kind, int64_t n, const struct errmsg *e)
{
    printf("%s, %s at write %lld: %s\n0 passed, 1 failed\n", what, kind, (long long)n, e->text);
    exit(1);
}

static struct json *read_json(const char *path)
{
    struct buf b = {0};
    struct json *j = NULL;
    struct errmsg e = {""};
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "r");

    while (f && (n = fread(piece, 1, sizeof piece, f)))
        buf_append(&b, piece, n);
    if (!f || json_parse((char *)b.data, b.len, &j, &e) != OK)
        fail("read", path, 0, &e);
    fclose(f);
    buf_free(&b);
    return j;
}

static const struct caller clerk = {.user = "clerk",
                                    .name = "窗口甲",
                                    .role = "clerk",
                                    .site = "331002000000",
                                    .channel = "window",
                                    .query_code = ""};

/* ---- the day ----------------------------------------------------------------------------------*/

static struct json *filing(int i)
{
    char text[1200];
    struct json *j = NULL;
    struct errmsg e = {""};

    snprintf(text, sizeof text,
             "{\"item\":\"birth-registration-first\",\"applicant\":{\"name\":\"周大海\",\"id_"
             "type\":\"111\",\"id_number\":\"%s\","
             "\"mobile\":\"1000000000%d\"},\"form\":{\"spouse_name\":\"示例\",\"spouse_id_number\":"
             "\"339900198506130284\","
             "\"marriage_date\":\"2026-05-20\",\"register_kind\":\"before\"},\"materials\":[{"
             "\"code\":\"statement\",\"commitment\":true},"
             "{\"code\":\"id-card\",\"documents\":[\"%s\"]}],"
             "\"delivery\":{\"method\":\"%s\",\"address\":\"葭沚街道示例路1号\"}}",
             i % 2 ? "339900198506130110" : "33990019850613009X", i, paper[2 * i],
             i % 2 ? "pickup" : "courier");
    if (json_parse(text, strlen(text), &j, &e) != OK)
        fail("filing", "text", 0, &e);
    return j;
}

static void paper_text(int n, char out[3 * PIECE])
{
    for (int i = 0; i < 3 * PIECE; i++)
        out[i] = (char)('a' + (i * 7 + n * 13 + i / 26) % 26);
}

static enum err paper_row(const char *digest, const char *state, struct errmsg *e)
{
    struct stmt *st;
    enum err err = db_begin(db, e);

    if (err != OK)
        return err;
    st = db_stmt(db,
                 "INSERT INTO document (digest, street, dossier, size, media_type, state, hlc) "
                 "VALUES ($1, $2, '', $3, "
                 "'image/png', $4, 0) ON CONFLICT (digest) DO UPDATE SET state = excluded.state");
    bind_text(st, 1, digest);
    bind_text(st, 2, office.street);
    bind_int(st, 3, 3 * PIECE);
    bind_text(st, 4, state);
    if ((err = db_run(st, e)) == OK)
        return db_commit(db, e);
    db_rollback(db, NULL);
    return err;
}

/* As api/uploads does it: the bytes, durable, then the row. */
static enum err upload(int n, struct errmsg *e)
{
    char text[3 * PIECE], digest[DIGEST_TEXT_LEN + 1];
    struct blob_writer *w = NULL;
    enum err err = blob_begin(blobs, &w, e);

    paper_text(n, text);
    for (int i = 0; err == OK && i < 3; i++)
        if ((err = blob_write(w, text + i * PIECE, PIECE, e)) != OK)
            blob_abort(w);
    if (err == OK && (err = blob_commit(w, NULL, digest, e)) == OK &&
        (err = paper_row(digest, "here", e)) == OK)
        memcpy(paper[n], digest, sizeof digest);
    return err;
}

/* As link_end_store_chunk() does it: it goes on behind the bytes that are there, whatever happened
 * to them. */
static enum err fetch(int n, struct errmsg *e)
{
    char text[3 * PIECE], digest[DIGEST_TEXT_LEN + 1] = "sha256:";
    unsigned char hash[32];
    enum err err = OK;

    paper_text(n, text);
    crypto_sha256(text, sizeof text, hash);
    hex_encode(hash, 32, digest + 7);
    for (int tries = 0; tries < 2 && !blob_exists(blobs, digest); tries++) {
        int64_t at;
        while (err == OK && (at = blob_partial_size(blobs, digest)) < 3 * PIECE)
            err = blob_partial_append(blobs, digest, at, text + at,
                                      at + PIECE > 3 * PIECE ? (size_t)(3 * PIECE - at) : PIECE, e);
        if (err == OK && (err = blob_partial_finish(blobs, digest, e)) == ERR_CORRUPT && !tries)
            err = OK; /* the power took what was not synced: it is dropped, and fetched again */
    }
    if (err == OK && (err = paper_row(digest, "here", e)) == OK)
        memcpy(paper[n], digest, sizeof digest);
    return err;
}

static enum err command(office_fn *fn, const struct json *in, struct json **out, struct errmsg *e)
{
    struct problem p = {0};
    enum err err = db_begin(db, e);

    if (err == OK)
        err = fn(&office, db, &clerk, in, out, &p);
    if (err == OK)
        return db_commit(db, e);
    if (db)
        db_rollback(db, NULL);
    return err == ERR_CONFLICT && p.status ? OK : err; /* done already: only the answer was lost */
}

/* One step; acknowledged only when its commit is through. */
static enum err do_step(int n, struct errmsg *e)
{
    int i = n / STEPS_EACH, kind = n % STEPS_EACH;
    struct json *in = NULL, *out = NULL;
    unsigned char hash[32];
    enum err err;

    if (kind == 0)
        return upload(2 * i, e);
    if (kind == 4)
        return fetch(2 * i + 1, e);
    if (kind == 1) {
        in = filing(i);
    } else {
        in = json_object();
        json_set_text(in, "case_no", case_no[i]);
        json_set_text(in, "action", kind == 2 ? "complete" : "note");
        json_set_text(in, "text", "电话告知");
    }
    err = command(kind == 1 ? case_lodge : case_act, in, &out, e);
    if (err == OK && kind == 1) {
        snprintf(case_no[i], sizeof case_no[i], "%s", json_get_text(out, "case_no"));
        snprintf(query[i], sizeof query[i], "%s", json_get_text(out, "query_code"));
    }
    if (err == OK && ledger_head(db, office.site, &acked, hash, e) != OK)
        err = ERR_IO;
    json_free(in);
    json_free(out);
    return err;
}

static enum err work(struct errmsg *e)
{
    for (; step_at < STEPS; step_at++) {
        enum err err = do_step(step_at, e);
        if (err != OK)
            return err;
    }
    return OK;
}

static void check(const char *kind, int64_t n)
{
    unsigned char hash[32];
    char before[65], after[65];
    struct errmsg e = {""};
    uint64_t seq;
    struct ledger_counts counts;
    int64_t papers;

    if (blob_verify_all(blobs, &papers, &e) != OK)
        fail("a paper is not what its name says", kind, n, &e);
    for (int i = 0; i < 2 * CASES; i++)
        if (paper[i][0] && !blob_exists(blobs, paper[i]))
            fail("an acknowledged paper is lost", kind, n, &e);
    struct stmt *here = db_stmt(db, "SELECT digest FROM document WHERE state = 'here'");
    bool any;
    while (db_step(here, &any, &e) == OK && any)
        if (!blob_exists(blobs, col_text(here, 0)))
            fail("a paper announced as here has no bytes", kind, n, &e);
    if (db_check(db, &e) != OK)
        fail("the file is broken", kind, n, &e);
    if (ledger_verify(db, &counts, &e) != OK)
        fail("the ledger does not verify", kind, n, &e);
    if (ledger_head(db, office.site, &seq, hash, &e) != OK || seq < acked)
        fail("an acknowledged event is lost", kind, n, &e);
    if (db_begin(db, &e) != OK || office_digest(&office, db, before, &e) != OK ||
        office_rebuild(&office, db, &e) != OK || office_digest(&office, db, after, &e) != OK ||
        strcmp(before, after))
        fail("the projections differ from a fresh fold", kind, n, &e);
    db_rollback(db, NULL);
    for (int i = 0; i < CASES && case_no[i][0]; i++) {
        struct stmt *st = db_stmt(db, "SELECT 1 FROM case_file WHERE case_no = $1");
        bool row = false;
        bind_text(st, 1, case_no[i]);
        if (db_step(st, &row, &e) != OK || !row)
            fail("an acknowledged case is lost", kind, n, &e);
        db_reset(st);
    }
}

static void begin_day(uint64_t seed)
{
    disk_restore_snapshot(0);
    files_wipe(0);
    rng = seed * 0x9e3779b97f4a7c15ULL + 1;
    clock_ms = 1790000000000LL;
    acked = 0;
    step_at = 0;
    memset(case_no, 0, sizeof case_no);
    memset(paper, 0, sizeof paper);
}

static int64_t whole_day(void)
{
    struct errmsg e = {""};

    begin_day(1);
    if (open_all(&e) != OK || work(&e) != OK)
        fail("the day itself", "nothing", 0, &e);
    int64_t ops = disk_ops(0);
    check("nothing", 0);
    close_all();
    return ops;
}

enum fault { STOP, IO_ERROR, FULL };

/* Once more with other dice? Of the little that is at risk of a paper each fate shall come. */
static bool one(enum fault fault, int64_t n, int variant)
{
    static const char *const names[] = {"a power failure", "an I/O error", "a full disk"};
    struct errmsg e = {""};

    begin_day(1 + (uint64_t)n * 3 + fault + (uint64_t)variant * 1000003);
    bool again = false;
    if (fault == STOP)
        disk_stop_after(0, n);
    else if (fault == IO_ERROR)
        disk_error_after(0, n);
    else
        disk_full_after(0, n);
    enum err err = open_all(&e);
    if (err == OK)
        err = work(&e);
    if (fault == STOP || err != OK) {
        if (db || blobs)
            close_all(); /* a failed commit is not retried on this connection: the program ends */
        if (fault == STOP) {
            again = files_at_risk(0);
            disk_power_cycle(0, dice);
            files_power_cycle(0, dice);
        }
        disk_heal(0);
        if ((err = open_all(&e)) != OK)
            fail("it does not open again", names[fault], n, &e);
        check(names[fault], n);
        /* A filing whose answer was lost is filed again by its person: another case, as it must be.
         */
        if ((err = work(&e)) != OK)
            fail("the day does not go on", names[fault], n, &e);
    }
    check(names[fault], n);
    close_all();
    return again;
}

int main(void)
{
    struct errmsg e = {""};
    struct json *in, *out = NULL;
    struct problem p = {0};
    int64_t passed = 0;

    json_use_arenas();
    log_level_set(LOG_LEVEL_ERROR);
    disk_register();
    clock_ms = 1790000000000LL;
    rng = 1;
    if (db_open("/disk0/doorstep.db", DB_WRITE, &db, &e) != OK ||
        migrate(db, schema_migrations, schema_migration_count, &e) != OK)
        fail("make", "nothing", 0, &e);
    close_all();
    if (open_all(&e) != OK || db_begin(db, &e) != OK || office_found(&office, db, &e) != OK)
        fail("found", "nothing", 0, &e);
    static const char *const files[] = {"schema/catalogue/calendar/2026.json",
                                        "schema/catalogue/items/birth-registration-first.json"};
    for (int i = 0; i < 2; i++) {
        struct caller boss = clerk;
        boss.role = "admin";
        in = read_json(files[i]);
        if (item_import(&office, db, &boss, in, &out, &p) != OK)
            fail("import", files[i], 0, &e);
        json_free(in);
        json_free(out);
        out = NULL;
    }
    if (db_commit(db, &e) != OK)
        fail("commit", "nothing", 0, &e);
    close_all();
    disk_snapshot(0);
    int64_t ops = whole_day();
    for (int64_t n = 0; n < ops; n++)
        for (int f = STOP; f <= FULL; f++) {
            for (int variant = 0; one((enum fault)f, n, variant) && variant < 10; variant++)
                passed++;
            passed++;
        }
    printf("%lld writes of a day, each with three faults\n%lld passed, 0 failed\n", (long long)ops,
           (long long)passed);
    return 0;
}
