/* What people do with cases and deliveries: every command of the main job. */
#include "work.h"

#include "dossiers/case/access.h"
#include "office/code.h"

#include <string.h>

/* What its row says; what may be done is for the office to know: one in ten tries is in vain. */
struct pick {
    char no[24], state[24], custodian[13];
    char delivery[32], delivery_state[16], method[12], courier[32];
};

static enum err pick_case(struct site *s, void *arg, struct errmsg *e)
{
    struct pick *p = arg;
    struct stmt *st =
        db_stmt(s->db, "SELECT count(*) FROM case_file WHERE $1 = '' OR custodian = $1");
    const char *whose = dice(3) ? s->code : ""; /* mostly what is here in hand */
    enum err err;
    bool row;

    bind_text(st, 1, whose);
    if ((err = db_step(st, &row, e)) != OK)
        return err;
    int64_t n = col_int(st, 0);
    db_reset(st);
    if (!n)
        return ERR_NOT_FOUND;
    st = db_stmt(s->db,
                 "SELECT case_no, state, custodian FROM case_file WHERE $1 = '' OR custodian = $1 "
                 "ORDER BY case_no LIMIT 1 OFFSET $2");
    /* The newer ones are worked on more. */
    int64_t a = (int64_t)dice((uint64_t)n), b = (int64_t)dice((uint64_t)n);
    bind_text(st, 1, whose);
    bind_int(st, 2, a > b ? a : b);
    if ((err = db_step(st, &row, e)) != OK || !row)
        return err == OK ? ERR_NOT_FOUND : err;
    snprintf(p->no, sizeof p->no, "%s", col_text(st, 0));
    snprintf(p->state, sizeof p->state, "%s", col_text(st, 1));
    snprintf(p->custodian, sizeof p->custodian, "%s", col_text(st, 2));
    db_reset(st);
    st = db_stmt(s->db, "SELECT id, state, method, courier FROM delivery WHERE id = $1");
    char id[32];
    snprintf(id, sizeof id, "%s-1", p->no);
    bind_text(st, 1, id);
    if ((err = db_step(st, &row, e)) == OK && row) {
        snprintf(p->delivery, sizeof p->delivery, "%s", id);
        snprintf(p->delivery_state, sizeof p->delivery_state, "%s", col_text(st, 1));
        snprintf(p->method, sizeof p->method, "%s", col_text(st, 2));
        snprintf(p->courier, sizeof p->courier, "%s", col_text(st, 3));
    }
    db_reset(st);
    return err;
}

/* A case that a child (this one, or any) has in hand and that is not decided. */
static enum err pick_lent(struct site *s, void *arg, struct errmsg *e)
{
    struct pick *p = arg;
    struct stmt *st =
        db_stmt(s->db, "SELECT case_no, state, custodian FROM case_file WHERE custodian <> $1 "
                       "AND ($3 = '' OR custodian = $3) "
                       "AND state IN ('submitted', 'accepted', 'correction_required') "
                       "ORDER BY case_no DESC LIMIT 1 OFFSET $2");
    enum err err;
    bool row;

    bind_text(st, 1, s->code);
    bind_int(st, 2, p->custodian[0] ? 0 : (int64_t)dice(6));
    bind_text(st, 3, p->custodian);
    if ((err = db_step(st, &row, e)) != OK || !row)
        return err == OK ? ERR_NOT_FOUND : err;
    snprintf(p->no, sizeof p->no, "%s", col_text(st, 0));
    db_reset(st);
    return OK;
}

const char *work_one_of(const char *list, char out[32])
{
    int n = 1;

    for (const char *c = list; *c; c++)
        n += *c == ' ';
    for (int k = (int)dice((uint64_t)n); k; k--)
        list = strchr(list, ' ') + 1;
    snprintf(out, 32, "%.*s", (int)strcspn(list, " "), list);
    return out;
}

static void deliver(struct site *s, const struct pick *p)
{
    static const char *const usual[][2] = {
        {"ordered", "assign assign assign fail"},
        {"assigned", "pick_up pick_up fail assign"},
        {"picked_up", "hand_over hand_over in_transit fail"},
        {"in_transit", "hand_over hand_over fail return"},
        {"failed", "assign hand_over return"},
        {"ready", "hand_over"},
    };
    struct caller c = work_caller(s->no);
    struct json *in = json_object();
    const char *list = "assign pick_up in_transit hand_over fail return";
    char name[32];

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (!strcmp(usual[i][0], p->delivery_state) && dice(8))
            list = usual[i][1];
    if (!strcmp(p->method, "pickup") && dice(8))
        list = "hand_over";
    json_set_text(in, "id", p->delivery);
    json_set_text(in, "action", work_one_of(list, name));
    json_set_text(in, "reason", "无人在家");
    if (!strcmp(p->method, "courier") && !strcmp(name, "assign"))
        json_set_text(in, "to", dice(20) ? "courier" : "nobody");
    else if (!strcmp(p->courier, "courier") && dice(2))
        c = (struct caller){.user = "courier",
                            .name = "courier",
                            .role = "courier",
                            .site = site[1].code,
                            .channel = "window",
                            .query_code = ""};
    for (int i = 0; i < work_filed_count; i++)
        if (!strcmp(work_filed[i].case_no, p->no)) {
            char hash[CODE_HASH_LEN + 1], code[7];
            code_hash(p->no, work_filed[i].code, hash);
            pickup_code(p->no, hash, code);
            json_set_text(in, "code", dice(6) ? code : "000000");
        }
    work_command(&sim_case, s, &c, delivery_act, in);
}

