/* A newer program on the folder of an older one: it folds what that one could not, in turns, and nothing
 * else. Two sites on real files, carried by hand. */
#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "db/migrate.h"
#include "dossiers/all.h"
#include "ledger/ledger.h"
#include "ledger/link_rows.h"
#include "ledger/outbox.h"
#include "office/blocks.h"
#include "office/office.h"
#include "office/rebuild.h"
#include "office/say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define STREET "331002003000"
#define NODE "331002003901"
#define CASE_NO "331002003260105000011"
#define TICKETS 450
#define TURN 200

struct site {
    struct office o;
    struct db *db;
};

static char folder[64];
static struct errmsg msg;
static struct dossier_type const *cases_only[1];
static struct office_work of_before; /* knows cases */

static void good(enum err err)
{
    if (err != OK)
        fail_msg("%s: %s", err_name(err), msg.text);
}

static void open_site(struct site *s, const char *code, const struct office_work *work)
{
    bool node = text_is(code, NODE);
    char path[128];

    *s = (struct site){.o = {.host = host_system(), .work = work}};
    COPY_TEXT(s->o.site, code);
    COPY_TEXT(s->o.parent, node ? STREET : "");
    snprintf(path, sizeof path, "%s/%s.db", folder, code);
    good(db_open(path, DB_WRITE, &s->db, &msg));
    good(migrate(s->db, schema_migrations, schema_migration_count, &msg));
    good(db_begin(s->db, &msg));
    good(office_open(&s->o, s->db, &msg));
    good(link_add(s->db, node ? STREET : NODE, node ? "parent" : "child", host_system(), &msg));
    good(db_commit(s->db, &msg));
}

