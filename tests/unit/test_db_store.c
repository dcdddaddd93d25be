/* The database layer and the store: nothing is done before its COMMIT, and a failed COMMIT stops
 * writing for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "db/migrate.h"
#include "db/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/doorstep-db-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a.db", folder);
    return 0;
}

static int teardown(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const struct migration list[] = {
    {1, "first", "CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT NOT NULL) STRICT;"},
    {2, "second", "CREATE TABLE u(k INTEGER REFERENCES t(k) DEFERRABLE INITIALLY DEFERRED);"},
};

static struct db *open_db(void)
{
    struct db *db;

    assert_int_equal(db_open(path, DB_WRITE, &db, NULL), OK);
    assert_int_equal(migrate(db, list, 2, NULL), OK);
    return db;
}

static enum err put(struct db *db, int k, const char *v, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "INSERT INTO t(k, v) VALUES($k, $v)");

    bind_int(st, "$k", k);
    bind_text(st, "v", v);
    return db_run(st, e);
}

static int count(struct db *db)
{
    struct stmt *st = db_stmt(db, "SELECT count(*) FROM t");
    bool row;
    int n;

    assert_int_equal(db_step(st, &row, NULL), OK);
    assert_true(row);
    n = (int)col_int(st, 0);
    db_reset(st);
    return n;
}

static void statements(void **state)
{
    struct db *db = open_db();
    struct stmt *outer, *inner;
    struct errmsg e;
    size_t len;
    bool row;

    (void)state;
    assert_int_equal(db_begin(db, &e), OK);
    assert_int_equal(put(db, 1, "a", &e), OK);
    assert_int_equal(put(db, 1, "a", &e), ERR_CONFLICT);
    assert_int_equal(put(db, 2, NULL, &e), ERR_CONFLICT);
    assert_int_equal(put(db, 2, "b", &e), OK);
    assert_int_equal(db_changes(db), 1);
    /* the same text, inside itself, and an undo between */
    outer = db_stmt(db, "SELECT v FROM t WHERE k > $1 ORDER BY k");
    bind_int(outer, 1, 0);
    assert_int_equal(db_step(outer, &row, &e), OK);
    assert_string_equal(col_text(outer, 0), "a");
    inner = db_stmt(db, "SELECT v FROM t WHERE k > $1 ORDER BY k");
    assert_ptr_not_equal(outer, inner);
    bind_int(inner, 1, 1);
    assert_int_equal(db_step(inner, &row, &e), OK);
    assert_string_equal(col_text(inner, 0), "b");
    assert_int_equal(db_savepoint(db), OK);
    assert_int_equal(put(db, 9, "undone", &e), OK);
    assert_int_equal(db_savepoint(db), OK);
    assert_int_equal(db_release(db), OK);
    assert_int_equal(db_undo(db), OK);
    assert_int_equal(db_step(outer, &row, &e), OK);
    assert_true(row);
    assert_memory_equal(col_blob(outer, 0, &len), "b", 1);
    assert_int_equal(len, 1);
    assert_int_equal(db_step(outer, &row, &e), OK);
    assert_false(row);
    assert_int_equal(db_commit(db, &e), OK);
    assert_int_equal(count(db), 2);
    assert_int_equal(db_begin(db, &e), OK);
    assert_int_equal(put(db, 3, "c", &e), OK);
    assert_int_equal(db_rollback(db, &e), OK);
    assert_int_equal(count(db), 2);
    assert_int_equal(db_check(db, &e), OK);
    db_close(db);
}