static void bring_paper(struct site *s, struct json *in)
{
    struct paper paper;
    struct json *papers = json_array(), *m = json_object(), *docs = json_array();

    if (work_paper(s, &paper))
        json_push_text(docs, paper.digest);
    json_set_text(m, "code", "id-card");
    json_set(m, "documents", docs);
    json_push(papers, m);
    json_set(in, "materials", papers);
}

/* The page of the case. */
static void only_look(struct site *s, const struct caller *c, const struct json *in)
{
    struct json *shown = NULL;
    struct problem problem;

    if (case_show(&s->office, s->db, c, in, &shown, &problem) == OK)
        json_free(shown);
}

void work_act(struct site *s)
{
    static const char *const usual[][2] = {
        {"draft", "submit submit withdraw note"},
        {"submitted", "complete complete complete complete complete accept accept "
                      "request_supplement refuse_acceptance supplement "
                      "withdraw transfer transfer note record_visit"},
        {"accepted", "approve approve refuse complete complete request_supplement supplement "
                     "transfer suspend resume resume"},
        {"correction_required", "supplement supplement withdraw transfer record_visit"},
        {"granted", "complete"},
        {"completed", "note revoke"},
    };
    const char *list =
        "complete accept approve refuse take_back transfer withdraw "
        "request_supplement refuse_acceptance submit supplement rate note record_visit revoke";
    struct pick p = {.no = ""};
    struct caller c = work_caller(s->no);
    char name[32];

    bool lent = s->no <= 2 && dice(4) == 0;
    if (!in_read(s, lent ? pick_lent : pick_case, &p))
        return;
    if (p.delivery[0] && dice(8)) {
        deliver(s, &p);
        return;
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (!strcmp(usual[i][0], p.state) && dice(10))
            list = usual[i][1];
    work_one_of(lent ? "take_back" : list, name);
    if ((!strcmp(name, "suspend") || !strcmp(name, "resume")) &&
        !program_knows(s, "case", "case.suspended/1"))
        return; /* its page has no such button */
    if (s->no == 1 && dice(2) && !strcmp(name, "approve"))
        c.role = "reviewer";
    struct json *in = json_object();
    json_set_text(in, "case_no", p.no);
    json_set_text(in, "action", name);
    json_set_text(in, "reason", "材料不清楚");
    json_set_text(in, "text", "电话告知");
    if (!strcmp(name, "transfer") && s->no == 0)
        json_set_text(in, "to", site[1 + dice(2)].code);
    else if (!strcmp(name, "transfer") && s->no <= 2 && dice(4))
        json_set_text(in, "to", site[s->no == 1 ? 3 + dice(3) : 6 + dice(3)].code);
    if (!strcmp(name, "supplement"))
        bring_paper(s, in);
    if (dice(16) == 0)
        only_look(s, &c, in);
    work_command(&sim_case, s, &c, case_act, in);
}

static void act_on(struct site *s, const char *case_no, const char *action)
{
    struct caller c = work_caller(s->no);
    struct json *in = json_object();

    json_set_text(in, "case_no", case_no);
    json_set_text(in, "action", action);
    json_set_text(in, "reason", "材料不清楚");
    work_command(&sim_case, s, &c, case_act, in);
}

void work_after_loss(int community, int unused)
{
    struct site *street = &site[parent_of(community)];
    struct pick p = {.no = ""};

    (void)unused;
    if (healing || !street->up)
        return;
    memcpy(p.custodian, site[community].code, sizeof p.custodian);
    if (!in_read(street, pick_lent, &p))
        return;
    act_on(street, p.no, "take_back");
    act_on(street, p.no, dice(2) ? "complete" : "accept");
}

/* A street that has not heard of its community for long wants a case back, and the community goes
 * on with the same. */
void work_both(int community, int unused)
{
    struct site *street = &site[parent_of(community)], *s = &site[community];
    struct pick p = {.no = ""};

    (void)unused;
    if (healing || !street->up || !s->up)
        return;
    memcpy(p.custodian, s->code, sizeof p.custodian);
    if (!in_read(street, pick_lent, &p))
        return;
    act_on(street, p.no, "take_back");
    act_on(s, p.no, dice(2) ? "complete" : "accept");
}

/* A resident with a query code. */
void work_resident_acts(struct site *s)
{
    static const char *const names[] = {"withdraw", "rate", "submit"};
    struct caller c = {.user = "", .name = "", .role = "", .site = s->code, .channel = "online"};
    struct json *in;

    if (!work_filed_count)
        return;
    const struct filed *f = &work_filed[dice((uint64_t)work_filed_count)];
    c.query_code = f->code;
    in = json_object();
    json_set_text(in, "case_no", f->case_no);
    json_set_text(in, "action", names[dice(3)]);
    json_set_int(in, "score", 1 + (int64_t)dice(5));
    work_command(&sim_case, s, &c, case_act, in);
}