static void close_site(struct site *s)
{
    office_close(&s->o);
    db_close(s->db);
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

#define COUNT(s, what) number((s), "SELECT count(*) FROM " what " /* full scan */")

static void issue(struct site *s, int n, int days_ago)
{
    struct json *b = json_object();
    char id[33], day[7];

    time_yymmdd(host_wall_ms(host_system()) - days_ago * 86400000LL, day);
    snprintf(id, sizeof id, "q331002003%sA%03d", day, n);
    json_set_text(b, "hall", STREET);
    json_set_text(b, "queue", "A");
    good(office_say(&s->o, s->db, "ticket.issued/1", id, STREET, NULL, b, &msg));
}

static void file(struct site *s)
{
    struct json *b = json_object();

    json_set_text(b, "item", "birth-registration-first");
    json_set_text(b, "item_name", "一孩生育登记");
    json_set_text(b, "custodian", NODE);
    json_set_text(b, "community", NODE);
    json_set_text(b, "state", "submitted");
    good(office_say(&s->o, s->db, "case.filed/1", CASE_NO, STREET, NULL, b, &msg));
}

/* ---- by hand over the wire --------------------------------------------------------------------*/

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

static void carry(struct site *from, struct site *to)
{
    struct batch b = {0};
    struct arena *a = arena_create();
    uint64_t upto;

    good(outbox_read(from->db, to->o.site, 0, 5000, 1 << 22, collect, &b, &upto, &msg));
    struct reader r = {b.bytes.data, b.bytes.len, false};
    struct arrival *list = arena_alloc(a, sizeof *list * ((size_t)b.count + 1));
    memset(list, 0, sizeof *list * ((size_t)b.count + 1));
    for (int i = 0; i < b.count; i++)
        good(event_decode(&r, a, &list[i].ev, &list[i].sum, &msg));
    good(db_begin(to->db, &msg));
    good(ledger_receive(&to->o.ledger, to->db, from->o.site, list, (size_t)b.count, a, &msg));
    good(db_commit(to->db, &msg));
    buf_free(&b.bytes);
    arena_destroy(a);
}

/* A street of before that has received a case, and tickets of today and of last week. */
static void street_of_before(struct site *street)
{
    struct site node;

    open_site(&node, NODE, &all_work);
    good(db_begin(node.db, &msg));
    file(&node);
    for (int i = 0; i < TICKETS; i++)
        issue(&node, i % 900 + 1, i < 50 ? 7 : 0);
    good(db_commit(node.db, &msg));
    open_site(street, STREET, &of_before);
    good(db_begin(street->db, &msg));
    good(blocks_begin(&street->o, street->db, NODE, 1000, &msg)); /* it lends what it knows */
    good(db_commit(street->db, &msg));
    carry(&node, street);
    close_site(&node);
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/doorstep-catch-up-XXXXXX");
    cases_only[0] = dossier_type_named(&all_work, "case");
    of_before = (struct office_work){cases_only, 1, all_work.groups, all_work.group_count};
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    char cmd[100];

    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", folder);
    return system(cmd);
}

/* ---- tests ------------------------------------------------------------------------------------*/

static void what_is_not_known_is_kept_and_nobodys_work(void **state)
{
    struct site street;
    bool more;

    (void)state;
    street_of_before(&street);
    assert_int_equal(COUNT(&street, "event WHERE state = 'unknown'"), TICKETS);
    assert_int_equal(COUNT(&street, "event WHERE state = 'applied' AND dossier <> ''"), 1);
    assert_int_equal(COUNT(&street, "repair"), 0);
    assert_int_equal(COUNT(&street, "ticket"), 0);
    /* The same program again has nothing to catch up with. */
    good(db_begin(street.db, &msg));
    good(office_catch_up(&street.o, street.db, TURN, &more, &msg));
    good(db_commit(street.db, &msg));
    assert_false(more);
    assert_int_equal(COUNT(&street, "event WHERE state = 'unknown'"), TICKETS);
    close_site(&street);
}

static void a_newer_program_reads_it_in_turns(void **state)
{
    struct site street;
    int64_t left = TICKETS;
    int turns = 0;
    bool more = true;

    (void)state;
    street_of_before(&street);
    close_site(&street);
    open_site(&street, STREET, &all_work);
    while (more) {
        good(db_begin(street.db, &msg));
        good(office_catch_up(&street.o, street.db, TURN, &more, &msg));
        good(db_commit(street.db, &msg));
        int64_t now = COUNT(&street, "event WHERE state = 'unknown'");
        assert_true(left - now <= TURN);
        left = now;
        assert_true(++turns < 10);
    }
    assert_int_equal(left, 0);
    assert_true(turns >= TICKETS / TURN);
    assert_int_equal(COUNT(&street, "ticket"), TICKETS);
    /* The hall has answered to those that still hold. */
    assert_int_equal(COUNT(&street, "ticket WHERE state = 'waiting'"), TICKETS - 50);
    assert_int_equal(COUNT(&street, "ticket WHERE state = 'coming'"), 50);
    assert_int_equal(COUNT(&street, "event WHERE kind = 'ticket.joined/1'"), TICKETS - 50);
    assert_int_equal(COUNT(&street, "repair"), 0);
    close_site(&street);
}

static void what_was_known_is_left_alone(void **state)
{
    struct site street;
    bool more = true;

    (void)state;
    street_of_before(&street);
    /* A mark that a fold would wipe out. */
    good(db_exec(street.db, "UPDATE case_file SET item_name = 'mark' /* full scan */", &msg));
    close_site(&street);
    open_site(&street, STREET, &all_work);
    while (more) {
        good(db_begin(street.db, &msg));
        good(office_catch_up(&street.o, street.db, 1000, &more, &msg));
        good(db_commit(street.db, &msg));
    }
    assert_int_equal(COUNT(&street, "case_file WHERE item_name = 'mark'"), 1);
    close_site(&street);
}

static void a_fold_that_has_changed_is_made_again(void **state)
{
    static struct dossier_type changed;
    const struct dossier_type *types[1] = {&changed};
    struct office_work newer = {types, 1, all_work.groups, all_work.group_count};
    struct site street;
    bool more = true;

    (void)state;
    street_of_before(&street);
    good(db_begin(street.db, &msg));
    good(office_catch_up(&street.o, street.db, TURN, &more, &msg));
    good(db_exec(street.db, "UPDATE case_file SET item_name = 'mark' /* full scan */", &msg));
    good(db_commit(street.db, &msg));
    close_site(&street);
    changed = *cases_only[0];
    changed.fold_version++;
    open_site(&street, STREET, &newer);
    for (more = true; more;) {
        good(db_begin(street.db, &msg));
        good(office_catch_up(&street.o, street.db, TURN, &more, &msg));
        good(db_commit(street.db, &msg));
    }
    assert_int_equal(COUNT(&street, "case_file WHERE item_name = 'mark'"), 0);
    assert_int_equal(COUNT(&street, "case_file"), 1);
    close_site(&street);
}

static void it_is_as_if_it_had_been_known_always(void **state)
{
    struct site street;
    char caught_up[65], anew[65];
    bool more = true;

    (void)state;
    street_of_before(&street);
    close_site(&street);
    open_site(&street, STREET, &all_work);
    while (more) {
        good(db_begin(street.db, &msg));
        good(office_catch_up(&street.o, street.db, TURN, &more, &msg));
        good(db_commit(street.db, &msg));
    }
    good(db_begin(street.db, &msg));
    good(office_digest(&street.o, street.db, caught_up, &msg));
    good(office_rebuild(&street.o, street.db, &msg));
    good(office_digest(&street.o, street.db, anew, &msg));
    good(db_rollback(street.db, &msg));
    assert_string_equal(caught_up, anew);
    close_site(&street);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_known_is_kept_and_nobodys_work, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_newer_program_reads_it_in_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_known_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fold_that_has_changed_is_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_as_if_it_had_been_known_always, setup, teardown),
    };
    json_use_arenas();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