static void files(void **state)
{
    struct db *db = open_db(), *other;
    struct errmsg e;
    char copy[128];
    FILE *f;
    int version;

    (void)state;
    snprintf(copy, sizeof copy, "%s/copy.db", folder);
    assert_int_equal(db_copy_to(db, copy, &e), OK);
    assert_int_equal(db_copy_to(db, copy, &e), ERR_CONFLICT);
    assert_int_equal(db_open(copy, DB_READ, &other, &e), OK);
    assert_int_equal(migrate_version(other, &version, &e), OK);
    assert_int_equal(version, 2);
    assert_int_equal(db_begin(other, &e), OK);
    assert_int_not_equal(put(other, 1, "a reader does not write", &e), OK);
    assert_int_equal(db_rollback(other, &e), OK);
    db_close(other);
    /* a newer file is refused, and a step that fails leaves nothing */
    assert_int_equal(migrate(db, list, 1, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.text, "newer"));
    {
        const struct migration broken[] = {
            list[0], list[1], {3, "third", "CREATE TABLE w(k); CREATE TABLE t(k);"}};
        assert_int_not_equal(migrate(db, broken, 3, &e), OK);
        assert_non_null(strstr(e.text, "step 0003 third"));
        assert_int_equal(migrate_version(db, &version, &e), OK);
        assert_int_equal(version, 2);
        assert_int_equal(db_exec(db, "SELECT * FROM w", &e), ERR_IO);
    }
    /* a file that began otherwise is refused whole, also when it is older or longer than ours */
    for (int n = 2; n <= 3; n++) {
        const struct migration others[] = {
            {1, "beginning", "SELECT 1"}, list[1], {3, "third", "SELECT 1"}};
        assert_int_equal(migrate(db, others, n, &e), ERR_UNSUPPORTED);
        assert_non_null(strstr(e.text, "before the first release"));
        assert_int_equal(migrate_version(db, &version, &e), OK);
        assert_int_equal(version, 2);
    }
    db_close(db);
    snprintf(copy, sizeof copy, "%s/text.db", folder);
    f = fopen(copy, "w");
    fputs("this is a letter, not a database; it is long enough to be looked at as one............."
          "...........................",
          f);
    fclose(f);
    assert_int_equal(db_open(copy, DB_WRITE, &other, &e), ERR_CORRUPT);
    assert_int_equal(db_open("/nowhere/a.db", DB_WRITE, &other, &e), ERR_IO);
    assert_int_equal(db_open("/nowhere/a.db", DB_READ, &other, &e), ERR_IO);
}

/* ---- store ---------------------------------------------------------------------------------- ----*/

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static int wakes;

static void wake(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    wakes++;
    pthread_cond_signal(&woken);
    pthread_mutex_unlock(&lock);
}

/* Until so many are left. */
static void drain_but(struct store *s, int left)
{
    while (store_pending(s) > left) {
        pthread_mutex_lock(&lock);
        while (!wakes)
            pthread_cond_wait(&woken, &lock);
        wakes = 0;
        pthread_mutex_unlock(&lock);
        store_complete(s);
    }
}

static void drain(struct store *s)
{
    drain_but(s, 0);
}

enum way { GOOD, FAILING, BREAKING_COMMIT, LOSING_TRANSACTION, LEAVING_OPEN, READING };

struct put_job {
    struct job job;
    int k;
    enum way way;
    bool done;
    int found;
    pthread_t thread;
};

static enum err run(struct job *job, struct db *db, struct errmsg *e)
{
    struct put_job *p = (struct put_job *)job;

    p->thread = pthread_self();
    switch (p->way) {
    case GOOD:
        return put(db, p->k, "good", e);
    case FAILING:
        assert_int_equal(put(db, p->k, "bad", e), OK);
        errmsg_set(e, "as asked");
        return ERR_INVALID;
    case BREAKING_COMMIT:
        return db_exec(db, "INSERT INTO u VALUES(999)", e);
    case LOSING_TRANSACTION:
        assert_int_equal(put(db, p->k, "lost", e), OK);
        return db_rollback(db, NULL) == OK ? ERR_FULL : ERR_IO;
    case LEAVING_OPEN:
        assert_int_equal(put(db, p->k, "bad", e), OK);
        assert_int_equal(db_savepoint(db), OK);
        assert_int_equal(put(db, p->k + 1, "bad", e), OK);
        return ERR_DENIED;
    case READING:
        p->found = count(db);
        return OK;
    }
    return ERR_INVALID;
}

