/* Does the data folder hold what it must; and projections folded anew. */
#include "site/verify.h"

#include "ledger/blob.h"
#include "ledger/chain.h"
#include "office/rebuild.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum err same_projections(const struct folder *f, struct db *db, struct errmsg *e)
{
    struct folder copy = *f;
    struct office o;
    struct db *fresh = NULL;
    char path[1200], before[65], after[65];
    enum err err;

    folder_path(f->dir, "verify.db", path, sizeof path);
    unlink(path);
    if ((err = db_copy_to(db, path, e)) != OK || (err = db_open(path, DB_WRITE, &fresh, e)) != OK)
        goto done;
    if ((err = db_begin(fresh, e)) == OK && (err = folder_office(&copy, &o, fresh, e)) == OK) {
        /* What only this program can read is folded first: it may have been started never yet. */
        for (bool more = true; err == OK && more;)
            err = office_catch_up(&o, fresh, 1000, &more, e);
        if (err == OK && (err = office_digest(&o, fresh, before, e)) == OK &&
            (err = office_rebuild(&o, fresh, e)) == OK)
            err = office_digest(&o, fresh, after, e);
        if (err == OK && strcmp(before, after)) {
            errmsg_set(e,
                       "the projections differ from a fresh fold of the ledger: run \"rebuild\"");
            err = ERR_CORRUPT;
        }
        office_close(&o);
    }
done:
    db_close(fresh);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[1300];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return err;
}

/* Every paper that is said to be here is here. */
static enum err papers_there(struct db *db, struct blob_dir *blobs, struct errmsg *e)
{
    struct stmt *st = db_stmt(db, "SELECT digest FROM document WHERE state = 'here'");
    enum err err;
    bool row;

    while ((err = db_step(st, &row, e)) == OK && row)
        if (!blob_exists(blobs, col_text(st, 0))) {
            errmsg_set(e, "the paper %s is said to be here and is not", col_text(st, 0));
            err = ERR_CORRUPT;
            break;
        }
    db_reset(st);
    return err;
}

enum err verify_site(const struct folder *f, void (*say)(const char *line), struct errmsg *e)
{
    struct blob_dir *blobs = NULL;
    struct db *db = NULL;
    char path[1200], line[128];
    struct ledger_counts n;
    int64_t papers = 0;
    enum err err;

    folder_path(f->dir, "blobs", path, sizeof path);
    if ((err = folder_open_db(f, &db, e)) != OK || (err = blob_dir_open(path, &blobs, e)) != OK)
        goto done;
    if ((err = db_check(db, e)) != OK || (err = db_begin(db, e)) != OK ||
        (err = ledger_verify(db, &n, e)) != OK)
        goto done;
    snprintf(line, sizeof line, "ledger: %lld events, every chain and signature holds",
             (long long)n.chained);
    say(line);
    snprintf(line, sizeof line, "personal parts: %lld here, %lld only as digests",
             (long long)n.personal, (long long)n.shells);
    say(line);
    if ((err = blob_verify_all(blobs, &papers, e)) != OK ||
        (err = papers_there(db, blobs, e)) != OK)
        goto done;
    snprintf(line, sizeof line, "papers: %lld, each is what its name says", (long long)papers);
    say(line);
    if ((err = db_rollback(db, e)) == OK && (err = same_projections(f, db, e)) == OK)
        say("projections: equal to a fresh fold");
done:
    blob_dir_close(blobs);
    db_close(db);
    return err;
}

enum err verify_rebuild(const struct folder *f, struct errmsg *e)
{
    struct office o;
    struct db *db = NULL;
    enum err err = folder_open_db(f, &db, e);

    if (err == OK && (err = db_begin(db, e)) == OK && (err = folder_office(f, &o, db, e)) == OK) {
        if ((err = office_rebuild(&o, db, e)) == OK)
            err = db_commit(db, e);
        office_close(&o);
    }
    db_close(db);
    return err;
}
