/* Ordinary office work: every command of the main job, by random people at random sites, often in
 * vain. */
#include "world.h"

#include "base/crypto.h"
#include "base/mem.h"

#include <string.h>

#define CASES_MAX 4000

static struct filed {
    char case_no[22], code[7];
} filed[CASES_MAX];
static int filed_count;
static int paper_count;

void work_reset(void)
{
    filed_count = 0;
    paper_count = 0;
}

struct caller work_caller(int no)
{
    static char names[SITES][16];

    snprintf(names[no], sizeof names[no], "user%d", no);
    return (struct caller){.user = names[no],
                           .name = names[no],
                           .role = no == 0   ? "supervisor"
                                   : no <= 2 ? "clerk"
                                             : "agent",
                           .site = site[no].code,
                           .channel = "window",
                           .query_code = ""};
}

/* ---- what is known as soon as it is durable ---------------------------------------------------*/

static void note_head(struct job *j)
{
    unsigned char hash[32];
    struct errmsg e;

    if (ledger_head(j->s->db, j->s->office.ledger.origin, &j->in.seq, hash, &e) != OK)
        j->in.seq = 0;
    memcpy(j->in.origin, j->s->office.ledger.origin, 25);
}

static void committed(struct job *j)
{
    const char *no = json_get_text(j->out, "case_no"), *action = json_get_text(j->arg, "action");
    const struct json *certificate = json_get(j->out, "certificate"),
                      *delivery = json_get(j->out, "delivery");
    char both[80];

    note_head(j);
    if (!no || j->s->untold)
        return;
    if (j->fn == case_file)
        check_number("case", no);
    if (json_get_text(certificate, "number") && action && !strcmp(action, "complete")) {
        snprintf(both, sizeof both, "%s", json_get_text(certificate, "number"));
        check_number(no, both);
    }
    if (json_get_text(delivery, "waybill")) {
        snprintf(both, sizeof both, "%s", json_get_text(delivery, "waybill"));
        check_number(no, both);
    }
    if (j->fn == case_file || j->fn == case_act)
        check_custody(j->s, no, action ? action : "file", j->in.pos);
}

static enum err command_run(struct job *j, struct db *db, struct errmsg *e)
{
    unsigned char hash[32];
    enum err err = ledger_head(db, j->s->office.ledger.origin, &j->in.pos, hash, e);

    if (err == OK)
        err = j->fn(&j->s->office, db, &j->caller, j->arg, &j->out, &j->problem);

    if (err != OK)
        errmsg_set(e, "%s %s", j->problem.code, j->problem.field);
    return err;
}

/* Somebody is told: from now on it must never be lost. */
static void command_done(struct job *j)
{
    const char *action = json_get_text(j->arg, "action");

    if (j->err != OK) {
        trace("site %d refuses %s: %s", j->s->no, action ? action : "a filing",
              j->problem.status ? j->problem.code : err_name(j->err));
        return;
    }
    if (strcmp(j->s->acked_origin, j->in.origin)) {
        memcpy(j->s->acked_origin, j->in.origin, 25);
        j->s->acked_seq = 0;
    }
    if (j->in.seq > j->s->acked_seq)
        j->s->acked_seq = j->in.seq;
    trace("site %d did %s %s (own %llu)", j->s->no, action ? action : "file",
          json_get_text(j->out, "case_no") ? json_get_text(j->out, "case_no") : "",
          (unsigned long long)j->in.seq);
    if (j->fn == case_file && filed_count < CASES_MAX) {
        snprintf(filed[filed_count].case_no, 22, "%s", json_get_text(j->out, "case_no"));
        snprintf(filed[filed_count].code, 7, "%s", json_get_text(j->out, "query_code"));
        filed_count++;
    }
    net_local(j->s);
}

static void command(struct site *s, const struct caller *c, office_fn *fn, struct json *arg)
{
    struct job *j = job_new(s, true);

    j->fn = fn;
    j->caller = *c;
    j->arg = arg;
    j->run = command_run;
    j->done = command_done;
    j->committed = committed;
    job_queue(j);
}

/* ---- papers -----------------------------------------------------------------------------------*/

struct paper {
    char digest[DIGEST_TEXT_LEN + 1];
    int64_t size;
};

static enum err paper_row(struct job *j, struct db *db, struct errmsg *e)
{
    struct stmt *st =
        db_stmt(db, "INSERT INTO document (digest, street, case_no, size, media_type, state, hlc) "
                    "VALUES ($1, $2, '', $3, 'image/png', 'here', 0) "
                    "ON CONFLICT (digest) DO UPDATE SET state = 'here'");

    bind_text(st, 1, json_get_text(j->arg, "digest"));
    bind_text(st, 2, j->s->office.street);
    bind_int(st, 3, json_get_int(j->arg, "size", 0));
    return db_run(st, e);
}

static void paper_told(struct job *j)
{
    (void)j;
}

