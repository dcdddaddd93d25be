/* A site that says whatever it likes. It works as all others do, and beside that it appends, below the
 * commands, every kind of event about everything: the tables of the product give the kinds, the dice
 * the members of the record, and the district's own ledger what there is to attack. */
#include "told.h"

#include "base/crypto.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/time.h"
#include "office/apply.h"

#include <string.h>

int rogue = -1;

/* How bold it is in this world. */
static enum { DISCREET, CAREFUL, SHAMELESS } manner;
static int refused_so_far;

void rogue_reset(void)
{
    rogue = -1;
    refused_so_far = 0;
}

bool rogue_ground(const char *code)
{
    return rogue >= 0 && code_within(code, site[rogue].code);
}

bool rogue_ground_no(int no)
{
    return rogue_ground(site[no].code);
}

/* ---- what it speaks about ---------------------------------------------------------------------*/

/* Something of the district, drawn anew for each event. */
struct prey {
    char dossier[40], street[13], id[33], number[40], waybill[16], holder[13];
    int64_t custody_no;
};

static const char *any_site(void)
{
    static const char *const strangers[] = {
        "331003001901", "331002009000", "331002003999", "331002004000", "33100200", "不是站点", ""};

    return dice(8) ? site[dice(SITES)].code
                   : strangers[dice(sizeof strangers / sizeof strangers[0])];
}

static const char *any_street(void)
{
    return site[1 + dice(2)].code;
}

static enum err pick_event(struct site *s, void *arg, struct errmsg *e)
{
    struct prey *p = arg;
    struct telling one = {.arena = arena_create()};
    int64_t n = check_count(s, "SELECT count(*) FROM event");
    struct stmt *st;
    enum err err;
    bool row;

    st = db_stmt(s->db, "SELECT dossier FROM event WHERE dossier <> '' AND rowid >= $1 ORDER BY "
                        "rowid LIMIT 1");
    bind_int(st, 1, 1 + (int64_t)dice((uint64_t)n + 1));
    if ((err = db_step(st, &row, e)) == OK && row)
        snprintf(p->dossier, sizeof p->dossier, "%s", col_text(st, 0));
    db_reset(st);
    if (p->dossier[0]) {
        told_read(s, "dossier = $1", p->dossier, &one);
        told_ids(s, &one);
    }
    for (int i = 0; i < one.count; i++) {
        const struct told *x = &one.list[i];
        int64_t no = told_int(x, "custody_no");
        char text[40];
        snprintf(p->street, sizeof p->street, "%s", x->street);
        if (dice((uint64_t)one.count) == 0 || !p->id[0])
            memcpy(p->id, x->id, sizeof p->id);
        p->custody_no = no > p->custody_no && no < HANDS_MAX ? no : p->custody_no;
        if (told_text(x, "number", text, sizeof text))
            memcpy(p->number, text, sizeof p->number);
        if (told_text(x, "waybill", text, sizeof text))
            snprintf(p->waybill, sizeof p->waybill, "%.15s", text);
        if (told_text(x, "to", text, sizeof text) || told_text(x, "custodian", text, sizeof text))
            snprintf(p->holder, sizeof p->holder, "%.12s", text);
    }
    arena_destroy(one.arena);
    return err;
}

/* A number that somebody else might give out today, or that nobody can. */
static void invent_dossier(struct prey *p)
{
    char day[7];
    const char *street = any_street();

    time_yymmdd(host_wall_ms(&site[rogue].host), day);
    switch (dice(6)) {
    case 0: { /* of a kind of work that nobody knows */
        snprintf(p->dossier, sizeof p->dossier, "%c%.9s-%d", "xyz"[dice(3)], street,
                 (int)dice(100));
        break;
    }
    case 1: /* of another district */
        snprintf(p->dossier, sizeof p->dossier, "331003001%s%06d", day, (int)dice(100000));
        break;
    case 2: /* no number at all */
        snprintf(p->dossier, sizeof p->dossier, "%.9sabcdefghijkl", street);
        break;
    case 3: { /* of some type, with whatever rest */
        const struct dossier_type *t = all_work.types[dice(all_work.type_count)];
        if (t->letter)
            snprintf(p->dossier, sizeof p->dossier, "%c%.9s%d", t->letter, street, (int)dice(3000));
        else
            snprintf(p->dossier, sizeof p->dossier, "%.9s%012d", street, (int)dice(100000));
        break;
    }
    default: /* a case number, perhaps of its own */
        case_number_make(street, day, (unsigned)dice(dice(2) ? 60000 : 100), p->dossier);
        break;
    }
    snprintf(p->street, sizeof p->street, "%s", street);
}

static void pick_prey(struct prey *p)
{
    memset(p, 0, sizeof *p);
    if (site[0].up && dice(4))
        in_read(&site[0], pick_event, p);
    if (!p->dossier[0])
        invent_dossier(p);
    if (dice(12) == 0)
        snprintf(p->street, sizeof p->street, "%s", any_site());
    if (!division_valid(p->street)) /* else it would not even be an event */
        snprintf(p->street, sizeof p->street, "%s", any_street());
}

