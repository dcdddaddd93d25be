/* A step of one engine.
 *
 *   socket frame -> IN_FRAME -> effects -> tasks -> answers IN_... -> effects -> socket frame */
#include "site/step.h"

#include "base/log.h"
#include "site/feed.h"
#include "site/leases.h"
#include "site/papers.h"
#include "site/recalls.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SKEW_NOTED_MS 1000 /* a change of less is not written */

/* ---- effects that are no task -----------------------------------------------------------------*/

static void send_frame(struct peer *p, const struct link_effect *fx)
{
    ws_send(p->ws, fx->bytes, fx->bytes_len, true);
}

static enum err skew_run(struct task *t, struct db *db, struct errmsg *e)
{
    return link_end_skew(&t->peer->x, db, t->fx.skew_ms, e);
}

static void warn_of_clock(const struct peer *p, const struct link_effect *fx)
{
    log_line(LOG_LEVEL_WARN, "replica",
             "clock=wrong peer=%s skew_s=%lld text=\"the clocks of the two sites differ; set the "
             "right time, nothing is lost\"",
             p->x.peer, (long long)fx->skew_ms / 1000);
}

/* Most links say the same again and again: only what has changed is written. */
static void note_skew(struct peer *p, const struct link_effect *fx)
{
    static const struct task_kind kind = {.write = true, .run = skew_run};
    int64_t change = fx->skew_ms - p->x.skew_ms;

    if (change > -SKEW_NOTED_MS && change < SKEW_NOTED_MS)
        return;
    p->x.skew_ms = fx->skew_ms;
    task_start(task_new(p, fx, &kind));
}

/* The clock of a link that stands was set, here or there. */
static void skew_told(struct peer *p, const struct link_effect *fx)
{
    bool shown = link_end_skew_shown(p->x.skew_ms);

    note_skew(p, fx);
    if (!shown && link_end_skew_shown(p->x.skew_ms))
        warn_of_clock(p, fx);
}

static void came_up(struct peer *p, const struct link_effect *fx)
{
    struct site *s = p->site;

    p->up = true;
    s->look |= LOOK_OUTBOXES;
    if (p->x.is_parent) {
        s->up = true;
        s->backoff_kept_ms = s->backoff_ms;
        s->backoff_ms = BACKOFF_MS_MIN;
        s->last_reason[0] = 0;
        s->show_heads = true;
        s->look |= LOOK_WHOLE;
    }
    log_line(LOG_LEVEL_INFO, "replica", "link=up peer=%s version=%u skew_ms=%lld", p->x.peer,
             fx->version, (long long)fx->skew_ms);
    note_skew(p, fx);
    if (link_end_skew_shown(fx->skew_ms))
        warn_of_clock(p, fx);
    recalls_look(p, fx);
}

/* The peer says it because of what we have sent, or can take nothing: it will say so again. */
static bool puts_out(enum bye_code code)
{
    return code == BYE_PROTOCOL || code == BYE_STORE || code == BYE_WITHHELD;
}

static void close_link(struct peer *p, const struct link_effect *fx)
{
    log_line(fx->code == BYE_STOPPING ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "replica",
             "link=closing peer=%s code=%d by_peer=%s reason=\"%s\"", p->x.peer, (int)fx->code,
             fx->by_peer ? "yes" : "no", fx->reason);
    if (p->x.is_parent) {
        snprintf(p->site->last_reason, sizeof p->site->last_reason, "%s", fx->reason);
        p->site->reason_said = true;
        if (p->up && fx->by_peer && puts_out(fx->code)) /* ask more and more seldom */
            p->site->backoff_ms = p->site->backoff_kept_ms;
    }
    /* Restored without being told: act as if we had been. */
    if ((fx->code == BYE_BEHIND && !fx->by_peer) ||
        (fx->code == BYE_FORKED && fx->by_peer && p->x.is_parent)) {
        log_line(LOG_LEVEL_WARN, "replica",
                 "restored=found peer=%s text=\"this site has forgotten a part of its past; it "
                 "gets it back first\"",
                 p->x.peer);
        recalls_come_back(p, fx);
    }
    ws_close(p->ws, 1000, fx->reason);
}

static void refused(struct peer *p, const struct link_effect *fx)
{
    papers_refused(p, fx->digest);
}

/* ---- the step ---------------------------------------------------------------------------------*/

void step_effects(struct peer *p, const struct link_effects *fx)
{
    static void (*const begin[])(struct peer * p, const struct link_effect *fx) = {
        [FX_SEND] = send_frame,          [FX_UP] = came_up,
        [FX_READ] = feed_read,           [FX_STORE] = feed_store,
        [FX_ACKED] = feed_acked,         [FX_READ_CHUNK] = papers_serve,
        [FX_STORE_CHUNK] = papers_store, [FX_NONE] = refused,
        [FX_ASK_LEASE] = leases_asked,   [FX_LEASE] = leases_answered,
        [FX_RECALL] = recalls_asked,     [FX_RECALLED] = recalls_answered,
        [FX_HAVE] = feed_have,           [FX_HEAD] = feed_head,
        [FX_CLOSE] = close_link,         [FX_SKEW] = skew_told,
    };
    _Static_assert(sizeof begin / sizeof begin[0] == FX_CLOSE + 1, "a row for each kind of effect");

    for (int i = 0; i < fx->count && p->ws; i++) {
        assert(begin[fx->item[i].kind]);
        begin[fx->item[i].kind](p, &fx->item[i]);
    }
}

void step_link(struct peer *p, struct link_input *in)
{
    struct site *s = p->site;
    struct link_effects fx;
    struct link_input answer;

    assert(s->turn);
    if (!p->ws || !p->link)
        return;
    in->now_ms = host_mono_ms(peer_host(p));
    in->wall_ms = host_wall_ms(peer_host(p));
    arena_reset(s->turn);
    link_step(p->link, in, s->turn, &fx);
    assert(fx.count >= 0 && fx.count <= LINK_EFFECTS_MAX);
    step_effects(p, &fx);
    if (in->kind == IN_FRAME)
        p->heard_ms = in->now_ms;
    for (int i = 0; i < fx.count; i++)
        if (fx.item[i].kind == FX_SEND)
            p->said_ms = in->now_ms;
    peer_rest(p);
    if (p->promise.renew)
        s->peers[p->at].due_ms = 0;
    if (leases_ready(p, &answer))
        step_link(p, &answer);
}

void step_head(struct peer *p, uint64_t head_pos)
{
    struct link_input in = {.kind = IN_LOCAL, .head_pos = head_pos};

    p->head_pos = head_pos;
    step_link(p, &in);
}

/* ---- answers ----------------------------------------------------------------------------------*/

static void give_answer(struct task *t)
{
    if (t->answers)
        step_link(t->peer, &t->in);
    for (int i = 0; i < t->have_count; i++) {
        struct link_input have = {.kind = IN_HAVE};
        memcpy(have.digest, t->have[i], 32);
        step_link(t->peer, &have);
    }
}

void step_finished(struct site *s)
{
    for (struct task *t; (t = task_take(s));) {
        assert(t->peer->site == s);
        t->answers = false;
        t->goes_on = NULL;
        if (t->kind->answer)
            t->kind->answer(t);
        else
            task_report(t);
        if (t->goes_on) {
            t->kind = t->goes_on;
            task_start(t);
            continue;
        }
        give_answer(t);
        task_end(t);
    }
}
