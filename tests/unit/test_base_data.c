/* JSON, buffers, digests, deflate, times, problems: what they promise and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/deflate.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/time.h"

#include <math.h>
#include <string.h>

static void canonical_is(const char *in, const char *expect)
{
    struct json *j;
    struct buf out = {0};

    assert_int_equal(json_parse(in, strlen(in), &j, NULL), OK);
    json_canonical(j, &out);
    assert_string_equal(buf_text(&out), expect);
    buf_free(&out);
    json_free(j);
}

/* RFC 8785, 3.2.2 and 3.2.3. */
static void json_is_canonical(void **state)
{
    (void)state;
    canonical_is("{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
                 "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
                 "\"literals\":[null,true,false]}",
                 "{\"literals\":[null,true,false],"
                 "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                 "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    canonical_is("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,"
                 "\"\\u0080\":6,\"\\u00f6\":7}",
                 "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
                 "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
    canonical_is("[0.0,-0.0,5e-324,1.7976931348623157e308,9007199254740992.0,"
                 "1e21,1e-6,1e-7,-1.5,100.0,9223372036854775807]",
                 "[0,0,5e-324,1.7976931348623157e+308,9007199254740992,"
                 "1e+21,0.000001,1e-7,-1.5,100,9223372036854775807]");
}

static void json_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"a\":1,\"a\":2}",
                                      "[1] x",
                                      "\"\xff\"",
                                      "[1e999]",
                                      "[295147905179352830000.0]",
                                      "{\"n\":1E20}",
                                      "{\"a\":\"\\u0000\"}",
                                      "nul"};
    struct json *j = NULL;
    struct errmsg e;
    char deep[131] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(json_parse(bad[i], strlen(bad[i]), &j, &e), ERR_INVALID);
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    assert_int_equal(json_parse(deep, 130, &j, &e), ERR_INVALID);
    assert_int_equal(json_parse(deep + 1, 128, &j, &e), OK);
    json_free(j);
}

static void json_members(void **state)
{
    struct json *o = json_object(), *a = json_array(), *c;
    int n = 0;

    (void)state;
    json_set_text(o, "name", "\xe5\xbc\xa0");
    json_set_text(o, "none", NULL);
    json_set_int(o, "n", INT64_MIN);
    json_set_bool(o, "b", true);
    json_push_text(a, "x");
    json_push(a, json_null());
    json_set(o, "list", a);
    assert_string_equal(json_get_text(o, "name"), "\xe5\xbc\xa0");
    assert_null(json_get(o, "none"));
    assert_null(json_get_text(o, "n"));
    assert_true(json_get_int(o, "n", 0) == INT64_MIN);
    assert_int_equal(json_get_int(o, "name", 7), 7);
    assert_true(json_get_bool(o, "b", false));
    assert_int_equal(json_count(json_get(o, "list")), 2);
    assert_null(json_at(a, 2));
    assert_null(json_get(NULL, "x"));
    assert_true(json_is_null(json_at(a, 1)) && json_is_array(a) && json_is_object(o));
    c = json_copy(o);
    json_del(o, "list");
    assert_null(json_get(o, "list"));
    assert_int_equal(json_count(json_get(c, "list")), 2); /* a copy is deep */
    for (void *i = json_iter(c); i; i = json_iter_next(c, i), n++)
        assert_non_null(json_iter_value(i));
    assert_int_equal(n, 4);
    json_free(c);
    json_free(o);
}

static void buffers(void **state)
{
    static const uint64_t values[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    struct buf b = {0};
    struct reader r;
    unsigned char over[] = {0x80, 0x00},
                  long_[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};

    (void)state;
    buf_u8(&b, 200);
    buf_u16(&b, 0x1234);
    buf_u32(&b, 0xdeadbeef);
    buf_u64(&b, UINT64_MAX - 1);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        buf_varint(&b, values[i]);
    buf_puts(&b, "end");
    r = (struct reader){b.data, b.len, false};
    assert_int_equal(reader_u8(&r), 200);
    assert_int_equal(reader_u16(&r), 0x1234);
    assert_true(reader_u32(&r) == 0xdeadbeef);
    assert_true(reader_u64(&r) == UINT64_MAX - 1);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_true(reader_varint(&r) == values[i]);
    assert_memory_equal(reader_bytes(&r, 3), "end", 3);
    assert_false(r.bad);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.bad);
    r = (struct reader){over, sizeof over, false};
    reader_varint(&r);
    assert_true(r.bad);
    r = (struct reader){long_, sizeof long_, false};
    reader_varint(&r);
    assert_true(r.bad);
    buf_consume(&b, b.len - 3);
    assert_string_equal(buf_text(&b), "end");
    buf_printf(&b, "-%d", 42);
    assert_string_equal(buf_text(&b), "end-42");
    buf_free(&b);
}

