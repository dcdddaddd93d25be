#include "base/deflate.h"

#include "base/mem.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#define STEP_BYTES 16384

#define SMALL_BYTES 4096

struct deflater {
    z_stream z;
    int level; /* as asked for */
    int now;   /* what z works with */
};

struct inflater {
    z_stream z;
    bool broken;
};

struct deflater *deflater_create(int level, const void *dict, size_t n)
{
    struct deflater *d = mem_alloc(sizeof *d);
    int rc = deflateInit2(&d->z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);

    d->level = d->now = level;
    assert(level >= 1 && level <= 9 && rc == Z_OK && n <= UINT_MAX);
    if (n) {
        rc = deflateSetDictionary(&d->z, dict, (uInt)n);
        assert(rc == Z_OK);
    }
    return d;
}

void deflater_destroy(struct deflater *d)
{
    if (!d)
        return;
    deflateEnd(&d->z);
    mem_free(d);
}

static void room_for(z_stream *z, struct buf *out, size_t room)
{
    buf_reserve(out, room);
    assert(room && room <= UINT_MAX);
    z->next_out = out->data + out->len;
    z->avail_out = (uInt)room;
}

static void deflate_all(z_stream *z, const void *in, size_t n, int flush, struct buf *out)
{
    assert(n <= UINT_MAX);
    z->next_in = (Bytef *)(uintptr_t)in;
    z->avail_in = (uInt)n;
    do {
        int rc;
        room_for(z, out, STEP_BYTES);
        rc = deflate(z, flush);
        assert(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
        out->len += STEP_BYTES - z->avail_out;
    } while (z->avail_out == 0);
    assert(z->avail_in == 0);
}

/* Nothing is pending between two runs: the level can change there. */
static void set_level(struct deflater *d, int level)
{
    unsigned char none[16];

    if (level == d->now)
        return;
    d->z.next_in = d->z.next_out = none;
    d->z.avail_in = 0;
    d->z.avail_out = sizeof none;
    int rc = deflateParams(&d->z, level, Z_DEFAULT_STRATEGY);
    assert(rc == Z_OK && d->z.avail_out == sizeof none);
    d->now = level;
}

void deflater_run(struct deflater *d, const void *in, size_t n, struct buf *out)
{
    set_level(d, n <= SMALL_BYTES ? 9 : d->level);
    deflate_all(&d->z, in, n, Z_PARTIAL_FLUSH, out);
}

struct inflater *inflater_create(const void *dict, size_t n)
{
    struct inflater *i = mem_alloc(sizeof *i);
    int rc = inflateInit2(&i->z, -15);

    assert(rc == Z_OK && n <= UINT_MAX);
    if (n) {
        rc = inflateSetDictionary(&i->z, dict, (uInt)n);
        assert(rc == Z_OK);
    }
    return i;
}

void inflater_destroy(struct inflater *i)
{
    if (!i)
        return;
    inflateEnd(&i->z);
    mem_free(i);
}

enum err inflater_run(struct inflater *i, const void *in, size_t n, struct buf *out, size_t out_max)
{
    size_t start = out->len;

    if (i->broken || n > UINT_MAX)
        goto fail;
    i->z.next_in = (Bytef *)(uintptr_t)in;
    i->z.avail_in = (uInt)n;
    for (;;) {
        /* One byte more than allowed, so that passing the limit is seen. */
        size_t left = out_max - (out->len - start),
               room = left < STEP_BYTES ? left + 1 : STEP_BYTES;
        int rc;
        room_for(&i->z, out, room);
        rc = inflate(&i->z, Z_SYNC_FLUSH);
        out->len += room - i->z.avail_out;
        if (out->len - start > out_max)
            goto fail;
        if (rc != Z_OK && rc != Z_BUF_ERROR) /* the stream never ends, so Z_STREAM_END is wrong */
            goto fail;
        if (i->z.avail_out != 0) {
            if (i->z.avail_in != 0)
                goto fail;
            return OK;
        }
    }
fail:
    i->broken = true;
    out->len = start;
    return ERR_PEER;
}

void gzip_pack(const void *in, size_t n, struct buf *out)
{
    z_stream z = {0};
    int rc = deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);

    assert(rc == Z_OK);
    deflate_all(&z, in, n, Z_FINISH, out);
    deflateEnd(&z);
}

bool gzip_unpack(const void *in, size_t n, struct buf *out, size_t out_max)
{
    z_stream z = {0};
    size_t begin = out->len;
    int rc = inflateInit2(&z, 15 + 16);

    assert(rc == Z_OK && n <= UINT_MAX);
    z.next_in = (Bytef *)in;
    z.avail_in = (uInt)n;
    while (rc == Z_OK && out->len - begin <= out_max) {
        buf_reserve(out, 16384);
        z.next_out = out->data + out->len;
        z.avail_out = 16384;
        rc = inflate(&z, Z_NO_FLUSH);
        out->len += 16384 - z.avail_out;
    }
    inflateEnd(&z);
    return rc == Z_STREAM_END && !z.avail_in && out->len - begin <= out_max;
}
