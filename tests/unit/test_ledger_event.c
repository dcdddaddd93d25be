/* The encoding of an event: each field, each cut, what is refused; its sums against fixed values
 * (schema/protocol.md 2 lists the same). */
#include "base/crypto.h"
#include "ledger/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STREET "331002003000"
#define NODE "331002003901"

#define VECTOR_D "029244e30fad41fc18614897dc8e73efc0e6a3ad473484fb6c805c85786584bb"
#define VECTOR_CORE "15142720a20e82c7605b8aa07323527f8599a8d0ca3e0a1b015de9f241feacdf"
#define VECTOR_ID "15142720a20e82c7605b8aa07323527f"
#define VECTOR_HASH "32510e9f6089eaa762388c2c57280fe244160b512cfd8e1dfe45e92bf7bf69d1"
#define VECTOR_SIGNATURE                                                                           \
    "d4e024556bc2df127ee4359d91844fcc7dc52e16c8560cff82aa3f802b17789b"                             \
    "85a06a0c109adfe906847dcc9966553b31bd868cbe0aa02317071c389023c10a"
#define VECTOR_ENCODING "c6aaac87dde1b22b9557f65bd4821a5c128693cad18040aba7d77360e028a63d"
#define VECTOR_BARE_CORE "f86ed69306e674b08e40eab285b538f970c763481a8ae88d4db5917c9826bf2f"

static struct errmsg msg;
static struct arena *arena;

static const unsigned char salt[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static unsigned char signature[64];

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    for (size_t i = 0; i < sizeof signature; i++)
        signature[i] = (unsigned char)(200 + i);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

/* With everything in it. */
static struct event full(void)
{
    return (struct event){.origin = NODE ".7340912",
                          .seq = 300,
                          .hlc = 1790000000000ULL << 16 | 5,
                          .flags = EVENT_CRITICAL | EVENT_SIGNED | EVENT_PERSONAL,
                          .form = EVENT_FORM_HERE,
                          .kind = "case.filed/1",
                          .dossier = "331002003261124500008",
                          .street = STREET,
                          .actor = "agent.east",
                          .record = "{\"item\":\"x\"}",
                          .record_len = 12,
                          .more = (const unsigned char *)"\0more",
                          .more_len = 5,
                          .personal = "{\"name\":\"李秀兰\"}",
                          .personal_len = 20,
                          .salt = salt,
                          .signature = signature};
}

/* With as little as there can be. */
static struct event bare(void)
{
    return (struct event){.origin = NODE,
                          .seq = 1,
                          .kind = "k",
                          .dossier = "",
                          .street = STREET,
                          .actor = "",
                          .record = "{}",
                          .record_len = 2};
}

static struct event shell(void)
{
    static unsigned char d[32];
    struct event ev = full();

    event_personal_digest(salt, ev.personal, ev.personal_len, d);
    ev.form = EVENT_FORM_DIGEST;
    ev.personal = NULL;
    ev.personal_len = 0;
    ev.salt = NULL;
    ev.personal_digest = d;
    return ev;
}

static void same_text(const char *a, const char *b)
{
    assert_int_equal(!a, !b);
    if (a)
        assert_string_equal(a, b);
}

static void same_bytes(const unsigned char *a, const unsigned char *b, size_t n)
{
    assert_int_equal(!a, !b);
    if (a)
        assert_memory_equal(a, b, n);
}

static void same_event(const struct event *a, const struct event *b)
{
    same_text(a->origin, b->origin);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->hlc, b->hlc);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->form, b->form);
    same_text(a->kind, b->kind);
    same_text(a->dossier, b->dossier);
    same_text(a->street, b->street);
    same_text(a->actor, b->actor);
    assert_int_equal(a->record_len, b->record_len);
    same_text(a->record, b->record);
    assert_int_equal(a->more_len, b->more_len);
    same_bytes(a->more, b->more, a->more_len);
    assert_int_equal(a->personal_len, b->personal_len);
    same_text(a->personal, b->personal);
    same_bytes(a->salt, b->salt, 16);
    same_bytes(a->personal_digest, b->personal_digest, 32);
    same_bytes(a->signature, b->signature, 64);
}

/* Decode bytes; OK only when nothing is left of them. */
static enum err decode(const void *p, size_t n, struct event *ret, struct event_sum *ret_sum)
{
    struct reader r = {p, n, false};
    enum err err = event_decode(&r, arena, ret, ret_sum, &msg);

    return err == OK && r.left ? ERR_CONFLICT : err;
}

static void every_field_comes_back(void **state)
{
    const struct event all[] = {full(), bare(), shell()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf b = {0}, again = {0};
        struct event ev, copy;
        struct event_sum told, made;

        event_encode(&all[i], &b);
        assert_int_equal(decode(b.data, b.len, &ev, &told), OK);
        same_event(&all[i], &ev);
        copy = event_copy(&ev, arena);
        same_event(&all[i], &copy);
        event_encode(&copy, &again);
        assert_int_equal(again.len, b.len);
        assert_memory_equal(again.data, b.data, b.len);
        event_sum(&all[i], &made);
        assert_true(told.made && made.made);
        assert_memory_equal(told.core, made.core, 32);
        assert_memory_equal(told.personal, made.personal, 32);
        /* every cut, and a byte too many */
        for (size_t n = 0; n < b.len; n++)
            assert_int_equal(decode(b.data, n, &ev, NULL), ERR_PEER);
        buf_u8(&b, 0);
        assert_int_equal(decode(b.data, b.len, &ev, NULL), ERR_CONFLICT);
        buf_free(&b);
        buf_free(&again);
    }
}

