/* Two sites' ledgers on real files: append, replicate by hand, tamper, break the rules. */
#include "base/crypto.h"
#include "db/migrate.h"
#include "ledger/blob.h"
#include "ledger/ledger.h"
#include "ledger/outbox.h"

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
    int applied;
};

static char folder[64];
static struct errmsg msg;

static void good(enum err err)
{
    if (err != OK)
        fail_msg("%s: %s", err_name(err), msg.text);
}

/* Refuses kind "bad/1"; counts the rest. */
static enum err apply(void *arg, struct db *db, struct arrival *list, size_t n, bool local,
                      struct arena *a, struct errmsg *e)
{
    struct site *s = arg;

    (void)db, (void)a;
    for (size_t i = 0; i < n; i++) {
        if (list[i].got != RECEIVED_NEW)
            continue;
        if (strcmp(list[i].ev.kind, "bad/1")) {
            s->applied++;
        } else if (local) {
            errmsg_set(e, "this kind never fits");
            return ERR_INVALID;
        } else {
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

static void append(struct site *s, const char *kind, const char *case_no, enum err want)
{
    struct json *body = json_object();

    json_set_text(body, "text", "葭沚街道");
    good(db_begin(s->db, &msg));
    assert_int_equal(ledger_append(&s->l, s->db, kind, case_no, STREET, "agent", body, NULL, &msg),
                     want);
    if (want == OK)
        good(db_commit(s->db, &msg));
    else
        good(db_rollback(s->db, &msg));
    json_free(body);
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

/* Carry what `from` has for `to` behind pos, through the wire form; each must come out as `want`.
 */
static int carry(struct site *from, struct site *to, uint64_t pos, enum received want)
{
    struct batch b = {0};
    struct arena *a = arena_create();
    uint64_t upto;

    good(outbox_read(from->db, to->l.site, pos, 1000, 1 << 20, collect, &b, &upto, &msg));
    struct reader r = {b.bytes.data, b.bytes.len, false};
    struct arrival *list = arena_alloc(a, sizeof *list * ((size_t)b.count + 1));
    for (int i = 0; i < b.count; i++)
        good(event_decode(&r, a, &list[i].ev, &msg));
    assert_int_equal(r.left, 0);
    good(db_begin(to->db, &msg));
    good(ledger_receive(&to->l, to->db, from->l.site, list, (size_t)b.count, a, &msg));
    for (int i = 0; i < b.count; i++)
        assert_int_equal(list[i].got, !strcmp(list[i].ev.kind, "bad/1") && want == RECEIVED_NEW
                                          ? RECEIVED_ASIDE
                                          : want);
    good(db_commit(to->db, &msg));
    buf_free(&b.bytes);
    arena_destroy(a);
    return b.count;
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
    int64_t n = 0;

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
    assert_int_equal(n, 5);
    db_close(node.db);
    db_close(street.db);
}

static void tampering_is_found(void **state)
{
    struct site node;
    int64_t n;

    (void)state;
    open_site(&node, NODE);
    for (int i = 0; i < 3; i++)
        append(&node, "case.noted/1", "", OK);
    good(ledger_verify(node.db, &n, &msg));
    good(db_exec(node.db, "UPDATE event SET body = '{\"text\":\"other\"}' WHERE seq = 2", &msg));
    assert_int_equal(ledger_verify(node.db, &n, &msg), ERR_CORRUPT);
    assert_non_null(strstr(msg.text, "event 2"));
    db_close(node.db);
}

static void what_does_not_fit_is_set_aside(void **state)
{
    struct site node, street;
    struct stmt *st;
    bool row;

    (void)state;
    open_site(&node, NODE);
    open_site(&street, STREET);
    append(&node, "bad/1", "", ERR_INVALID); /* a local one is refused */
    node.l.apply = NULL;
    append(&node, "bad/1", "", OK);
    append(&node, "case.noted/1", "", OK);
    assert_int_equal(carry(&node, &street, 0, RECEIVED_NEW), 2);
    assert_int_equal(street.applied, 1); /* the one behind it was not blocked */
    st = db_stmt(street.db, "SELECT reason FROM event WHERE state = 'aside'");
    good(db_step(st, &row, &msg));
    assert_true(row);
    assert_string_equal(col_text(st, 0), "this kind never fits");
    db_reset(st);
    db_close(node.db);
    db_close(street.db);
}

static enum err offer(struct site *to, const char *from, const char *origin, uint64_t seq)
{
    struct arrival one = {.ev = {origin, seq, 1, "case.noted/1", "", STREET, "", "{}", 2}};
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

static void decoding_survives_any_cut(void **state)
{
    struct event ev = {NODE,    7,           99, "case.filed/1", "331002003261123000017", STREET,
                       "agent", "{\"a\":1}", 7};
    struct buf b = {0}, again = {0};
    struct arena *a = arena_create();

    (void)state;
    event_encode(&ev, &b);
    for (size_t n = 0; n < b.len; n++) {
        struct reader r = {b.data, n, false};
        struct event out;
        assert_int_equal(event_decode(&r, a, &out, &msg), ERR_PEER);
    }
    struct reader r = {b.data, b.len, false};
    struct event out;
    good(event_decode(&r, a, &out, &msg));
    event_encode(&out, &again);
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.data, b.data, b.len);
    buf_free(&b);
    buf_free(&again);
    arena_destroy(a);
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

/* A database of schema 4, with what a street had said, received and promised to others, goes on
 * where it was. */
static void an_older_database_goes_on(void **state)
{
    static const char old[] =
        "INSERT INTO link (peer, role, stream, head_pos, acked_pos) VALUES ('331002000000', "
        "'parent', x'00', 2, 1),"
        " ('331002003901', 'child', x'01', 1, 0);"
        "INSERT INTO event (street, origin, seq, hlc, kind, case_no, actor, body, hash, state, "
        "from_peer) VALUES"
        " ('331002003000', '331002003901', 1, 65536000, 'a/1', '', '', '{}', zeroblob(32), "
        "'applied', '331002003901'),"
        " ('331002003000', '331002003000', 1, 131072000, 'b/1', '', '', '{}', zeroblob(32), "
        "'applied', NULL),"
        " ('331002000000', '331002000000', 7, 99, 'c/1', '', '', '{}', NULL, 'applied', "
        "'331002000000');"
        "INSERT INTO outbox (peer, pos, origin, seq, at_ms) VALUES ('331002000000', 1, "
        "'331002003901', 1, 5),"
        " ('331002000000', 2, '331002003000', 1, 6), ('331002003901', 1, '331002003000', 1, 6);";
    struct batch b = {0};
    struct ledger l;
    struct db *db;
    char path[128];
    int64_t unsent, oldest;
    uint64_t upto;

    (void)state;
    snprintf(path, sizeof path, "%s/old.db", folder);
    good(db_open(path, DB_WRITE, &db, &msg));
    good(migrate(db, schema_migrations, 4, &msg));
    good(db_exec(db, old, &msg));
    good(migrate(db, schema_migrations, schema_migration_count, &msg));
    good(ledger_open(&l, db, STREET, host_system(), &msg));
    assert_int_equal(l.hlc_last, 131072000);
    good(outbox_read(db, "331002000000", 0, 100, 1 << 20, collect, &b, &upto, &msg));
    assert_int_equal(b.count, 2);
    assert_int_equal(upto, 2);
    good(outbox_read(db, NODE, 0, 100, 1 << 20, collect, &b, &upto, &msg));
    assert_int_equal(b.count, 3);
    good(outbox_unsent(db, "331002000000", &unsent, &oldest, &msg));
    assert_int_equal(unsent, 1);
    assert_int_equal(oldest, 2000); /* the second event's own clock */
    buf_free(&b.bytes);
    db_close(db);
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
        cmocka_unit_test_setup_teardown(decoding_survives_any_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(documents_resume_and_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(an_older_database_goes_on, setup, teardown),
    };

    json_use_arenas();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