/* What another connection sees at this moment is what is committed. */
static void done(struct job *job)
{
    struct put_job *p = (struct put_job *)job;

    assert_false(p->done);
    p->done = true;
    if (job->err == OK && p->way == GOOD) {
        struct db *db;
        struct stmt *st;
        bool row;
        assert_int_equal(db_open(path, DB_READ, &db, NULL), OK);
        st = db_stmt(db, "SELECT 1 FROM t WHERE k = $k");
        bind_int(st, "k", p->k);
        assert_int_equal(db_step(st, &row, NULL), OK);
        assert_true(row);
        db_close(db);
    }
}

static struct put_job job_of(int k, enum way way)
{
    return (struct put_job){.job = {.run = run, .done = done}, .k = k, .way = way};
}

static struct store *open_store(void)
{
    struct store *s;

    db_close(open_db());
    assert_int_equal(store_open(path, 2, wake, NULL, &s, NULL), OK);
    return s;
}

/* Holds the turn that runs now, so that what comes next shares one. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool reached, open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static enum err run_gate(struct job *job, struct db *db, struct errmsg *e)
{
    (void)job, (void)db, (void)e;
    pthread_mutex_lock(&gate.lock);
    gate.reached = true;
    pthread_cond_broadcast(&gate.moved);
    while (!gate.open)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    return OK;
}

static void gate_close(void)
{
    gate.reached = gate.open = false;
}

static void gate_wait(void)
{
    pthread_mutex_lock(&gate.lock);
    while (!gate.reached)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_open(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

static void submit_together(struct store *s, struct put_job *jobs, int n)
{
    struct put_job first = job_of(0, READING);

    first.job.run = run_gate;
    gate_close();
    store_write(s, &first.job);
    gate_wait();
    for (int i = 0; i < n; i++)
        store_write(s, &jobs[i].job);
    gate_open();
    drain(s);
}

static void a_failing_job_undoes_only_itself(void **state)
{
    struct store *s = open_store();
    struct put_job jobs[] = {job_of(1, GOOD), job_of(2, FAILING), job_of(4, LEAVING_OPEN),
                             job_of(3, GOOD)};
    struct put_job read = job_of(0, READING);

    (void)state;
    submit_together(s, jobs, 4);
    assert_int_equal(jobs[0].job.err, OK);
    assert_int_equal(jobs[1].job.err, ERR_INVALID);
    assert_string_equal(jobs[1].job.msg.text, "as asked");
    assert_int_equal(jobs[2].job.err, ERR_DENIED);
    assert_int_equal(jobs[3].job.err, OK);
    store_read(s, &read.job);
    drain(s);
    assert_int_equal(read.found, 2);
    assert_false(pthread_equal(read.thread, jobs[0].thread));
    store_close(s);
}

static void a_lost_transaction_fails_all_in_it(void **state)
{
    struct store *s = open_store();
    struct put_job jobs[] = {job_of(1, GOOD), job_of(2, LOSING_TRANSACTION), job_of(3, GOOD)};

    (void)state;
    submit_together(s, jobs, 3);
    assert_int_equal(jobs[0].job.err, ERR_FULL);
    assert_int_equal(jobs[1].job.err, ERR_FULL);
    assert_int_equal(jobs[2].job.err, OK);
    assert_false(store_failed(s));
    store_close(s);
}

static void a_failed_commit_stops_writing(void **state)
{
    struct store *s = open_store();
    struct put_job jobs[] = {job_of(1, GOOD), job_of(2, BREAKING_COMMIT), job_of(3, GOOD)};
    struct put_job later = job_of(4, GOOD), read = job_of(0, READING);

    (void)state;
    submit_together(s, jobs, 3);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(jobs[i].job.err, OK);
    assert_true(store_failed(s));
    store_write(s, &later.job);
    store_read(s, &read.job);
    drain(s);
    assert_int_equal(later.job.err, ERR_IO);
    assert_string_equal(later.job.msg.text, "writing has stopped");
    assert_int_equal(read.job.err, OK);
    assert_int_equal(read.found, 0);
    store_close(s);
}

static enum err refuse(void *arg, struct db *db, struct errmsg *e)
{
    (void)db;
    errmsg_set(e, "not now");
    return *(enum err *)arg;
}

static void precommit_can_undo_a_turn(void **state)
{
    struct store *s = open_store();
    struct put_job one = job_of(1, GOOD), two = job_of(1, GOOD);
    enum err answer = ERR_BUSY;

    (void)state;
    store_set_precommit(s, refuse, &answer);
    store_write(s, &one.job);
    drain(s);
    assert_int_equal(one.job.err, ERR_BUSY);
    answer = OK;
    store_write(s, &two.job);
    drain(s);
    assert_int_equal(two.job.err, OK);
    store_close(s);
}

static void close_drains(void **state)
{
    enum { N = 2000 };
    static struct put_job jobs[N];
    struct store *s = open_store();
    struct db *db;

    (void)state;
    for (int i = 0; i < N; i++) {
        jobs[i] = job_of(i, i % 3 ? GOOD : READING);
        if (i % 3)
            store_write(s, &jobs[i].job);
        else
            store_read(s, &jobs[i].job);
    }
    store_close(s);
    for (int i = 0; i < N; i++)
        assert_true(jobs[i].done && jobs[i].job.err == OK);
    assert_int_equal(db_open(path, DB_READ, &db, NULL), OK);
    assert_int_equal(count(db), N - (N + 2) / 3);
    db_close(db);
}

/* ---- preparing ---------------------------------------------------------------------------------*/