static void sha1_vectors(void **state)
{
    (void)state;
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const struct {
        const char *text, *hex;
    } vector[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {two, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct sha1 *s = sha1_create();
        unsigned char out[20];
        char hex[41];
        for (const char *p = vector[i].text; *p; p++)
            sha1_update(s, p, 1);
        sha1_final(s, out);
        sha1_destroy(s);
        hex_encode(out, 20, hex);
        assert_string_equal(hex, vector[i].hex);
    }
}

static void digests(void **state)
{
    unsigned char out[32], more[32], seed[32], pub[32], sig[64], salt[16] = {0};
    struct sha256 *s = sha256_create(), *c;
    struct buf b = {0};
    char hex[65];

    (void)state;
    crypto_sha256("abc", 3, out);
    hex_encode(out, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_update(s, "ab", 2);
    c = sha256_clone(s);
    sha256_update(c, "c", 1);
    sha256_final(c, more);
    assert_true(crypto_equal(out, more, 32));
    sha256_destroy(c);
    sha256_destroy(s);
    assert_true(hex_decode(hex, more, 32) && !hex_decode(hex, more, 31));
    crypto_hmac("key", 3, "The quick brown fox jumps over the lazy dog", 43, out);
    hex_encode(out, 32, hex);
    assert_string_equal(hex, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    base64url_encode("\xfb\xff\x00z", 4, &b);
    assert_string_equal(buf_text(&b), "-_8Aeg");
    buf_reset(&b);
    assert_true(base64url_decode("-_8Aeg", 6, &b) && b.len == 4);
    assert_false(base64url_decode("-_8Aeh", 6, &b));
    assert_false(base64url_decode("A", 1, &b));
    assert_false(base64url_decode("+A", 2, &b));
    buf_reset(&b);
    assert_true(base64_decode("YWI=", 4, &b) && b.len == 2);
    buf_free(&b);
    /* RFC 8032, 7.1, test 1 */
    assert_true(
        hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32));
    crypto_public(seed, pub);
    hex_encode(pub, 32, hex);
    assert_string_equal(hex, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    crypto_sign(seed, "m", 1, sig);
    assert_true(crypto_verify(pub, "m", 1, sig));
    assert_false(crypto_verify(pub, "n", 1, sig));
    crypto_scrypt("secret", salt, out);
    crypto_scrypt("secreT", salt, more);
    assert_false(crypto_equal(out, more, 32));
}

static void streams(void **state)
{
    static const char dict[] = "{\"item\":\"case.filed/1\"}";
    struct deflater *d = deflater_create(6, dict, sizeof dict - 1);
    struct inflater *i = inflater_create(dict, sizeof dict - 1);
    struct buf packed = {0}, out = {0}, big = {0};

    (void)state;
    deflater_run(d, dict, sizeof dict - 1, &packed);
    assert_true(packed.len < sizeof dict - 1); /* the dictionary is at work */
    assert_int_equal(inflater_run(i, packed.data, packed.len, &out, sizeof dict - 1), OK);
    assert_memory_equal(out.data, dict, sizeof dict - 1);
    for (unsigned n = 0; n < 200000; n++)
        buf_u8(&big, (n * n >> 7) & 0xff);
    for (int turn = 0; turn < 3; turn++) {
        buf_reset(&packed);
        buf_reset(&out);
        deflater_run(d, big.data, big.len, &packed);
        assert_int_equal(inflater_run(i, packed.data, packed.len, &out, big.len), OK);
        assert_int_equal(out.len, big.len);
        assert_memory_equal(out.data, big.data, big.len);
    }
    buf_reset(&packed);
    buf_reset(&out);
    deflater_run(d, dict, sizeof dict - 1, &packed);
    assert_int_equal(inflater_run(i, packed.data, packed.len, &out, sizeof dict - 2), ERR_PEER);
    assert_int_equal(out.len, 0);
    assert_int_equal(inflater_run(i, packed.data, packed.len, &out, 1000), ERR_PEER);
    inflater_destroy(i);
    i = inflater_create(NULL, 0);
    assert_int_equal(inflater_run(i, "\xff\xff\xff", 3, &out, 1000), ERR_PEER);
    inflater_destroy(i);
    deflater_destroy(d);
    buf_free(&packed);
    buf_free(&out);
    buf_free(&big);
}

/* Each piece is whole when it has come, whatever its size, and small ones cost little more than what
 * is new in them. */
static void streams_of_pieces(void **state)
{
    struct deflater *d = deflater_create(3, NULL, 0);
    struct inflater *i = inflater_create(NULL, 0);
    struct buf piece = {0}, packed = {0}, out = {0};
    uint32_t dice = 7;
    size_t last = 0;

    (void)state;
    for (int turn = 0; turn < 3000; turn++) {
        size_t n = turn % 50 == 49 ? 4000 + dice % 9000 : 1 + dice % 500;
        buf_reset(&piece);
        buf_reset(&packed);
        buf_reset(&out);
        for (size_t k = 0; k < n; k++) {
            dice = dice * 1664525u + 1013904223u;
            buf_u8(&piece, turn % 3 && k % 40 ? k & 63 : dice >> 24);
        }
        deflater_run(d, piece.data, n, &packed);
        assert_int_equal(inflater_run(i, packed.data, packed.len, &out, n), OK);
        assert_int_equal(out.len, n);
        assert_memory_equal(out.data, piece.data, n);
    }
    for (int turn = 0; turn < 10; turn++) { /* the same again: a match, and the end of the block */
        buf_reset(&packed);
        deflater_run(d, "the same again and again", 24, &packed);
        last = packed.len;
    }
    assert_true(last <= 6);
    deflater_destroy(d);
    inflater_destroy(i);
    buf_free(&piece);
    buf_free(&packed);
    buf_free(&out);
}

static void times(void **state)
{
    char text[32];
    int64_t ms;
    int days;

    (void)state;
    time_rfc3339(0, text);
    assert_string_equal(text, "1970-01-01T08:00:00.000+08:00");
    assert_true(time_parse_rfc3339("2026-01-05T09:30:00.123+08:00", &ms));
    time_rfc3339(ms, text);
    assert_string_equal(text, "2026-01-05T09:30:00.123+08:00");
    time_yymmdd(ms, text);
    assert_string_equal(text, "260105");
    assert_true(time_parse_rfc3339("2024-02-29T16:00:00Z", &ms));
    time_date(ms, text);
    assert_string_equal(text, "2024-03-01");
    assert_true(time_parse_date("1900-01-01", &days));
    time_date_of_days(days, text);
    assert_string_equal(text, "1900-01-01");
    assert_false(time_parse_date("1900-02-29", &days));
    assert_false(time_parse_date("2026-1-05", &days));
    assert_false(time_parse_date("2026-01-05x", &days));
    assert_true(time_parse_date("2026-11-23", &days));
    assert_int_equal(time_weekday(days), 1);
    assert_int_equal(time_days(time_start_of_day(days)), days);
    assert_int_equal(time_days(time_start_of_day(days) - 1), days - 1);
    for (int d = -800000; d < 800000; d += 397) {
        time_date_of_days(d, text);
        if (d > -719000)
            assert_true(time_parse_date(text, &days) && days == d);
    }
}

static void problems(void **state)
{
    struct problem p;
    struct errmsg e;
    char longer[601] = {0};
    struct arena *a = arena_create();

    (void)state;
    for (int i = 0; i < 200; i++)
        memcpy(longer + 3 * i, "\xe5\xbc\xa0", 3);
    problem_set(&p, 422, "material-missing", NULL, NULL, NULL, longer, "missing");
    assert_int_equal(strlen(p.zh), 297);
    assert_string_equal(p.field, "");
    for (int i = 0; i < 10; i++)
        problem_allow(&p, "grant");
    assert_int_equal(p.allowed_count, 8);
    problem_set(NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL);
    errmsg_set(&e, "disk full");
    errmsg_wrap(&e, "step %d", 7);
    assert_string_equal(e.text, "step 7: disk full");
    errmsg_set(NULL, "x");
    assert_string_equal(arena_printf(a, "%s-%d", arena_strndup(a, "abc", 2), 5), "ab-5");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(((char *)arena_alloc(a, 100))[99], 0);
    arena_reset(a);
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_canonical),
        cmocka_unit_test(json_refuses),
        cmocka_unit_test(json_members),
        cmocka_unit_test(buffers),
        cmocka_unit_test(digests),
        cmocka_unit_test(sha1_vectors),
        cmocka_unit_test(streams),
        cmocka_unit_test(streams_of_pieces),
        cmocka_unit_test(times),
        cmocka_unit_test(problems),
    };

    return cmocka_run_group_tests_name("base_data", tests, NULL, NULL);
}
