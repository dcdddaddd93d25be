/* District -> street -> community: certificates that hold, and those that do not. */
#include "net/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct errmsg msg;

struct authority {
    struct buf key, cert;
};

static void good(enum err err)
{
    if (err != OK)
        fail_msg("%s", msg.text);
}

static void root(struct authority *a, const char *cn)
{
    memset(a, 0, sizeof *a);
    pki_new_key(&a->key);
    good(pki_new_ca(buf_text(&a->key), cn, &a->cert, &msg));
}

static void issue(struct authority *by, const char *cn, bool is_ca, int days, struct authority *ret)
{
    struct buf csr = {0};

    memset(ret, 0, sizeof *ret);
    pki_new_key(&ret->key);
    good(pki_request(buf_text(&ret->key), "a name that counts for nothing", &csr, &msg));
    struct pki_issue in = {buf_text(&by->key),
                           buf_text(&by->cert),
                           buf_text(&csr),
                           cn,
                           is_ca,
                           "DNS:localhost,IP:127.0.0.1",
                           days};
    good(pki_issue(&in, &ret->cert, &msg));
    buf_free(&csr);
}

static void drop(struct authority *a)
{
    buf_free(&a->key);
    buf_free(&a->cert);
}

static void the_tree_holds(void **state)
{
    struct authority district, street, node, other;
    char cn[32], one[65], two[65];

    (void)state;
    root(&district, "331002000000");
    root(&other, "331002000000");
    issue(&district, "331002003000", true, 30, &street);
    issue(&street, "331002003901", false, 30, &node);
    good(pki_common_name(buf_text(&node.cert), cn, sizeof cn, &msg));
    assert_string_equal(cn, "331002003901");
    good(pki_check(buf_text(&node.cert), buf_text(&street.cert), buf_text(&district.cert), &msg));
    /* without the street's certificate, and under another authority of the same name */
    assert_int_equal(pki_check(buf_text(&node.cert), "", buf_text(&district.cert), &msg),
                     ERR_DENIED);
    assert_int_equal(
        pki_check(buf_text(&node.cert), buf_text(&street.cert), buf_text(&other.cert), &msg),
        ERR_DENIED);
    good(pki_fingerprint(buf_text(&district.cert), one, &msg));
    good(pki_fingerprint(buf_text(&other.cert), two, &msg));
    assert_int_equal(strlen(one), 64);
    assert_string_not_equal(one, two);
    drop(&district);
    drop(&street);
    drop(&node);
    drop(&other);
}

static void a_node_signs_for_nobody(void **state)
{
    struct authority district, node, fake;

    (void)state;
    root(&district, "331002000000");
    issue(&district, "331002003901", false, 30, &node);
    issue(&node, "331002003902", false, 30, &fake);
    assert_int_equal(
        pki_check(buf_text(&fake.cert), buf_text(&node.cert), buf_text(&district.cert), &msg),
        ERR_DENIED);
    drop(&district);
    drop(&node);
    drop(&fake);
}

static void an_expired_one_is_refused_and_says_so(void **state)
{
    struct authority district, node;

    (void)state;
    root(&district, "331002000000");
    issue(&district, "331002003901", false, -1, &node);
    assert_int_equal(pki_check(buf_text(&node.cert), "", buf_text(&district.cert), &msg),
                     ERR_DENIED);
    assert_non_null(strstr(msg.text, "expired"));
    drop(&district);
    drop(&node);
}

static void what_is_no_request_is_refused(void **state)
{
    struct authority district;
    struct buf out = {0};

    (void)state;
    root(&district, "331002000000");
    struct pki_issue in = {buf_text(&district.key),
                           buf_text(&district.cert),
                           "hello",
                           "331002003901",
                           false,
                           NULL,
                           30};
    assert_int_equal(pki_issue(&in, &out, &msg), ERR_INVALID);
    assert_int_equal(out.len, 0);
    drop(&district);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_holds),
        cmocka_unit_test(a_node_signs_for_nobody),
        cmocka_unit_test(an_expired_one_is_refused_and_says_so),
        cmocka_unit_test(what_is_no_request_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