static bool held;  /* lock: the writer is not to go on from hold() */
static bool begun; /* lock: it is there */
static int ready;  /* lock: jobs whose prepare() was called */

static enum err hold(struct job *job, struct db *db, struct errmsg *e)
{
    (void)job;
    (void)db;
    (void)e;
    pthread_mutex_lock(&lock);
    begun = true;
    while (held)
        pthread_cond_wait(&woken, &lock);
    pthread_mutex_unlock(&lock);
    return OK;
}

static void get_ready(struct job *job)
{
    (void)job;
    pthread_mutex_lock(&lock);
    ready++;
    pthread_mutex_unlock(&lock);
}

static int how_many_are_ready(bool *ret_begun)
{
    pthread_mutex_lock(&lock);
    int n = ready;
    if (ret_begun)
        *ret_begun = begun;
    pthread_mutex_unlock(&lock);
    return n;
}

/* While the writer is busy the next turn's jobs are prepared, but not all that wait: what is prepared
 * takes much memory. */
static void a_turn_is_prepared_ahead(void **state)
{
    enum { N = 40, KB = 100 };
    static struct put_job first, jobs[N];
    struct store *s = open_store();

    (void)state;
    bool busy = begun = false;
    held = true;
    ready = 0;
    first = job_of(1000, GOOD);
    first.way = READING;
    first.job.run = hold;
    store_write(s, &first.job);
    for (int i = 0; i < N; i++) {
        jobs[i] = job_of(i, GOOD);
        jobs[i].job.prepare = get_ready;
        jobs[i].job.bytes = KB * 1024;
    }
    for (int i = 0; i < 12000 && !busy; i++, usleep(5000))
        (void)how_many_are_ready(&busy);
    assert_true(busy);
    for (int i = 0; i < N; i++)
        store_write(s, &jobs[i].job);
    for (int i = 0; i < 12000 && how_many_are_ready(NULL) < 6; i++)
        usleep(5000);
    usleep(50000);
    assert_int_equal(how_many_are_ready(NULL), 6); /* 512 KB, and the one that passes it */
    pthread_mutex_lock(&lock);
    held = false;
    pthread_cond_broadcast(&woken);
    pthread_mutex_unlock(&lock);
    drain(s);
    assert_int_equal(how_many_are_ready(NULL), N);
    for (int i = 0; i < N; i++)
        assert_true(jobs[i].done && jobs[i].job.err == OK);
    store_close(s);
}

