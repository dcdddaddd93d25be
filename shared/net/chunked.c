/*
 *   SIZE --digits, extension, CRLF--> DATA --left bytes--> DATA_END --CRLF--> SIZE
 *     | size 0
 *     v
 *   TRAILER --lines, an empty one--> DONE
 */
#include "net/chunked.h"

#include <stdbool.h>
#include <string.h>

#define LINE_MAX_BYTES 4096 /* of a size with its extension, or of all trailers together */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* One character of "SIZE[;extension]CRLF". false: it cannot stand here. */
static bool size_char(struct chunked *c, char ch)
{
    int digit = hex_value(ch);

    if (++c->line > LINE_MAX_BYTES)
        return false;
    if (c->extension == 2) { /* CR was there */
        if (ch != '\n' || !c->digits)
            return false;
        c->state = c->left ? CHUNKED_DATA : CHUNKED_TRAILER;
        c->line = 0;
        c->extension = 0;
    } else if (ch == '\r') {
        c->extension = 2;
    } else if (c->extension == 1) {
        return ch != '\n' && ((unsigned char)ch >= 0x20 || ch == '\t');
    } else if (ch == ';' || ch == ' ' || ch == '\t') {
        c->extension = 1;
    } else {
        if (digit < 0 || ++c->digits > 15)
            return false;
        c->left = c->left * 16 + (unsigned)digit;
    }
    return true;
}

/* digits: of the line so far, 0 at its beginning; extension 2: CR was there. */
static bool trailer_char(struct chunked *c, char ch)
{
    if (++c->line > LINE_MAX_BYTES)
        return false;
    if (c->extension == 2) {
        if (ch != '\n')
            return false;
        c->extension = 0;
        if (!c->digits)
            c->state = CHUNKED_DONE;
        c->digits = 0;
    } else if (ch == '\r') {
        c->extension = 2;
    } else {
        c->digits++;
        return ch != '\n' && ((unsigned char)ch >= 0x20 || ch == '\t');
    }
    return true;
}

static bool data_end_char(struct chunked *c, char ch)
{
    if (ch != (c->line ? '\n' : '\r'))
        return false;
    if (c->line++)
        memset(c, 0, sizeof *c); /* the next size */
    return true;
}

enum chunked_got chunked_next(struct chunked *c, const char *p, size_t n, size_t *ret_used,
                              const char **ret_body, size_t *ret_len)
{
    size_t i = 0;

    while (i < n && c->state != CHUNKED_DONE) {
        bool good = true;
        if (c->state == CHUNKED_DATA) {
            size_t take = n - i < c->left ? n - i : (size_t)c->left;
            *ret_body = p + i;
            *ret_len = take;
            c->left -= take;
            if (!c->left) {
                c->state = CHUNKED_DATA_END;
                c->line = 0;
            }
            *ret_used = i + take;
            return CHUNKED_BODY;
        }
        if (c->state == CHUNKED_SIZE) {
            good = size_char(c, p[i]);
            if (good && c->state == CHUNKED_TRAILER)
                c->digits = 0;
        } else if (c->state == CHUNKED_DATA_END) {
            good = data_end_char(c, p[i]);
        } else {
            good = trailer_char(c, p[i]);
        }
        i++;
        if (!good)
            return CHUNKED_BAD;
    }
    *ret_used = i;
    return c->state == CHUNKED_DONE ? CHUNKED_END : CHUNKED_MORE;
}
