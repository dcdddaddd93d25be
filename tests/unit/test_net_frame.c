/* A client's WebSocket frame: header and mask as RFC 6455 5.2 and 5.3 have them, at every border of
 * its length. */
#include "net/ws_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    size_t n, header;
} borders[] = {{0, 6},   {1, 6},   {7, 6},     {8, 6},      {9, 6},      {125, 6},
               {126, 8}, {127, 8}, {65535, 8}, {65536, 14}, {300001, 14}};

static unsigned char letter(size_t i)
{
    return (unsigned char)(i * 131 + i / 256);
}

static void header_and_mask(void **state)
{
    (void)state;
    for (size_t b = 0; b < sizeof borders / sizeof borders[0]; b++) {
        size_t n = borders[b].n, header;
        unsigned char *room = malloc(WS_FRAME_HEADER_MAX + n), *p = room + WS_FRAME_HEADER_MAX, *h,
                      *key;
        uint64_t len;
        for (size_t i = 0; i < n; i++)
            p[i] = letter(i);
        header = ws_frame(p, n, b % 2);
        h = p - header;
        key = p - 4;
        assert_int_equal(header, borders[b].header);
        assert_int_equal(h[0], b % 2 ? 0x82 : 0x81);
        assert_true(h[1] & 0x80);
        len = h[1] & 0x7f;
        if (len >= 126) {
            size_t bytes = len == 126 ? 2 : 8;
            len = 0;
            for (size_t i = 0; i < bytes; i++)
                len = len << 8 | h[2 + i];
        }
        assert_int_equal(len, n);
        for (size_t i = 0; i < n; i++)
            if ((p[i] ^ key[i % 4]) != letter(i))
                fail_msg("byte %zu of %zu", i, n);
        free(room);
    }
}

static void every_frame_has_a_key_of_its_own(void **state)
{
    unsigned char room[2][WS_FRAME_HEADER_MAX + 1];
    int same = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 2; k++)
            ws_frame(room[k] + WS_FRAME_HEADER_MAX, 1, true);
        same += !memcmp(room[0] + WS_FRAME_HEADER_MAX - 4, room[1] + WS_FRAME_HEADER_MAX - 4, 4);
    }
    assert_true(same < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_and_mask),
        cmocka_unit_test(every_frame_has_a_key_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
