/* What the bound of the database's log costs at its worst: the store written flat out. bench_log MB
 * [DIR]; jobs of 64 KB, each a row, 64 in flight. Prints a line of JSON; the store tells on stderr
 * each time that its writer stood before a full log (waits.mjs adds them up). */
#include "db/migrate.h"
#include "db/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { JOB_BYTES = 64 * 1024, IN_FLIGHT = 64 };

static const struct migration list[] = {
    {1, "first", "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT;"}};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static bool awake;
static struct store *store;
static int left; /* jobs not yet asked for */

static void must(enum err err, const char *what, const struct errmsg *e)
{
    if (err == OK)
        return;
    fprintf(stderr, "log: %s: %s %s\n", what, err_name(err), e->text);
    exit(1);
}

static void wake(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    awake = true;
    pthread_cond_signal(&woken);
    pthread_mutex_unlock(&lock);
}

static enum err run(struct job *job, struct db *db, struct errmsg *e)
{
    static unsigned char bytes[JOB_BYTES];
    struct stmt *st = db_stmt(db, "INSERT INTO t(v) VALUES($1)");

    (void)job;
    lend_blob(st, 1, bytes, sizeof bytes);
    return db_run(st, e);
}

static void done(struct job *job)
{
    must(job->err, "write", &job->msg);
    if (left-- > 0)
        store_write(store, job);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static struct job jobs[IN_FLIGHT];
    char path[300], log[310], command[310];
    int mb = argc > 1 ? atoi(argv[1]) : 0;
    struct errmsg e = {""};
    struct stat st;
    struct db *db;
    double t;

    snprintf(path, sizeof path, "%s/doorstep-log-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (mb < 8 || !mkdtemp(path))
        return fprintf(stderr, "usage: bench_log MB [DIR]\n"), 2;
    snprintf(command, sizeof command, "rm -rf %s", path);
    strcat(path, "/a.db");
    snprintf(log, sizeof log, "%s-wal", path);
    must(db_open(path, DB_WRITE, &db, &e), "open", &e);
    must(migrate(db, list, 1, &e), "migrate", &e);
    db_close(db);
    must(store_open(path, 1, wake, NULL, &store, &e), "open", &e);
    left = (int)((int64_t)mb * 1024 * 1024 / JOB_BYTES) - IN_FLIGHT;
    t = now_s();
    for (int i = 0; i < IN_FLIGHT; i++) {
        jobs[i] = (struct job){.run = run, .done = done, .bytes = JOB_BYTES};
        store_write(store, &jobs[i]);
    }
    while (store_pending(store)) {
        pthread_mutex_lock(&lock);
        while (!awake)
            pthread_cond_wait(&woken, &lock);
        awake = false;
        pthread_mutex_unlock(&lock);
        store_complete(store);
    }
    t = now_s() - t;
    printf("{\"mb_per_s\": %.1f, \"seconds\": %.3f, \"log_mb\": %.1f}\n", mb / t, t,
           stat(log, &st) ? 0.0 : (double)st.st_size / 1048576);
    fflush(stdout);
    store_close(store);
    return system(command) != 0;
}