static enum err run_much(struct job *job, struct db *db, struct errmsg *e)
{
    static char text[1 << 20];
    struct put_job *p = (struct put_job *)job;

    memset(text, 'x', sizeof text - 1);
    return put(db, p->k, text, e);
}

static void say_nothing(struct job *job)
{
    ((struct put_job *)job)->done = true;
}

static int64_t size_of(const char *suffix)
{
    char name[128];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) ? 0 : (int64_t)st.st_size;
}

/* What the log may have: its bound, and one turn, here of a megabyte. */
enum {
    PAGE = 4096 + 24,
    LOG_BYTES_MAX = 32 + (STORE_LOG_PAGES_MAX + 300) * PAGE,
    LOG_MB = LOG_BYTES_MAX >> 20
};

static void write_much(struct store *s, struct put_job *jobs, int first, int n)
{
    for (int i = 0; i < n; i++) {
        jobs[i] = job_of(first + i, GOOD);
        jobs[i].job.run = run_much;
        jobs[i].job.done = say_nothing;
        jobs[i].job.bytes = 1 << 20;
        store_write(s, &jobs[i].job);
    }
}

static void assert_good(const struct put_job *jobs, int n)
{
    for (int i = 0; i < n; i++)
        assert_true(jobs[i].done && jobs[i].job.err == OK);
}

/* While the store is open the log is carried back into the file, and begins anew: it does not grow
 * with what is written. */
static void the_log_is_carried_back(void **state)
{
    enum { ROUNDS = 4, EACH = 40 }; /* MB */
    struct store *s = open_store();

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        static struct put_job jobs[EACH];
        write_much(s, jobs, round * EACH, EACH);
        drain(s);
        assert_good(jobs, EACH);
        for (int i = 0; i < 6000 && size_of("") < ((int64_t)round * EACH + EACH / 2) << 20; i++)
            usleep(10000);
        assert_true(size_of("") >= ((int64_t)round * EACH + EACH / 2) << 20);
    }
    assert_in_range(size_of("-wal"), 1, LOG_BYTES_MAX);
    store_close(s);
    assert_int_equal(size_of("-wal"), 0);
}

/* ---- a carrier that is slow ----------------------------------------------------------------- */

static sqlite3_vfs disk, *real_disk;
static sqlite3_io_methods file_methods;
static const sqlite3_io_methods *real_file;
static _Atomic bool slow_carrier;

/* Once, in the middle of carrying: until the log has come to its bound, and on while a writer that
 * does not wait would pass it. A machine too slow to pass it meanwhile says nothing wrong. */
static int write_slowly(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    char name[16] = "";

    pthread_getname_np(pthread_self(), name, sizeof name);
    if (slow_carrier && !strcmp(name, "checkpointer")) {
        for (int i = 0; i < 6000 && size_of("-wal") < (int64_t)STORE_LOG_PAGES_MAX * PAGE; i++)
            usleep(10000);
        usleep(1000000);
        slow_carrier = false;
    }
    return real_file->xWrite(f, p, n, at);
}

static int open_slow(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret)
{
    int rc = real_disk->xOpen(real_disk, name, f, flags, ret);

    (void)v;
    if (rc == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB) {
        if (!real_file) { /* every file here has the same */
            real_file = f->pMethods;
            file_methods = *real_file;
            file_methods.xWrite = write_slowly;
        }
        f->pMethods = &file_methods;
    }
    return rc;
}

static void use_slow_disk(void)
{
    real_disk = sqlite3_vfs_find(NULL);
    disk = *real_disk;
    disk.zName = "slow";
    disk.xOpen = open_slow;
    sqlite3_vfs_register(&disk, 1);
}

static void the_writer_waits_for_a_slow_carrier(void **state)
{
    enum { MB = LOG_MB + 80 };
    static struct put_job jobs[MB];
    struct store *s = open_store();

    (void)state;
    slow_carrier = true;
    write_much(s, jobs, 0, MB);
    drain(s);
    assert_good(jobs, MB);
    assert_in_range(size_of("-wal"), STORE_LOG_PAGES_MAX * PAGE, LOG_BYTES_MAX);
    assert_false(slow_carrier);
    store_close(s);
}