/* ---- what it says -----------------------------------------------------------------------------*/

static int64_t any_int(int64_t likely)
{
    static const int64_t odd[] = {0, -1, 1, 2, 33, 1000, 4000000000LL, INT64_MAX, INT64_MIN};

    return dice(3) ? likely + (int64_t)dice(3) - 1 : odd[dice(sizeof odd / sizeof odd[0])];
}

static const char *any_word(const char *const *words, int count)
{
    return words[dice((uint64_t)count)];
}
#define WORD(...)                                                                                  \
    any_word((const char *const[]){__VA_ARGS__},                                                   \
             (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))

/* Every member that any record has, right for the prey or not. */
static struct json *any_record(const struct prey *p)
{
    struct json *b = json_object(), *papers = json_array(), *docs = json_array(),
                *one = json_object(), *paper = json_object();
    unsigned char pub[32];
    char hex[65];

    for (int i = 0; i < 32; i++)
        pub[i] = (unsigned char)dice(256);
    hex_encode(pub, 32, hex);
    json_set_int(b, "custody_no", any_int(p->custody_no + 1));
    json_set_text(b, "to", dice(3) ? site[rogue].code : any_site());
    json_set_text(b, "holder", dice(3) ? site[rogue].code : any_site());
    json_set_text(b, "site", any_site());
    json_set_text(b, "custodian", dice(2) ? site[rogue].code : any_site());
    json_set_text(b, "community", dice(2) ? site[rogue].code : any_site());
    json_set_text(b, "id", p->id);
    json_set_text(b, "number", p->number[0] && dice(2) ? p->number : "GS202633100200390100017");
    json_set_text(b, "waybill", p->waybill[0] && dice(2) ? p->waybill : NULL);
    json_set_text(b, "kind", WORD("case", "certificate", "waybill", "ticket", "case "));
    json_set_int(b, "first", any_int(50));
    json_set_int(b, "last", any_int(60000));
    json_set_int(b, "rev", any_int(9));
    json_set_int(b, "at", any_int(host_wall_ms(&site[rogue].host)));
    json_set_int(b, "no", any_int(1));
    json_set_int(b, "asked", any_int(1));
    json_set_int(b, "score", any_int(5));
    json_set_int(b, "promised_ms", any_int(1));
    json_set_int(b, "year", 2026);
    json_set_text(b, "public_key", hex);
    json_set_text(b, "name", "冒名");
    json_set_text(b, "username", WORD("user1", "user3", "user7", "courier", "admin", "nobody"));
    json_set_text(b, "role", WORD("admin", "supervisor", "agent"));
    json_set_text(b, "how", WORD("lost", "revoked", "gone"));
    json_set_text(b, "salt", "00000000000000000000000000000000");
    json_set_text(b, "hash", hex);
    json_set_text(b, "code", WORD("birth-registration-first", "birth-household-entry", "none"));
    json_set_text(b, "state", WORD("published", "submitted", "draft"));
    json_set_text(b, "item", WORD("birth-registration-first", "none"));
    json_set_text(b, "take_back", WORD("wait", "overrule", "never"));
    json_set_text(b, "program", "rogue");
    json_set_text(b, "types", WORD(" case ticket ", " case ", " "));
    json_set_text(b, "critical", " case.suspended/1 case.resumed/1 ");
    json_set_text(b, "method", WORD("courier", "pickup", "agent"));
    json_set_text(b, "reason", "无");
    json_set_text(paper, "digest",
                  "sha256:0000000000000000000000000000000000000000000000000000000000000000");
    json_push(docs, paper);
    json_set(one, "documents", docs);
    json_push(papers, one);
    if (dice(4) == 0)
        json_set(b, "materials", papers);
    else
        json_free(papers);
    if (dice(20) == 0) /* a member of another shape */
        json_set(b, WORD("custody_no", "to", "site", "custodian", "community", "number", "id"),
                 dice(2) ? json_array() : json_int(7));
    return b;
}

static const char *any_kind(bool fact, char unknown[40])
{
    if (dice(9) == 0) {
        snprintf(unknown, 40, "%s%d/1", WORD("case.unheard", "site.unheard", "new.unheard"),
                 (int)dice(100));
        return unknown;
    }
    if (fact) {
        const struct fact_group *g = all_work.groups[dice(all_work.group_count)];
        return g->kinds[dice(g->count)].kind;
    }
    const struct dossier_type *t = all_work.types[dice(all_work.type_count)];
    return dice(12) ? t->kinds[dice(t->kind_count)].kind : KIND_OVERRULED;
}

