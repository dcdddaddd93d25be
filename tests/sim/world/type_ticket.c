/* Tickets: what people do with them, and what must hold. */
#include "told.h"
#include "work.h"

#include "base/mem.h"
#include "dossiers/ticket/ticket.h"

#include <stdlib.h>
#include <string.h>

#define ISSUED_MAX 2000
static struct issued {
    char id[33], code[12];
} issued[ISSUED_MAX];
static int issued_count;

static void reset(void)
{
    issued_count = 0;
}

/* ---- people -----------------------------------------------------------------------------------*/

static const char *any_queue(void)
{
    static const char *const names[] = {"A", "A", "A", "B", "C", "Z", "", "AB"};

    return names[dice(dice(20) ? 4 : 8)];
}

static const char *any_window(void)
{
    static const char *const names[] = {"1", "2", "5", "贵宾窗口",
                                        "a window with a far too long name"};

    return names[dice(dice(20) ? 3 : 5)];
}

static void issue(struct site *s)
{
    struct caller c = work_caller(s->no);
    struct json *in = json_object();

    json_set_text(in, "queue", any_queue());
    if (dice(4) == 0)
        json_set_text(in, "class", dice(2) ? "priority" : "booked");
    if (dice(4) == 0)
        json_set_text(in, "item", "birth-registration-first");
    if (s->no <= 2 && dice(2))
        c.user = c.name = c.role = "";
    work_command(&sim_ticket, s, &c, ticket_issue, in);
}

static void call_next(struct site *s)
{
    struct caller c = work_caller(s->no);

    for (int i = 1 + (int)dice(2); i; i--) { /* two windows at once */
        struct json *in = json_object();
        json_set_text(in, "queue", any_queue());
        json_set_text(in, "window", any_window());
        work_command(&sim_ticket, s, &c, queue_next, in);
    }
}

struct pick {
    char id[33], state[12];
};

static enum err pick_ticket(struct site *s, void *arg, struct errmsg *e)
{
    struct pick *p = arg;
    int64_t n = check_count(s, "SELECT count(*) FROM ticket");
    struct stmt *st =
        db_stmt(s->db, "SELECT id, state FROM ticket ORDER BY day DESC, state LIMIT 1 "
                       "OFFSET $1 /* full scan: a test */");
    bool row;

    bind_int(st, 1, n > 0 ? (int64_t)dice((uint64_t)n) : 0);
    enum err err = db_step(st, &row, e);
    if (err == OK && row) {
        snprintf(p->id, sizeof p->id, "%s", col_text(st, 0));
        snprintf(p->state, sizeof p->state, "%s", col_text(st, 1));
    }
    db_reset(st);
    return err == OK && !row ? ERR_NOT_FOUND : err;
}

static void act(struct site *s)
{
    static const char *const usual[][2] = {
        {"coming", "call leave transfer"},
        {"waiting", "call transfer leave"},
        {"called", "serve serve serve recall pass put_back transfer leave"},
        {"serving", "finish finish finish put_back transfer"},
        {"passed", "recall put_back leave transfer"},
    };
    const char *list = "call recall serve finish pass put_back transfer leave";
    struct caller c = work_caller(s->no);
    struct pick p = {.id = ""};
    char name[32];

    if (!in_read(s, pick_ticket, &p))
        return;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (!strcmp(usual[i][0], p.state) && dice(10))
            list = usual[i][1];
    struct json *in = json_object();
    json_set_text(in, "id", p.id);
    json_set_text(in, "action", work_one_of(list, name));
    if (!strcmp(name, "call") || (!strcmp(name, "recall") && dice(2)))
        json_set_text(in, "window", any_window());
    if (!strcmp(name, "put_back") && dice(2))
        json_set_int(in, "behind", (int64_t)dice(3));
    if (!strcmp(name, "transfer")) {
        json_set_text(in, dice(2) ? "queue" : "to_window", dice(2) ? any_queue() : any_window());
        json_set_bool(in, "keeps_place", dice(2));
        json_set_bool(in, "return_to_me", dice(3) == 0);
    }
    work_command(&sim_ticket, s, &c, ticket_act, in);
}

static void leave(struct site *s)
{
    struct caller c = {.user = "", .name = "", .role = "", .site = s->code, .channel = "online"};
    struct json *in;

    if (!issued_count)
        return;
    const struct issued *t = &issued[dice((uint64_t)issued_count)];
    c.query_code = t->code;
    in = json_object();
    json_set_text(in, "id", t->id);
    json_set_text(in, "action", "leave");
    work_command(&sim_ticket, s, &c, ticket_act, in);
}

static void work(struct site *s)
{
    uint64_t what = dice(20);

    if (what < 6)
        issue(s);
    else if (what < 11 && s->no <= 2)
        call_next(s);
    else if (what < 19)
        act(s);
    else
        leave(s);
}

/* ---- what must hold ---------------------------------------------------------------------------*/

static void committed(struct job *j)
{
    if (j->fn == ticket_issue)
        check_number("case", json_get_text(j->out, "id")); /* nobody gives it out again */
}

