/* Many seeds: ranges, processes, stories, and the command line. */
#include "told.h"

#include "base/log.h"
#include "disk.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64
#define FAILED_MAX 5

#ifndef COMMIT
#define COMMIT "unknown"
#endif

static const char *dossier; /* what each site holds of it is printed when a promise is broken */

static void tell(uint64_t seed)
{
    printf("BROKEN seed %llu, commit %s: %s\n", (unsigned long long)seed, COMMIT, broken);
    fate_tell();
    for (int i = 0; dossier && i < SITES; i++)
        if (site[i].db)
            told_print(&site[i], dossier);
    printf("replay: make sim SEED=%llu\n", (unsigned long long)seed);
}

struct tally {
    unsigned long long passed, failed, seed; /* seed: in hand now */
};

struct range {
    unsigned long long from, to;
    bool stop_at_first;
};

static void run_some(const struct range *r, unsigned step, unsigned first, struct tally *t)
{
    for (t->seed = r->from + first; t->seed <= r->to; t->seed += step) {
        bool good = world_run(t->seed);
        if (t->seed % 50 == 0 && plans_check()) {
            t->failed++;
            return;
        }
        if (good) {
            t->passed++;
            continue;
        }
        t->failed++;
        tell(t->seed);
        fflush(stdout);
        if (r->stop_at_first || t->failed >= FAILED_MAX)
            break;
    }
    world_close();
}

/* Each child takes every jobs-th seed of the finished world. Also one that dies is told of, with
 * its seed. */
static void run_jobs(const struct range *r, unsigned jobs, struct tally *sum)
{
    struct tally *t =
        mmap(NULL, sizeof *t * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child[JOBS_MAX];
    int status;

    if (t == MAP_FAILED)
        exit(2);
    fflush(stdout);
    for (unsigned i = 0; i < jobs; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            run_some(r, jobs, i, &t[i]);
            fflush(stdout);
            _exit(t[i].failed ? 1 : 0);
        }
        if (child[i] < 0)
            exit(2);
    }
    for (unsigned left = jobs; left; left--) {
        pid_t ended = wait(&status);
        for (unsigned i = 0; i < jobs; i++) {
            if (child[i] != ended)
                continue;
            child[i] = 0;
            if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM) {
                printf("BROKEN seed %llu, commit %s: the program died by signal %d\n"
                       "replay: make sim SEED=%llu\n",
                       t[i].seed, COMMIT, WTERMSIG(status), t[i].seed);
                t[i].failed++;
            }
        }
        for (unsigned i = 0; i < jobs && r->stop_at_first && status; i++)
            if (child[i] > 0)
                kill(child[i], SIGTERM);
    }
    for (unsigned i = 0; i < jobs; i++) {
        sum->passed += t[i].passed;
        sum->failed += t[i].failed;
    }
    munmap(t, sizeof *t * JOBS_MAX);
}

/* Each line: a seed, a name, what it found. */
static void run_stories(const char *path, struct tally *sum)
{
    FILE *f = fopen(path, "r");
    char line[400], name[80];
    unsigned long long seed;

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%llu %79s", &seed, name) != 2)
            continue;
        const struct range r = {seed, seed, false};
        unsigned long long before = sum->failed;
        run_jobs(&r, 1, sum);
        if (sum->failed != before)
            printf("that was the story %s", line);
    }
    if (!f)
        sum->failed++;
    else
        fclose(f);
}

static int usage(void)
{
    fprintf(stderr, "usage: sim --seeds A..B | --stories FILE [--jobs N] [--trace] [--first] "
                    "[--dossier ID]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct range r = {.from = 1, .to = 100};
    struct tally sum = {0};
    unsigned jobs = 1;
    bool want = false;
    const char *stories = NULL;

    json_use_arenas();
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seeds") && i + 1 < argc &&
            sscanf(argv[++i], "%llu..%llu", &r.from, &r.to) == 2)
            continue;
        if (!strcmp(argv[i], "--jobs") && i + 1 < argc && sscanf(argv[++i], "%u", &jobs) == 1 &&
            jobs >= 1 && jobs <= JOBS_MAX)
            continue;
        if (!strcmp(argv[i], "--dossier") && i + 1 < argc)
            dossier = argv[++i];
        else if (!strcmp(argv[i], "--stories") && i + 1 < argc)
            stories = argv[++i];
        else if (!strcmp(argv[i], "--trace"))
            want = true;
        else if (!strcmp(argv[i], "--first"))
            r.stop_at_first = true;
        else
            return usage();
    }
    setvbuf(stdout, NULL, _IOFBF, 1 << 16); /* a report goes out in one piece */
    log_level_set(LOG_LEVEL_ERROR);
    disk_register();
    world_make();
    if (want)
        fate_trace_all();
    if (stories)
        run_stories(stories, &sum);
    else if (want)
        run_some(&r, 1, 0, &sum);
    else
        run_jobs(&r, jobs, &sum);
    printf("%llu passed, %llu failed\n", sum.passed, sum.failed);
    return sum.failed ? 1 : 0;
}
