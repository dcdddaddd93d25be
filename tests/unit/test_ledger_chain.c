/* Two sites' ledgers on real files: append, replicate by hand, tamper, break the rules. */
#include "base/crypto.h"
#include "db/migrate.h"
#include "ledger/blob.h"
#include "ledger/chain.h"
#include "ledger/ledger.h"
#include "ledger/link_rows.h"
#include "ledger/meta.h"
#include "ledger/outbox.h"
#include "ledger/recall.h"
#include "ledger/row.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define STREET "331002003000"
#define NODE "331002003901"

struct site {
    struct db *db;
    struct ledger l;
    char path[128];
    int applied, filled;
};

static char folder[64];
static struct errmsg msg;

static void good(enum err err)
{
    if (err != OK)
        fail_msg("%s: %s", err_name(err), msg.text);
}

/* Sets kind "bad/1" aside, does not know "new/1"; counts the rest. */
static enum err apply(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                      struct arena *a, struct errmsg *e)
{
    struct site *s = arg;

    (void)db, (void)a;
    for (size_t i = 0; i < n; i++) {
        s->filled += list[i].got == RECEIVED_FILLED;
        if (list[i].got != RECEIVED_NEW)
            continue;
        if (!strcmp(list[i].ev.kind, "new/1")) {
            list[i].state = "unknown";
        } else if (strcmp(list[i].ev.kind, "bad/1")) {
            s->applied++;
        } else if (local) {
            errmsg_set(e, "this kind never fits");
            return ERR_INVALID;
        } else {
            list[i].state = "aside";
            list[i].why = "this kind never fits";
        }
    }
    return OK;
}

/* What does not come from the child goes to it; what goes up the ledger sees to. */
static enum err route(void *arg, struct db *db, const struct arrival *list, size_t n,
                      const char *from, struct arena *a, struct errmsg *e)
{
    struct site *s = arg;
    enum err err = OK;

    (void)a;
    if (!strcmp(s->l.site, NODE) || (from && !strcmp(from, NODE)))
        return OK;
    for (size_t i = 0; err == OK && i < n; i++)
        if (list[i].got != RECEIVED_DUPLICATE)
            err = ledger_enqueue(&s->l, db, NODE, list[i].ev.origin, list[i].ev.seq, e);
    return err;
}

static void open_site(struct site *s, const char *code)
{
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "%s/%s.db", folder, code);
    good(db_open(s->path, DB_WRITE, &s->db, &msg));
    good(migrate(s->db, schema_migrations, schema_migration_count, &msg));
    good(db_begin(s->db, &msg));
    good(ledger_open(&s->l, s->db, code, host_system(), &msg));
    if (!strcmp(code, NODE))
        strcpy(s->l.parent, STREET);
    s->l.apply = apply;
    s->l.route = route;
    s->l.arg = s;
    good(link_add(s->db, !strcmp(code, NODE) ? STREET : NODE,
                  !strcmp(code, NODE) ? "parent" : "child", host_system(), &msg));
    good(db_commit(s->db, &msg));
}

static void say(struct site *s, const struct said *said, enum err want)
{
    good(db_begin(s->db, &msg));
    assert_int_equal(ledger_append(&s->l, s->db, said, NULL, &msg), want);
    if (want == OK)
        good(db_commit(s->db, &msg));
    else
        good(db_rollback(s->db, &msg));
}

static void append(struct site *s, const char *kind, const char *dossier, enum err want)
{
    struct json *record = json_object();
    const struct said said = {
        .kind = kind, .dossier = dossier, .street = STREET, .actor = "agent", .record = record};

    json_set_text(record, "text", "葭沚街道");
    say(s, &said, want);
    json_free(record);
}

/* With a personal part. */
static void append_personal(struct site *s, const unsigned char *seed)
{
    struct json *record = json_object(), *personal = json_object();
    const struct said said = {.kind = "case.noted/1",
                              .dossier = "331002003261123000017",
                              .street = STREET,
                              .record = record,
                              .personal = personal,
                              .seed = seed};

    json_set_text(record, "custody_no", "1");
    json_set_text(personal, "name", "李秀兰");
    say(s, &said, OK);
    json_free(record);
    json_free(personal);
}