/* Whatever byte is changed: it is refused, or it is another event. */
static void every_byte_counts(void **state)
{
    const struct event all[] = {full(), bare(), shell()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf b = {0};
        event_encode(&all[i], &b);
        for (size_t at = 0; at < b.len; at++)
            for (int bit = 0; bit < 8; bit++) {
                struct buf again = {0};
                struct event ev;
                b.data[at] ^= (unsigned char)(1 << bit);
                if (decode(b.data, b.len, &ev, NULL) == OK) {
                    event_encode(&ev, &again);
                    assert_int_equal(again.len, b.len);
                    assert_memory_equal(again.data, b.data, b.len);
                }
                b.data[at] ^= (unsigned char)(1 << bit);
                buf_free(&again);
            }
        buf_free(&b);
    }
}

/* Flags, forms and lengths that an encoding of version 2 does not have. Offsets: 0 version, 1
 * flags, 2 form. */
static void what_does_not_agree_is_refused(void **state)
{
    static const struct {
        int what; /* 0 full, 1 bare, 2 shell */
        size_t at;
        unsigned char to;
    } wrong[] = {
        {0, 0, 1},  {0, 0, 3},  {0, 1, 1 | 2}, {1, 1, 4},  {1, 2, 1},
        {0, 2, 0},  {0, 2, 3},  {2, 2, 0},     {1, 1, 8},  {1, 1, 16},
        {1, 1, 32}, {1, 1, 64}, {1, 1, 128},   {0, 1, 15}, {0, 1, 4 | 2 | 128},
    };
    const struct event all[] = {full(), bare(), shell()};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buf b = {0};
        struct event ev;
        event_encode(&all[wrong[i].what], &b);
        b.data[wrong[i].at] = wrong[i].to;
        assert_int_equal(decode(b.data, b.len, &ev, NULL), ERR_PEER);
        buf_free(&b);
    }
}

static enum err decode_lengths(size_t record, size_t personal, size_t more)
{
    struct event ev = full(), out;
    struct buf b = {0};
    char *text = malloc(EVENT_TEXT_BYTES_MAX + 2);

    memset(text, ' ', EVENT_TEXT_BYTES_MAX + 1);
    text[EVENT_TEXT_BYTES_MAX + 1] = 0;
    ev.record = ev.personal = text;
    ev.more = (const unsigned char *)text;
    ev.record_len = record;
    ev.personal_len = personal;
    ev.more_len = more;
    event_encode(&ev, &b);
    enum err err = decode(b.data, b.len, &out, NULL);
    buf_free(&b);
    free(text);
    return err;
}

static void lengths_have_an_end(void **state)
{
    const size_t max = EVENT_TEXT_BYTES_MAX;

    (void)state;
    assert_int_equal(decode_lengths(max - 2, 2, 0), OK);
    assert_int_equal(decode_lengths(2, max - 2, 0), OK);
    assert_int_equal(decode_lengths(max - 2, 3, 0), ERR_PEER);
    assert_int_equal(decode_lengths(max - 1, 2, 0), ERR_PEER);
    assert_int_equal(decode_lengths(max + 1, 2, 0), ERR_PEER);
    assert_int_equal(decode_lengths(1, 2, 0), ERR_PEER);
    assert_int_equal(decode_lengths(2, 1, 0), ERR_PEER);
    assert_int_equal(decode_lengths(2, 2, EVENT_MORE_BYTES_MAX), OK);
    assert_int_equal(decode_lengths(2, 2, EVENT_MORE_BYTES_MAX + 1), ERR_PEER);
}

/* A number that is written longer than it need be would hash otherwise. */
static void numbers_have_one_form(void **state)
{
    struct event ev = bare(), out;
    struct buf b = {0}, longer = {0};
    size_t at = 3 + 1 + 12; /* the seq: 1 */

    (void)state;
    event_encode(&ev, &b);
    assert_int_equal(b.data[at], 1);
    buf_append(&longer, b.data, at);
    buf_append(&longer, "\x81\x00", 2);
    buf_append(&longer, b.data + at + 1, b.len - at - 1);
    assert_int_equal(decode(longer.data, longer.len, &out, NULL), ERR_PEER);
    buf_free(&b);
    buf_free(&longer);
}

static void origins_and_streets(void **state)
{
    static const char *const wrong[] = {"",
                                        "33100200390",
                                        "000000000000",
                                        "331002003901.",
                                        "331002003901.01",
                                        "331002003901.x",
                                        "331002003901x2",
                                        "3310020039012"};
    struct event ev, out;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buf b = {0};
        ev = bare();
        ev.origin = wrong[i];
        event_encode(&ev, &b);
        assert_int_equal(decode(b.data, b.len, &out, NULL), ERR_PEER);
        buf_free(&b);
    }
    ev = bare();
    struct buf b = {0};
    ev.street = "331002003x00";
    event_encode(&ev, &b);
    assert_int_equal(decode(b.data, b.len, &out, NULL), ERR_PEER);
    buf_free(&b);
}