static void told(struct job *j)
{
    const char *id = json_get_text(j->out, "id"), *action = json_get_text(j->arg, "action");

    trace("site %d did %s %s (own %llu)", j->s->no,
          action                  ? action
          : j->fn == ticket_issue ? "issue"
                                  : "call the next",
          id ? id : "", (unsigned long long)j->in.seq);
    if (j->fn != ticket_issue || issued_count == ISSUED_MAX)
        return;
    snprintf(issued[issued_count].id, sizeof issued[0].id, "%s", id);
    snprintf(issued[issued_count].code, sizeof issued[0].code, "%s", json_get_text(j->out, "code"));
    issued_count++;
}

/* A window has one number in hand at most, and nobody is called while another window has him: the hall's
 * own steps in the order in which it took them, whatever its clock said. */
#define HANDS 200
struct in_hand {
    char id[33], window[20];
    bool served;
};

static int by_seq(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int c = strcmp(x->origin, y->origin);

    return c ? c : x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Did its holder leave where he had taken it? The hall may hear of that at any time. */
static bool left_elsewhere(const struct telling *t, const char *id, const char *hall)
{
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->list[i].kind, "ticket.left/1") && !strcmp(t->list[i].dossier, id) &&
            strcmp(t->list[i].by, hall))
            return true;
    return false;
}

static void one_step(const struct telling *t, const struct told *x, struct in_hand *hands,
                     int *count)
{
    char window[20];
    int at = 0;

    while (at < *count && strcmp(hands[at].id, x->dossier))
        at++;
    if (!strcmp(x->kind, "ticket.called/1")) {
        told_text(x, "window", window, sizeof window);
        for (int i = 0; i < *count; i++)
            if (!strcmp(hands[i].window, window) && i != at &&
                !strncmp(hands[i].id + 10, x->dossier + 10, 6) && /* yesterday's have lapsed */
                (hands[i].served || !left_elsewhere(t, hands[i].id, x->by)))
                breach("window %s of %s has %s and %s at once", window, x->by, hands[i].id,
                       x->dossier);
        if (at < *count && (hands[at].served || told_int(x, "n") < 2))
            breach("%s is called, and window %s has it", x->dossier, hands[at].window);
        if (at == HANDS)
            return;
        *count += at == *count;
        snprintf(hands[at].id, sizeof hands[at].id, "%s", x->dossier);
        snprintf(hands[at].window, sizeof hands[at].window, "%s", window);
        hands[at].served = false;
    } else if (!strcmp(x->kind, "ticket.served/1")) {
        if (at == *count)
            breach("%s is served, and was not called", x->dossier);
        else
            hands[at].served = true;
    } else if (at < *count) { /* whatever else the hall says: it is out of the window's hands */
        hands[at] = hands[--*count];
    }
}

static void check_hall(struct site *hall)
{
    static struct in_hand hands[HANDS + 1];
    struct telling t = {.arena = arena_create()};
    int count = 0;

    told_read(hall,
              "kind IN ('ticket.called/1', 'ticket.served/1', 'ticket.finished/1', "
              "'ticket.passed/1', 'ticket.put_back/1', 'ticket.transferred/1', "
              "'ticket.left/1') AND state = 'applied'",
              NULL, &t);
    if (t.count)
        qsort(t.list, (size_t)t.count, sizeof *t.list, by_seq);
    for (int i = 0; i < t.count && !broken; i++)
        if (!strcmp(t.list[i].by, hall->code))
            one_step(&t, &t.list[i], hands, &count);
    arena_destroy(t.arena);
}

/* Every number that was given out waits at its hall, or did. */
static void check_arrived(void)
{
    struct stmt *st =
        db_stmt(site[0].db, "SELECT id, hall, state FROM ticket /* full scan: a test */");
    bool row;

    while (!broken && db_step(st, &row, NULL) == OK && row)
        for (int i = 1; i <= 2; i++) {
            struct stmt *at = db_stmt(site[i].db, "SELECT state FROM ticket WHERE id = $1");
            bool there = false;
            if (strcmp(col_text(st, 1), site[i].code) || i == rogue)
                continue;
            bind_text(at, 1, col_text(st, 0));
            if (db_step(at, &there, NULL) != OK || !there)
                breach("ticket %s never came to its hall %d", col_text(st, 0), i);
            db_reset(at);
        }
    db_reset(st);
}

static void check_all(void)
{
    check_arrived();
    for (int i = 0; i <= 2 && !broken; i++)
        if (i != rogue)
            check_hall(&site[i]);
}

static void check_people(struct site *s)
{
    struct caller c = work_caller(s->no);
    struct json *in = json_object(), *out = NULL;
    struct problem p = {0};
    struct errmsg e = {""};

    json_set_text(in, "queue", "Q");
    if (db_begin(s->db, &e) != OK || ticket_issue(&s->office, s->db, &c, in, &out, &p) != OK)
        breach("site %d cannot give out a number any more: %s %s %s", s->no, p.code, p.field,
               e.text);
    db_rollback(s->db, NULL);
    json_free(in);
    json_free(out);
}

const struct sim_type sim_ticket = {.name = "ticket",
                                    .share = 20,
                                    .reset = reset,
                                    .work = work,
                                    .committed = committed,
                                    .told = told,
                                    .check_end = check_all,
                                    .check_people = check_people};
