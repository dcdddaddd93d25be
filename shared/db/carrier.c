/* The log, and the thread that carries it back into the database file beside the writer. A log
 * begins anew only when all of it is carried back, which a writer that writes on never lets happen:
 * past the bound the writer waits for that. */
#include "db/store_inside.h"

#include "base/host.h"
#include "base/log.h"

#include <assert.h>

#define CHECKPOINT_PAGES 4000 /* of the log: then the carrier begins */

/* While the writer wrote on; once it rests, the log can be brought to its end. */
bool carrier_unfinished(const struct store *s)
{
    return s->carried && s->log_pages > s->carried;
}

/* ---- the writer's side ------------------------------------------------------------------------*/

/* What cannot be carried back stays in the log, and is tried again. That a sync has failed is not:
 * after that nobody knows what the disk holds. */
static enum err carry_back(struct store *s, struct db *db,
                           enum err (*how)(struct db *db, struct errmsg *e))
{
    struct errmsg msg = {""};
    enum err err = how(db, &msg);

    if (err == ERR_FULL)
        log_line(LOG_LEVEL_WARN, "store", "checkpoint=later reason=\"%s\"", msg.text);
    else if (err != OK && err != ERR_BUSY)
        queue_stop_writing(s, err, &msg);
    return err;
}

static void log_begins(struct store *s)
{
    s->carried = 0;
    s->log_max = STORE_LOG_PAGES_MAX;
}

/* On the writer thread, behind a commit. */
void carrier_log_grown(void *arg, int pages)
{
    struct store *s = arg;

    assert(pages >= 0);
    pthread_mutex_lock(&s->lock);
    if (pages < s->log_pages)
        log_begins(s);
    s->log_pages = pages;
    if (pages >= s->carried + CHECKPOINT_PAGES)
        pthread_cond_signal(&s->log_ready);
    pthread_mutex_unlock(&s->lock);
}

/* On the writer thread, between turns: nobody waits for what it has written. */
void carrier_bound(struct store *s)
{
    int64_t began = host_mono_ms(host_system());
    int pages;
    enum err err;

    pthread_mutex_lock(&s->lock);
    pages = s->log_pages;
    if (s->failed || pages < s->log_max) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    while (s->carrying)
        pthread_cond_wait(&s->carrier_rests, &s->lock);
    s->carrying = true;
    pthread_mutex_unlock(&s->lock);
    err = carry_back(s, s->write_db, db_checkpoint_all);
    pthread_mutex_lock(&s->lock);
    assert(s->carrying);
    s->carrying = false;
    if (err == OK) {
        s->log_pages = 0;
        log_begins(s);
    } else if (err == ERR_BUSY) {
        s->log_max = 2 * pages;
    }
    pthread_mutex_unlock(&s->lock);
    log_line(err == ERR_BUSY ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "store",
             "log=full pages=%d waited_ms=%lld carried_back=%s", pages,
             (long long)(host_mono_ms(host_system()) - began), err == OK ? "yes" : err_name(err));
}

/* ---- the thread -------------------------------------------------------------------------------*/

void *carrier_main(void *arg)
{
    struct store *s = arg;

    pthread_setname_np(pthread_self(), "checkpointer");
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        bool much = s->log_pages >= s->carried + CHECKPOINT_PAGES,
             rest = !s->writing && carrier_unfinished(s);
        if (s->failed || s->carrying || (!much && !rest)) {
            pthread_cond_wait(&s->log_ready, &s->lock);
            continue;
        }
        s->carried = s->log_pages;
        s->carrying = true;
        pthread_mutex_unlock(&s->lock);
        (void)carry_back(s, s->checkpoint_db, db_checkpoint);
        pthread_mutex_lock(&s->lock);
        assert(s->carrying); /* nobody else began meanwhile */
        s->carrying = false;
        pthread_cond_signal(&s->carrier_rests);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