/* An upload, as api/uploads leaves it: the bytes, then the row. */
static bool make_paper(struct site *s, struct paper *ret)
{
    struct blob_writer *w = NULL;
    struct errmsg e;
    char text[80];

    int n = snprintf(text, sizeof text, "paper %d of site %d", paper_count++, s->no);
    ret->size = 0;
    if (blob_begin(s->blobs, &w, &e) != OK)
        return false;
    /* Now and then one that takes several chunks. */
    for (int64_t want = 40 + (int64_t)dice(dice(8) ? 4000 : 40000); ret->size < want;
         ret->size += n)
        if (blob_write(w, text, (size_t)n, &e) != OK) {
            blob_abort(w);
            return false;
        }
    if (blob_commit(w, NULL, ret->digest, &e) != OK)
        return false;
    struct job *j = job_new(s, true);
    j->arg = json_object();
    json_set_text(j->arg, "digest", ret->digest);
    json_set_int(j->arg, "size", ret->size);
    j->run = paper_row;
    j->done = paper_told;
    job_queue(j);
    return true;
}

/* ---- filing -----------------------------------------------------------------------------------*/

static void fill_person(struct json *a, char id[19])
{
    char text[64];

    snprintf(text, sizeof text, "339900%04d%02d%02d%03d0", 1950 + (int)dice(50), 1 + (int)dice(12),
             1 + (int)dice(28), (int)dice(1000));
    memcpy(id, text, 18);
    id[18] = 0;
    for (const char *c = "0123456789X"; *c && !citizen_number_check(id, NULL); c++)
        id[17] = *c;
    json_set_text(a, "name", dice(2) ? "周大海" : "陈晓月");
    json_set_text(a, "id_type", "111");
    json_set_text(a, "id_number", dice(30) ? id : "339900198506130111");
    json_set_text(a, "mobile", "10000000001");
}

static const char *const items[2] = {"birth-registration-first", "birth-household-entry"};

struct item_read {
    const char *code;
    struct json *item;
};

static enum err read_item(struct site *s, void *arg, struct errmsg *e)
{
    struct item_read *r = arg;
    struct json *in = json_object();
    struct caller c = work_caller(s->no);
    struct problem p;

    (void)e;
    json_set_text(in, "code", r->code);
    enum err err = item_show(&s->office, s->db, &c, in, &r->item, &p);
    json_free(in);
    return err;
}

/* What the page would show; the two items do not change, so each is read once, with the world. */
static const struct json *item_of(struct site *s, const char *code)
{
    static struct item_read known[2];
    int i = 0;

    while (known[i].code && strcmp(known[i].code, code))
        i++;
    if (!known[i].code) {
        struct item_read r = {.code = code};
        if (!in_read(s, read_item, &r))
            return NULL;
        known[i] = r;
    }
    return known[i].item;
}

/* What somebody fills in: a filing, by *ret_online a resident himself. */
static struct json *filing(struct site *s, bool papers_too, bool *ret_online)
{
    const char *code = items[dice(3) == 0];
    const struct json *item = item_of(s, code);
    bool online = s->no <= 2 && dice(2);
    char id[19];

    if (!item)
        return NULL;
    struct json *in = json_object(), *a = json_object(), *form = json_object(),
                *materials = json_array(), *d = json_object();
    fill_person(a, id);
    for (size_t k = 0; k < json_count(json_get(item, "form")); k++) {
        const struct json *f = json_at(json_get(item, "form"), k);
        const char *type = json_get_text(f, "type"), *name = json_get_text(f, "name");
        if (!strcmp(type, "number"))
            json_set_int(form, name, 1);
        else
            json_set_text(form, name,
                          !strcmp(type, "choice")
                              ? json_get_text(json_at(json_get(f, "choices"), 0), "value")
                          : !strcmp(type, "date")           ? "2026-05-20"
                          : !strcmp(type, "citizen_number") ? id
                          : !strcmp(type, "mobile")         ? "10000000002"
                                                            : "葭沚街道示例路1号");
    }
    int papers = papers_too ? (int)dice(3) : 0;
    for (size_t k = 0; k < json_count(json_get(item, "materials")); k++) {
        const struct json *m = json_at(json_get(item, "materials"), k);
        const char *by = json_get_text(m, "obtain_by"), *need = json_get_text(m, "necessity");
        struct json *x = json_object();
        struct paper p;
        json_set_text(x, "code", json_get_text(m, "code"));
        bool promise = by && !strcmp(by, "commitment");
        bool must =
            need && !strcmp(need, "required") && !promise && by && strcmp(by, "shared_data");
        if ((must || papers-- > 0) && make_paper(s, &p)) {
            struct json *docs = json_array();
            json_push_text(docs, p.digest);
            json_set(x, "documents", docs);
        } else if (promise) {
            json_set_bool(x, "commitment", true);
        }
        json_push(materials, x);
    }
    static const char *const methods[] = {"agent", "courier", "pickup"};
    json_set_text(d, "method", methods[dice(3)]);
    json_set_text(d, "address", "葭沚街道示例路1号");
    json_set_text(in, "item", code);
    json_set(in, "applicant", a);
    json_set(in, "form", form);
    json_set(in, "materials", materials);
    json_set(in, "delivery", d);
    if (dice(8) == 0)
        json_set_bool(in, "submit", false);
    if (s->no == 1 || s->no == 2) {
        if (dice(4))
            json_set_text(in, "community", site[s->no == 1 ? 3 + dice(3) : 6 + dice(3)].code);
    }
    *ret_online = online;
    return in;
}