/* ---- readers -------------------------------------------------------------------------------- */

/* Each reads on until the other has begun: at every moment somebody reads what is older than the
 * last commit. */
struct relay {
    struct put_job put;
    struct store *s;
};
static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int begun;
    bool over;
} relay = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static enum err run_relay(struct job *job, struct db *db, struct errmsg *e)
{
    int mine;

    (void)job, (void)e;
    (void)count(db);
    pthread_mutex_lock(&relay.lock);
    mine = ++relay.begun;
    pthread_cond_broadcast(&relay.moved);
    while (!relay.over && relay.begun == mine)
        pthread_cond_wait(&relay.moved, &relay.lock);
    pthread_mutex_unlock(&relay.lock);
    return OK;
}

static void read_again(struct job *job)
{
    struct relay *r = (struct relay *)job;

    assert_int_equal(job->err, OK);
    if (!relay.over) /* set by this thread */
        store_read(r->s, job);
}

static void readers_one_after_the_other_do_not_hold_the_log(void **state)
{
    enum { MB = 2 * LOG_MB };
    static struct put_job jobs[MB];
    struct store *s = open_store();
    struct relay r[2];
    int64_t size;

    (void)state;
    relay.over = false;
    for (int i = 0; i < 2; i++) {
        r[i] = (struct relay){job_of(0, READING), s};
        r[i].put.job.run = run_relay;
        r[i].put.job.done = read_again;
        store_read(s, &r[i].put.job);
    }
    write_much(s, jobs, 0, MB);
    drain_but(s, 2);
    size = size_of("-wal");
    pthread_mutex_lock(&relay.lock);
    relay.over = true;
    pthread_cond_broadcast(&relay.moved);
    pthread_mutex_unlock(&relay.lock);
    drain(s);
    assert_good(jobs, MB);
    assert_in_range(size, 1, LOG_BYTES_MAX);
    store_close(s);
}

/* Reads what is there before it waits at the gate. */
static enum err run_stay(struct job *job, struct db *db, struct errmsg *e)
{
    ((struct put_job *)job)->found = count(db);
    return run_gate(job, db, e);
}

/* The one exception: writing goes on, and once the reader has gone the log is as bounded as before.
 */
static void a_reader_that_stays_stops_nobody(void **state)
{
    enum { MB = LOG_MB + 20 };
    static struct put_job jobs[MB];
    struct store *s = open_store();
    struct put_job reader = job_of(0, READING);
    int64_t grown;

    (void)state;
    reader.job.run = run_stay;
    gate_close();
    store_read(s, &reader.job);
    gate_wait();
    write_much(s, jobs, 0, MB);
    drain_but(s, 1);
    assert_good(jobs, MB);
    assert_true(size_of("-wal") > LOG_BYTES_MAX);
    gate_open();
    drain(s);
    assert_int_equal(reader.found, 0);
    write_much(s, jobs, MB, MB); /* to twice the bound: then it begins anew */
    drain(s);
    grown = size_of("-wal");
    write_much(s, jobs, 2 * MB, MB);
    drain(s);
    assert_good(jobs, MB);
    assert_int_equal(size_of("-wal"), grown);
    assert_in_range(grown, 1, 2 * LOG_BYTES_MAX);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statements, setup, teardown),
        cmocka_unit_test_setup_teardown(files, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_job_undoes_only_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_transaction_fails_all_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_commit_stops_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(precommit_can_undo_a_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(close_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(a_turn_is_prepared_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_is_carried_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_writer_waits_for_a_slow_carrier, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_one_after_the_other_do_not_hold_the_log, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_stays_stops_nobody, setup, teardown),
    };

    use_slow_disk();
    return cmocka_run_group_tests_name("db_store", tests, NULL, NULL);
}
