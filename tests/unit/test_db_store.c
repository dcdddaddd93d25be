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

static void drain(struct store *s)
{
    while (store_pending(s)) {
        pthread_mutex_lock(&lock);
        while (!wakes)
            pthread_cond_wait(&woken, &lock);
        wakes = 0;
        pthread_mutex_unlock(&lock);
        store_complete(s);
    }
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
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static enum err run_gate(struct job *job, struct db *db, struct errmsg *e)
{
    (void)job, (void)db, (void)e;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return OK;
}

static void submit_together(struct store *s, struct put_job *jobs, int n)
{
    struct put_job first = job_of(0, READING);

    first.job.run = run_gate;
    pthread_mutex_lock(&gate);
    store_write(s, &first.job);
    usleep(20000);
    for (int i = 0; i < n; i++)
        store_write(s, &jobs[i].job);
    pthread_mutex_unlock(&gate);
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

/* While the store is open the log is carried back into the file, and begins anew: it does not grow
 * with what is written. */
static void the_log_is_carried_back(void **state)
{
    enum { ROUNDS = 4, EACH = 40 }; /* MB */
    struct store *s = open_store();

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        static struct put_job jobs[EACH];
        for (int i = 0; i < EACH; i++) {
            jobs[i] = job_of(round * EACH + i, GOOD);
            jobs[i].job.run = run_much;
            jobs[i].job.done = say_nothing;
            jobs[i].job.bytes = 1 << 20;
            store_write(s, &jobs[i].job);
        }
        drain(s);
        for (int i = 0; i < EACH; i++)
            assert_int_equal(jobs[i].job.err, OK);
        for (int i = 0; i < 1000 && size_of("") < ((int64_t)round * EACH + EACH / 2) << 20; i++)
            usleep(10000);
        assert_true(size_of("") >= ((int64_t)round * EACH + EACH / 2) << 20);
    }
    assert_in_range(size_of("-wal"), 1, 80 << 20);
    store_close(s);
    assert_int_equal(size_of("-wal"), 0);
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
        cmocka_unit_test_setup_teardown(the_log_is_carried_back, setup, teardown),
    };

    return cmocka_run_group_tests_name("db_store", tests, NULL, NULL);
}