static void file(struct site *s)
{
    struct caller c = work_caller(s->no), resident = {.user = "",
                                                      .name = "",
                                                      .role = "",
                                                      .site = s->code,
                                                      .channel = "online",
                                                      .query_code = ""};
    bool online = false;
    struct json *in = filing(s, true, &online);

    if (in)
        command(s, online ? &resident : &c, case_file, in);
}

/* Is this office open for people? One more filing, that is not kept. */
void work_check(struct site *s)
{
    struct caller c = work_caller(s->no);
    struct problem p = {0};
    struct errmsg e = {""};
    bool online;
    struct json *in = filing(s, false, &online), *out = NULL;

    json_set_text((struct json *)(uintptr_t)json_get(in, "applicant"), "id_number",
                  "33990019850613009X");
    if (db_begin(s->db, &e) != OK || case_file(&s->office, s->db, &c, in, &out, &p) != OK)
        breach("site %d cannot take a filing any more: %s %s %s", s->no, p.code, p.field, e.text);
    db_rollback(s->db, NULL);
    json_free(in);
    json_free(out);
}

/* ---- acting -----------------------------------------------------------------------------------*/

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

static const char *one_of(const char *list, char out[32])
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
    json_set_text(in, "action", one_of(list, name));
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
    for (int i = 0; i < filed_count; i++)
        if (!strcmp(filed[i].case_no, p->no)) {
            char code[7];
            unsigned char sum[32];
            crypto_hmac(filed[i].code, strlen(filed[i].code), p->no, strlen(p->no), sum);
            snprintf(code, sizeof code, "%06u",
                     (unsigned)(((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 |
                                 (uint32_t)sum[2] << 8 | sum[3]) %
                                1000000));
            json_set_text(in, "code", dice(6) ? code : "000000");
        }
    command(s, &c, delivery_act, in);
}

static void act(struct site *s)
{
    static const char *const usual[][2] = {
        {"draft", "submit submit withdraw note"},
        {"submitted", "complete complete complete complete complete accept accept "
                      "request_supplement refuse_acceptance supplement "
                      "withdraw transfer transfer note record_visit"},
        {"accepted",
         "approve approve refuse complete complete request_supplement supplement transfer"},
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
    one_of(lent ? "take_back" : list, name);
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
    if (!strcmp(name, "supplement")) {
        struct paper paper;
        struct json *papers = json_array(), *m = json_object(), *docs = json_array();
        if (make_paper(s, &paper))
            json_push_text(docs, paper.digest);
        json_set_text(m, "code", "id-card");
        json_set(m, "documents", docs);
        json_push(papers, m);
        json_set(in, "materials", papers);
    }
    if (dice(16) == 0) { /* somebody only looks: the page of the case */
        struct json *shown = NULL;
        struct problem problem;
        if (case_show(&s->office, s->db, &c, in, &shown, &problem) == OK)
            json_free(shown);
    }
    command(s, &c, case_act, in);
}

static void act_on(struct site *s, const char *case_no, const char *action)
{
    struct caller c = work_caller(s->no);
    struct json *in = json_object();

    json_set_text(in, "case_no", case_no);
    json_set_text(in, "action", action);
    json_set_text(in, "reason", "材料不清楚");
    command(s, &c, case_act, in);
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
static void resident_acts(struct site *s)
{
    static const char *const names[] = {"withdraw", "rate", "submit"};
    struct caller c = {.user = "", .name = "", .role = "", .site = s->code, .channel = "online"};
    struct json *in;

    if (!filed_count)
        return;
    const struct filed *f = &filed[dice((uint64_t)filed_count)];
    c.query_code = f->code;
    in = json_object();
    json_set_text(in, "case_no", f->case_no);
    json_set_text(in, "action", names[dice(3)]);
    json_set_int(in, "score", 1 + (int64_t)dice(5));
    command(s, &c, case_act, in);
}

void work_prepare(void)
{
    for (size_t i = 0; i < 2; i++)
        item_of(&site[0], items[i]);
}

void work_some(int no, int unused)
{
    struct site *s = &site[no];

    (void)unused;
    if (healing)
        return;
    later(1000 + (int64_t)dice(16000), work_some, no, 0);
    if (!s->up)
        return;
    uint64_t what = dice(10);
    if (what < 3 && no)
        file(s);
    else if (what < 9)
        act(s);
    else if (no <= 2)
        resident_acts(s);
}