/* As judge.c reads it, before it is said. */
static bool ever(const struct said *s)
{
    struct told x = {.record = NULL};
    struct buf text = {0};

    snprintf(x.kind, sizeof x.kind, "%s", s->kind);
    snprintf(x.dossier, sizeof x.dossier, "%.32s", s->dossier);
    snprintf(x.street, sizeof x.street, "%s", s->street);
    snprintf(x.by, sizeof x.by, "%s", site[rogue].code);
    json_canonical(s->record, &text);
    x.record = (char *)(uintptr_t)buf_text(&text);
    bool may = !judge_ever(&x);
    buf_free(&text);
    return may;
}

/* ---- saying it --------------------------------------------------------------------------------*/

/* What the own program would undo with its transaction stays. */
static const char *own_state, *own_why;

static enum err forgiving(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                          struct arena *a, struct errmsg *e)
{
    enum err err = office_apply(arg, db, list, n, false, a, e);

    if (local) {
        own_state = list[0].state;
        own_why = list[0].why ? list[0].why : "it says so itself";
    }
    return err;
}

static enum err write_state(struct site *s, uint64_t seq, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(s->db, "UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2");

    bind_text(st, 1, s->office.ledger.origin);
    bind_int(st, 2, (int64_t)seq);
    bind_text(st, 3, own_state);
    bind_text(st, 4, own_why);
    return db_run(st, e);
}

static enum err append(struct site *s, struct db *db, struct said *said, struct errmsg *e)
{
    struct ledger *l = &s->office.ledger;
    static const int64_t clocks[] = {3600000, -3600000, 40 * 86400000LL, -90 * 86400000LL,
                                     36525 * 86400000LL};
    int64_t jump = dice(3) ? 0 : clocks[dice(sizeof clocks / sizeof clocks[0])];
    uint64_t before = l->hlc_last, seq;

    own_state = NULL;
    l->apply = forgiving;
    s->wall_offset_ms += jump;
    if (jump)
        l->hlc_last = 0;
    enum err err = ledger_append(l, db, said, &seq, e);
    s->wall_offset_ms -= jump;
    l->hlc_last = before;
    l->apply = office_apply;
    return err == OK && own_state ? write_state(s, seq, e) : err;
}

static enum err say_run(struct job *j, struct db *db, struct errmsg *e)
{
    struct said s = {.kind = json_get_text(j->arg, "kind"),
                     .dossier = json_get_text(j->arg, "dossier"),
                     .street = json_get_text(j->arg, "street"),
                     .actor = "rogue",
                     .flags = json_get_bool(j->arg, "critical", false) ? EVENT_CRITICAL : 0,
                     .record = json_get(j->arg, "record"),
                     .personal = json_get(j->arg, "personal"),
                     .seed = dice(4) ? NULL : j->s->seed};

    return append(j->s, db, &s, e);
}

static void say_done(struct job *j)
{
    if (j->err == OK)
        net_local(j->s);
}

static void say_something(struct site *s)
{
    struct prey p;
    char unknown[40];
    bool fact = dice(4) == 0;
    const char *kind = any_kind(fact, unknown);

    pick_prey(&p);
    struct said said = {.kind = kind, .dossier = fact ? "" : p.dossier, .street = p.street};
    struct json *record = dice(60) ? any_record(&p) : dice(2) ? json_array() : json_text("无");
    said.record = record;
    bool may = ever(&said);
    /* A street that gives its communities other keys loses their signatures, and one that says that it
     * knows no cases hears of none: that is its own loss, and its communities'. */
    if (may && rogue < 3 &&
        (!strcmp(kind, "site.enrolled/1") || !strcmp(kind, "site.equipped/1"))) {
        json_free(record);
        return;
    }
    if (!may && (manner == DISCREET || (manner == CAREFUL && refused_so_far == 7))) {
        json_free(record);
        return;
    }
    refused_so_far += !may;
    struct job *j = job_new(s, true);
    j->arg = json_object();
    json_set_text(j->arg, "kind", kind);
    json_set_text(j->arg, "dossier", said.dossier);
    json_set_text(j->arg, "street", p.street);
    json_set_bool(j->arg, "critical", dice(3) == 0);
    json_set(j->arg, "record", record);
    if (dice(2) && json_is_object(record))
        json_set(j->arg, "personal", json_ref(record));
    trace("rogue %d says %s of %s under %s", s->no, kind, said.dossier, p.street);
    j->run = say_run;
    j->done = say_done;
    job_queue(j);
}

static void say_some(int no, int unused)
{
    (void)unused;
    if (healing)
        return;
    later(500 + (int64_t)dice(6000), say_some, no, 0);
    for (int i = 1 + (int)dice(4); i && site[no].up; i--)
        say_something(&site[no]);
}

void rogue_plan(int64_t until)
{
    if (dice(6))
        return;
    /* Mostly a community; what a street can do to its own communities is more (README.md). */
    rogue = dice(6) ? 3 + (int)dice(6) : 1 + (int)dice(2);
    manner = dice(3);
    trace("site %d is a rogue", rogue);
    later((int64_t)dice((uint64_t)until / 2), say_some, rogue, 0);
}