static int64_t number(struct site *s, const char *sql)
{
    struct stmt *st = db_stmt(s->db, sql);
    bool row;

    good(db_step(st, &row, &msg));
    int64_t n = row ? col_int(st, 0) : -1;
    db_reset(st);
    return n;
}

/* What forgetting will do to a row: text and salt go, their digest stays. */
static void make_shell(struct site *s, int64_t seq)
{
    struct stmt *st = db_stmt(
        s->db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE seq = $1 AND flags & 4 <> 0");
    struct event_sum sum;
    bool row;

    good(db_begin(s->db, &msg));
    bind_int(st, 1, seq);
    good(db_step(st, &row, &msg));
    assert_true(row);
    struct event ev = ledger_row(st, 0);
    event_sum(&ev, &sum);
    db_reset(st);
    st = db_stmt(s->db, "UPDATE event SET personal = NULL, salt = NULL, personal_digest = $2 "
                        "WHERE seq = $1 AND flags & 4 <> 0");
    bind_int(st, 1, seq);
    bind_blob(st, 2, sum.personal, 32);
    good(db_run(st, &msg));
    good(db_commit(s->db, &msg));
}

struct batch {
    struct buf bytes;
    int count;
};

static void collect(void *arg, const struct event *ev)
{
    struct batch *b = arg;

    event_encode(ev, &b->bytes);
    b->count++;
}

/* Carry what `from` has for `to` behind pos, through the wire form. carry(): each must come out as
 * `want`. */
static enum err try_carry(struct site *from, struct site *to, uint64_t pos, int *ret_count,
                          enum received got[16])
{
    struct batch b = {0};
    struct arena *a = arena_create();
    uint64_t upto;

    good(outbox_read(from->db, to->l.site, pos, 1000, 1 << 20, collect, &b, &upto, &msg));
    struct reader r = {b.bytes.data, b.bytes.len, false};
    struct arrival *list = arena_alloc(a, sizeof *list * ((size_t)b.count + 1));
    for (int i = 0; i < b.count; i++)
        good(event_decode(&r, a, &list[i].ev, NULL, &msg));
    assert_int_equal(r.left, 0);
    good(db_begin(to->db, &msg));
    enum err err = ledger_receive(&to->l, to->db, from->l.site, list, (size_t)b.count, a, &msg);
    for (int i = 0; i < b.count && i < 16; i++)
        got[i] = list[i].got;
    if (err == OK)
        good(db_commit(to->db, &msg));
    else
        good(db_rollback(to->db, &msg));
    buf_free(&b.bytes);
    arena_destroy(a);
    *ret_count = b.count;
    return err;
}

static int carry(struct site *from, struct site *to, uint64_t pos, enum received want)
{
    enum received got[16];
    int n;

    good(try_carry(from, to, pos, &n, got));
    for (int i = 0; i < n; i++)
        assert_int_equal(got[i], want);
    return n;
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/doorstep-ledger-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    char cmd[100];

    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", folder);
    return system(cmd);
}

static void events_arrive_once_and_verify(void **state)
{
    struct site node, street;
    struct ledger_counts n;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    for (int i = 0; i < 5; i++)
        append(&node, "case.noted/1", "331002003261123000017", OK);
    assert_int_equal(carry(&node, &street, 0, RECEIVED_NEW), 5);
    assert_int_equal(carry(&node, &street, 2, RECEIVED_DUPLICATE), 3);
    assert_int_equal(street.applied, 5);
    /* nothing goes back where it came from */
    assert_int_equal(carry(&street, &node, 0, RECEIVED_NEW), 0);
    good(ledger_verify(street.db, &n, &msg));
    assert_int_equal(n.chained, 5);
    assert_int_equal(n.personal + n.shells, 0);
    db_close(node.db);
    db_close(street.db);
}

static void tampering_is_found(void **state)
{
    struct site node;
    struct ledger_counts n;

    (void)state;
    open_site(&node, NODE);
    for (int i = 0; i < 3; i++)
        append(&node, "case.noted/1", "", OK);
    good(ledger_verify(node.db, &n, &msg));
    good(db_exec(node.db, "UPDATE event SET record = '{\"text\":\"other\"}' WHERE seq = 2", &msg));
    assert_int_equal(ledger_verify(node.db, &n, &msg), ERR_CORRUPT);
    assert_non_null(strstr(msg.text, "event 2"));
    db_close(node.db);
}

static void what_does_not_fit_is_set_aside(void **state)
{
    struct site node, street;
    enum received got[16];
    struct stmt *st;
    bool row;
    int n;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    append(&node, "bad/1", "", ERR_INVALID); /* a local one is refused */
    node.l.apply = NULL;
    append(&node, "bad/1", "", OK);
    append(&node, "case.noted/1", "", OK);
    append(&node, "new/1", "q331002003260105A012", OK);
    good(try_carry(&node, &street, 0, &n, got));
    assert_int_equal(n, 3);
    assert_int_equal(got[0], RECEIVED_ASIDE);
    assert_int_equal(got[1], RECEIVED_NEW);
    assert_int_equal(got[2], RECEIVED_ASIDE);
    assert_int_equal(street.applied, 1); /* the one behind it was not blocked */
    st =
        db_stmt(street.db, "SELECT state, reason FROM event WHERE state <> 'applied' ORDER BY seq");
    good(db_step(st, &row, &msg));
    assert_true(row);
    assert_string_equal(col_text(st, 0), "aside");
    assert_string_equal(col_text(st, 1), "this kind never fits");
    good(db_step(st, &row, &msg));
    assert_true(row);
    assert_string_equal(col_text(st, 0), "unknown");
    assert_true(col_is_null(st, 1));
    db_reset(st);
    db_close(node.db);
    db_close(street.db);
}

static enum err offer(struct site *to, const char *from, const char *origin, uint64_t seq)
{
    struct arrival one = {.ev = {.origin = origin,
                                 .seq = seq,
                                 .hlc = 1,
                                 .kind = "case.noted/1",
                                 .dossier = "",
                                 .street = STREET,
                                 .actor = "",
                                 .record = "{}",
                                 .record_len = 2}};
    struct arena *a = arena_create();
    enum err err;

    good(db_begin(to->db, &msg));
    err = ledger_receive(&to->l, to->db, from, &one, 1, a, &msg);
    arena_destroy(a);
    if (err == OK)
        good(db_commit(to->db, &msg));
    else
        good(db_rollback(to->db, &msg));
    return err;
}

static void a_peer_that_breaks_the_rules(void **state)
{
    struct site street;

    (void)state;
    open_site(&street, STREET);
    assert_int_equal(offer(&street, NODE, NODE, 2), ERR_PEER);           /* a gap */
    assert_int_equal(offer(&street, NODE, "331002003902", 1), ERR_PEER); /* another's origin */
    assert_int_equal(offer(&street, NODE, NODE, 1), OK);
    assert_int_equal(offer(&street, NODE, NODE, 3), ERR_PEER);
    assert_int_equal(offer(&street, "331002000000", "331002000000", 7),
                     OK); /* the parent selects */
    good(db_begin(street.db, &msg));
    assert_int_equal(link_acked(street.db, NODE, 99, 0, &msg), ERR_PEER); /* from the future */
    good(db_rollback(street.db, &msg));
    db_close(street.db);
}

static void a_batch_behind_a_failed_one_is_not_taken(void **state)
{
    unsigned char stream[16] = "a stream of node", other[16] = "another of node";
    struct site street;

    (void)state;
    open_site(&street, STREET);
    good(db_begin(street.db, &msg));
    assert_int_equal(link_received(street.db, NODE, stream, 50, 90, 0, &msg), ERR_CONFLICT);
    good(link_received(street.db, NODE, stream, 0, 50, 0, &msg));
    good(link_received(street.db, NODE, stream, 50, 90, 0, &msg));
    assert_int_equal(link_received(street.db, NODE, stream, 50, 91, 0, &msg), ERR_CONFLICT);
    good(link_received(street.db, NODE, other, 0, 3, 0, &msg)); /* a reinstalled peer begins anew */
    good(db_commit(street.db, &msg));
    db_close(street.db);
}

static void signed_heads(void **state)
{
    struct site node, street;
    unsigned char seed[32], key[32], hash[32], sig[64];
    uint64_t seq;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    crypto_keypair(seed, key);
    append(&node, "case.noted/1", "", OK);
    carry(&node, &street, 0, RECEIVED_NEW);
    good(ledger_head(node.db, NODE, &seq, hash, &msg));
    ledger_sign_head(seed, NODE, seq, hash, sig);
    good(db_begin(street.db, &msg));
    good(ledger_key_set(street.db, NODE, key, &msg));
    good(ledger_witness(street.db, NODE, seq, hash, sig, &msg));
    sig[5] ^= 1;
    assert_int_equal(ledger_witness(street.db, NODE, seq, hash, sig, &msg), ERR_PEER);
    hash[0] ^= 1; /* another past under a right signature */
    ledger_sign_head(seed, NODE, seq, hash, sig);
    assert_int_equal(ledger_witness(street.db, NODE, seq, hash, sig, &msg), ERR_PEER);
    good(db_commit(street.db, &msg));
    db_close(node.db);
    db_close(street.db);
}

/* ---- the personal part ------------------------------------------------------------------------*/

static void shells_hold_in_the_chain(void **state)
{
    struct site node, street;
    struct ledger_counts n;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    for (int i = 0; i < 3; i++)
        append_personal(&node, NULL);
    append(&node, "case.noted/1", "", OK);
    assert_int_equal(number(&node, "SELECT count(DISTINCT salt) FROM event"), 3);
    assert_int_equal(carry(&node, &street, 0, RECEIVED_NEW), 4);
    make_shell(&street, 2);
    good(ledger_verify(street.db, &n, &msg));
    assert_int_equal(n.chained, 4);
    assert_int_equal(n.personal, 2);
    assert_int_equal(n.shells, 1);
    good(db_exec(street.db, "UPDATE event SET personal_digest = zeroblob(32) WHERE seq = 2", &msg));
    assert_int_equal(ledger_verify(street.db, &n, &msg), ERR_CORRUPT);
    good(db_exec(street.db, "UPDATE event SET personal_digest = NULL WHERE seq = 2", &msg));
    assert_int_equal(ledger_verify(street.db, &n, &msg), ERR_CORRUPT);
    good(ledger_verify(node.db, &n, &msg));
    good(db_exec(node.db, "UPDATE event SET salt = zeroblob(16) WHERE seq = 2", &msg));
    assert_int_equal(ledger_verify(node.db, &n, &msg), ERR_CORRUPT);
    assert_non_null(strstr(msg.text, "event 2"));
    db_close(node.db);
    db_close(street.db);
}

/* Given a child that sends a shell which nobody has ordered, then nothing of its batch is stored.
 */
static void a_child_withholds_nothing(void **state)
{
    struct site node, street;
    enum received got[16];
    int n;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    append(&node, "case.noted/1", "", OK);
    append_personal(&node, NULL);
    make_shell(&node, 2);
    assert_int_equal(try_carry(&node, &street, 0, &n, got), ERR_WITHHELD);
    assert_non_null(strstr(msg.text, "event 2"));
    assert_int_equal(number(&street, "SELECT count(*) FROM event"), 0);
    db_close(node.db);
    db_close(street.db);
}

/* The event at seq, in a. */
static struct event held(struct site *s, int64_t seq, struct arena *a)
{
    struct stmt *st = db_stmt(s->db, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE seq = $1");
    bool row;

    bind_int(st, 1, seq);
    good(db_step(st, &row, &msg));
    assert_true(row);
    struct event ev = ledger_row(st, 0), copy = event_copy(&ev, a);
    db_reset(st);
    return copy;
}

static enum received offer_again(struct site *to, const char *from, const struct event *ev)
{
    struct arrival one = {.ev = *ev};
    struct arena *a = arena_create();

    good(db_begin(to->db, &msg));
    good(ledger_receive(&to->l, to->db, from, &one, 1, a, &msg));
    good(db_commit(to->db, &msg));
    arena_destroy(a);
    return one.got;
}

/* From the parent a shell is taken; whoever shows salt and text that fit fills it, and no other
 * event does. */
static void a_shell_is_filled(void **state)
{
    struct site node, street;
    struct ledger_counts n;
    struct arena *a = arena_create();
    unsigned char salt[16] = "another salt ...";

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    append_personal(&street, NULL);
    append_personal(&street, NULL);
    const struct event said = held(&street, 1, a);
    make_shell(&street, 1);
    assert_int_equal(carry(&street, &node, 0, RECEIVED_NEW), 2);
    assert_int_equal(node.applied, 2); /* a shell is folded like any other */
    good(ledger_verify(node.db, &n, &msg));
    assert_int_equal(n.shells, 1);
    assert_int_equal(n.personal, 1);

    struct event wrong = said;
    wrong.personal = "{\"name\":\"王\"}";
    wrong.personal_len = strlen(wrong.personal);
    assert_int_equal(offer_again(&node, STREET, &wrong), RECEIVED_DUPLICATE);
    wrong = said;
    wrong.salt = salt;
    assert_int_equal(offer_again(&node, STREET, &wrong), RECEIVED_DUPLICATE);
    wrong = said;
    wrong.record = "{\"custody_no\":\"2\"}";
    assert_int_equal(offer_again(&node, STREET, &wrong), RECEIVED_DUPLICATE);
    assert_int_equal(node.filled, 0);
    assert_int_equal(offer_again(&node, STREET, &said), RECEIVED_FILLED);
    assert_int_equal(node.filled, 1);
    assert_int_equal(offer_again(&node, STREET, &said), RECEIVED_DUPLICATE);
    const struct event now = held(&node, 1, a);
    assert_int_equal(now.form, EVENT_FORM_HERE);
    assert_string_equal(now.personal, said.personal);
    assert_memory_equal(now.salt, said.salt, 16);
    good(ledger_verify(node.db, &n, &msg));
    assert_int_equal(n.shells, 0);
    assert_int_equal(n.personal, 2);

    /* a child fills what its parent has lost */
    append_personal(&node, NULL);
    carry(&node, &street, 0, RECEIVED_NEW);
    good(db_exec(street.db, "DELETE FROM event WHERE origin = '" STREET "'", &msg));
    make_shell(&street, 1);
    carry(&node, &street, 0, RECEIVED_FILLED);
    assert_int_equal(number(&street, "SELECT count(*) FROM event WHERE personal IS NULL"), 0);
    arena_destroy(a);
    db_close(node.db);
    db_close(street.db);
}

static void a_site_gets_its_own_shell_back(void **state)
{
    struct site node, anew, street;
    struct ledger_counts n;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    append_personal(&node, NULL);
    append(&node, "case.noted/1", "", OK);
    carry(&node, &street, 0, RECEIVED_NEW);
    make_shell(&street, 1);
    db_close(node.db);
    assert_int_equal(unlink(node.path), 0);
    open_site(&anew, NODE);
    good(db_begin(anew.db, &msg));
    good(ledger_recall_begin(anew.db, &msg));
    good(ledger_recall_agreed(anew.db, &msg));
    good(db_commit(anew.db, &msg));
    good(db_begin(street.db, &msg));
    good(ledger_enqueue_again(&street.l, street.db, NODE, NODE, 1, &msg));
    good(ledger_enqueue_again(&street.l, street.db, NODE, NODE, 2, &msg));
    good(db_commit(street.db, &msg));
    assert_int_equal(carry(&street, &anew, 0, RECEIVED_NEW), 2);
    good(ledger_verify(anew.db, &n, &msg));
    assert_int_equal(n.chained, 2);
    assert_int_equal(n.shells, 1);
    db_close(anew.db);
    db_close(street.db);
}

/* Another epoch: other names, the same ids and signatures, and the chain holds; with shells too. */
static void a_new_epoch_keeps_ids(void **state)
{
    unsigned char seed[32], key[32], id[16], same[16];
    struct site node;
    struct ledger_counts n;
    struct event_sum sum;
    struct arena *a = arena_create();

    (void)state;
    crypto_keypair(seed, key);
    open_site(&node, NODE);
    append_personal(&node, NULL);
    append_personal(&node, seed);
    append_personal(&node, NULL);
    make_shell(&node, 3);
    struct event ev = held(&node, 2, a);
    assert_int_equal(ev.flags, EVENT_SIGNED | EVENT_PERSONAL);
    event_sum(&ev, &sum);
    event_id(&sum, id);
    assert_true(event_signed_by(key, &sum, ev.signature));
    good(db_begin(node.db, &msg));
    good(ledger_new_epoch(&node.l, node.db, 1, &msg));
    good(db_commit(node.db, &msg));
    append_personal(&node, NULL);
    good(ledger_verify(node.db, &n, &msg));
    assert_int_equal(n.chained, 4);
    assert_int_equal(n.shells, 1);
    assert_int_equal(number(&node, "SELECT count(*) FROM event WHERE origin = '" NODE "'"), 1);
    good(db_exec(node.db, "DELETE FROM event WHERE origin = '" NODE "'", &msg));
    ev = held(&node, 1, a);
    assert_string_not_equal(ev.origin, NODE);
    event_sum(&ev, &sum);
    event_id(&sum, same);
    assert_memory_equal(id, same, 16);
    assert_true(event_signed_by(key, &sum, ev.signature));
    arena_destroy(a);
    db_close(node.db);
}

/* ---- marks and limits -------------------------------------------------------------------------*/

static void note(void *arg, const char *rest)
{
    char *all = arg;

    strcat(strcat(all, rest), " ");
}

static void marks(void **state)
{
    struct site node;
    char text[8], all[64] = "";
    uint64_t n;
    bool there;

    (void)state;
    open_site(&node, NODE);
    good(db_begin(node.db, &msg));
    good(meta_read(node.db, "x.2", text, sizeof text, &there, &msg));
    assert_false(there);
    assert_string_equal(text, "");
    good(meta_write(node.db, "x.2", "two", &msg));
    good(meta_write(node.db, "x.1", "one", &msg));
    good(meta_write(node.db, "x", "none", &msg));
    good(meta_write(node.db, "x/3", "none", &msg));
    good(meta_write(node.db, "x.2", "twice as long", &msg));
    good(meta_read(node.db, "x.2", text, sizeof text, &there, &msg));
    assert_true(there);
    assert_string_equal(text, "twice a");
    good(meta_each(node.db, "x.", 9, note, all, &msg));
    assert_string_equal(all, "1 2 ");
    good(meta_each(node.db, "x.", 1, note, all, &msg));
    assert_string_equal(all, "1 2 1 ");
    good(meta_delete(node.db, "x.2", &msg));
    good(meta_delete(node.db, "x.2", &msg));
    good(meta_read(node.db, "x.2", text, sizeof text, &there, &msg));
    assert_false(there);
    good(meta_write_u64(node.db, "n", UINT64_MAX, &msg));
    good(meta_read_u64(node.db, "n", &n, &msg));
    assert_true(n == UINT64_MAX);
    good(db_commit(node.db, &msg));
    db_close(node.db);
}

/* Record and personal part together have one limit; nothing is kept of what is longer. */
static void an_event_has_an_end(void **state)
{
    struct site node;
    char *text = malloc(EVENT_TEXT_BYTES_MAX);

    (void)state;
    open_site(&node, NODE);
    for (int over = 0; over < 2; over++) {
        struct json *record = json_object(), *personal = json_object();
        const struct said said = {
            .kind = "case.noted/1", .street = STREET, .record = record, .personal = personal};
        size_t n = EVENT_TEXT_BYTES_MAX - 2 * strlen("{\"t\":\"\"}") - 4 + (size_t)over;

        memset(text, 'a', n);
        text[n] = 0;
        json_set_text(personal, "t", text);
        json_set_text(record, "t", "four");
        say(&node, &said, over ? ERR_INVALID : OK);
        json_free(record);
        json_free(personal);
    }
    assert_int_equal(number(&node, "SELECT count(*) FROM event"), 1);
    free(text);
    db_close(node.db);
}

/* A clock that is far ahead is not followed: one broken site must not move all others. */
static void a_clock_far_ahead_is_not_followed(void **state)
{
    const int64_t now = host_wall_ms(host_system());
    static const struct {
        int64_t ahead_ms;
        bool followed;
    } all[] = {{4 * 60 * 1000, true}, {6 * 60 * 1000, false}, {3600 * 1000, false}};
    struct site street;

    (void)state;
    open_site(&street, STREET);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct event ev = {.origin = NODE,
                           .seq = i + 1,
                           .hlc = (uint64_t)(now + all[i].ahead_ms) << 16,
                           .kind = "case.noted/1",
                           .dossier = "",
                           .street = STREET,
                           .actor = "",
                           .record = "{}",
                           .record_len = 2};
        street.l.hlc_last = 0;
        assert_int_equal(offer_again(&street, NODE, &ev), RECEIVED_NEW);
        assert_int_equal(street.l.hlc_last == ev.hlc, all[i].followed);
    }
    db_close(street.db);
}

/* A site made anew says nothing under a clock before that of what it had said: the newest would be old. */
static void its_own_past_is_followed_however_far(void **state)
{
    struct event ev = {.origin = NODE,
                       .seq = 1,
                       .hlc = (uint64_t)(host_wall_ms(host_system()) + 40 * 86400000LL) << 16,
                       .kind = "case.noted/1",
                       .dossier = "",
                       .street = STREET,
                       .actor = "",
                       .record = "{}",
                       .record_len = 2};
    struct site anew;

    (void)state;
    open_site(&anew, NODE);
    good(db_begin(anew.db, &msg));
    good(ledger_recall_begin(anew.db, &msg));
    good(ledger_recall_agreed(anew.db, &msg));
    good(db_commit(anew.db, &msg));
    assert_int_equal(offer_again(&anew, STREET, &ev), RECEIVED_NEW);
    assert_true(anew.l.hlc_last == ev.hlc);
    db_close(anew.db);
}

static void documents_resume_and_are_checked(void **state)
{
    struct blob_dir *d;
    struct blob_writer *w;
    char path[128], digest[DIGEST_TEXT_LEN + 1], same[DIGEST_TEXT_LEN + 1], file[400];
    int64_t n;
    int fd;

    (void)state;
    snprintf(path, sizeof path, "%s/blobs", folder);
    good(blob_dir_open(path, &d, &msg));
    good(blob_begin(d, &w, &msg));
    good(blob_write(w, "hello ", 6, &msg));
    good(blob_write(w, "paper", 5, &msg));
    good(blob_commit(w, NULL, digest, &msg));
    assert_true(blob_exists(d, digest));

    snprintf(file, sizeof file, "%s/%.2s/%s", path, digest + 7, digest + 7);
    assert_int_equal(unlink(file), 0);
    good(blob_partial_append(d, digest, 0, "hello", 5, &msg));
    assert_int_equal(blob_partial_append(d, digest, 3, "lo", 2, &msg), ERR_CONFLICT);
    assert_int_equal(blob_partial_size(d, digest), 5);
    good(blob_partial_append(d, digest, 5, " paper", 6, &msg));
    good(blob_partial_finish(d, digest, &msg));
    good(blob_read(d, digest, &fd, &n, &msg));
    assert_int_equal(n, 11);
    close(fd);

    good(blob_begin(d, &w, &msg));
    good(blob_write(w, "other", 5, &msg));
    assert_int_equal(blob_commit(w, digest, same, &msg), ERR_CORRUPT);
    good(blob_verify_all(d, &n, &msg));
    assert_int_equal(n, 1);
    fd = open(file, O_WRONLY);
    assert_int_equal(write(fd, "J", 1), 1);
    close(fd);
    assert_int_equal(blob_verify_all(d, &n, &msg), ERR_CORRUPT);
    blob_dir_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_arrive_once_and_verify, setup, teardown),
        cmocka_unit_test_setup_teardown(tampering_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_set_aside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_breaks_the_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_behind_a_failed_one_is_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(signed_heads, setup, teardown),
        cmocka_unit_test_setup_teardown(shells_hold_in_the_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(a_child_withholds_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shell_is_filled, setup, teardown),
        cmocka_unit_test_setup_teardown(a_site_gets_its_own_shell_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_epoch_keeps_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(marks, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_far_ahead_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(its_own_past_is_followed_however_far, setup, teardown),
        cmocka_unit_test_setup_teardown(documents_resume_and_are_checked, setup, teardown),
    };

    json_use_arenas();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