/* They stand in logs and lists as they are: nothing in them ends a line, a word or a quotation. */
static void names_are_plain(void **state)
{
    static const char *const wrong[] = {
        "case.filed/1 x=1", "a\nlevel=error", "a\"b", "a\\b", "\x7f", "\xff\xfe", "\xe9\x9d\xa2"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        for (int field = 0; field < 3; field++) {
            struct event ev = bare(), out;
            struct buf b = {0};
            *(field == 0 ? &ev.kind : field == 1 ? &ev.dossier : &ev.actor) = wrong[i];
            event_encode(&ev, &b);
            assert_int_equal(decode(b.data, b.len, &out, NULL), ERR_PEER);
            buf_free(&b);
        }
}

static void is_hex(const void *p, size_t n, const char *want)
{
    char hex[256];

    hex_encode(p, n, hex);
    assert_string_equal(hex, want);
}

/* The values of schema/protocol.md 2: whoever writes another program checks it by them. */
static void vectors(void **state)
{
    unsigned char seed[32], hash[32], id[16], sig[64], head[32];
    struct event ev = full(), other;
    struct event_sum sum, same;
    struct buf b = {0};

    (void)state;
    memset(seed, 7, sizeof seed);
    event_sum(&ev, &sum);
    event_sign(seed, &sum, sig);
    ev.signature = sig;
    event_encode(&ev, &b);
    crypto_sha256(b.data, b.len, head);
    is_hex(sum.personal, 32, VECTOR_D);
    is_hex(sum.core, 32, VECTOR_CORE);
    event_id(&sum, id);
    is_hex(id, 16, VECTOR_ID);
    memset(hash, 0, 32);
    event_hash(hash, ev.origin, ev.seq, sum.core, hash);
    is_hex(hash, 32, VECTOR_HASH);
    is_hex(sig, 64, VECTOR_SIGNATURE);
    is_hex(head, 32, VECTOR_ENCODING);
    /* the personal part gone, another epoch, another place: the same core, id and signature */
    other = shell();
    other.origin = NODE;
    other.seq = 2;
    event_sum(&other, &same);
    assert_memory_equal(same.core, sum.core, 32);
    /* another site: not */
    other.origin = "331002003902";
    event_sum(&other, &same);
    assert_memory_not_equal(same.core, sum.core, 32);
    ev = bare();
    event_sum(&ev, &sum);
    is_hex(sum.personal, 32, "0000000000000000000000000000000000000000000000000000000000000000");
    is_hex(sum.core, 32, VECTOR_BARE_CORE);
    buf_free(&b);
}

/* Each thing that is hashed changes the core; form, place and signature do not. */
static void the_core_holds_what_was_said(void **state)
{
    struct event_sum before, after;
    const struct event plain = full();

    (void)state;
    event_sum(&plain, &before);
#define CHANGED(field, value)                                                                      \
    do {                                                                                           \
        struct event ev = plain;                                                                   \
        ev.field = value;                                                                          \
        event_sum(&ev, &after);                                                                    \
        assert_memory_not_equal(before.core, after.core, 32);                                      \
    } while (0)
    CHANGED(flags, EVENT_SIGNED | EVENT_PERSONAL);
    CHANGED(hlc, plain.hlc + 1);
    CHANGED(kind, "case.filed/2");
    CHANGED(dossier, "331002003261124500009");
    CHANGED(street, "331002004000");
    CHANGED(actor, "agent.west");
    CHANGED(record_len, 11);
    CHANGED(more_len, 4);
    CHANGED(personal_len, 19);
    CHANGED(salt, signature);
#undef CHANGED
    struct event ev = plain;
    unsigned char zeros[64] = {0};
    ev.seq = 9;
    ev.signature = zeros;
    event_sum(&ev, &after);
    assert_memory_equal(before.core, after.core, 32);
}

static void signatures(void **state)
{
    unsigned char seed[32], key[32], other[32], sig[64];
    struct event ev = full();
    struct event_sum sum;

    (void)state;
    crypto_keypair(seed, key);
    event_sum(&ev, &sum);
    event_sign(seed, &sum, sig);
    assert_true(event_signed_by(key, &sum, sig));
    sig[9] ^= 1;
    assert_false(event_signed_by(key, &sum, sig));
    sig[9] ^= 1;
    sum.core[0] ^= 1;
    assert_false(event_signed_by(key, &sum, sig));
    sum.core[0] ^= 1;
    crypto_keypair(seed, other);
    assert_false(event_signed_by(other, &sum, sig));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(every_byte_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_agree_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(lengths_have_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_have_one_form, setup, teardown),
        cmocka_unit_test_setup_teardown(origins_and_streets, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(the_core_holds_what_was_said, setup, teardown),
        cmocka_unit_test_setup_teardown(signatures, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
