/* SPDX-License-Identifier: Apache-2.0
 * libzstd's streaming interface. Packed at level 3 with a checksum of the content. */
#include "store/zstd_stream.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define LEVEL 3
#define PIECE ((size_t)256 << 10)

struct zstd_source {
    int fd;
    ZSTD_DStream *stream;
    ZSTD_inBuffer in;
    bool is_inside; /* a frame is begun and not at its end */
    uint8_t buffer[PIECE];
};

bool zstd_is_packed(const uint8_t head[ZSTD_HEAD], ssize_t n)
{
    static const uint8_t magic[ZSTD_HEAD] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878, 3.1.1 */
    return n == ZSTD_HEAD && memcmp(head, magic, ZSTD_HEAD) == 0;
}

struct zstd_source *zstd_source_new(int fd)
{
    struct zstd_source *s = malloc(sizeof *s);
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (!s || !stream) {
        free(s);
        ZSTD_freeDStream(stream);
        return NULL;
    }
    s->fd = fd;
    s->stream = stream;
    s->in = (ZSTD_inBuffer){s->buffer, 0, 0};
    s->is_inside = false;
    return s;
}

static ssize_t read_on(int fd, void *to, size_t size)
{
    ssize_t n;
    do
        n = read(fd, to, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? E_IO : n;
}

ssize_t zstd_source_read(struct zstd_source *s, void *to, size_t size)
{
    ZSTD_outBuffer out = {to, size, 0};
    while (out.pos < size) {
        if (s->in.pos == s->in.size) {
            ssize_t n = read_on(s->fd, s->buffer, PIECE);
            if (n < 0)
                return n;
            s->in = (ZSTD_inBuffer){s->buffer, (size_t)n, 0};
            if (n == 0) /* what was unpacked is handed on first; damage is told by the next call */
                return out.pos ? (ssize_t)out.pos : s->is_inside ? E_BAD : 0;
        }
        size_t hint = ZSTD_decompressStream(s->stream, &out, &s->in);
        if (ZSTD_isError(hint))
            return out.pos ? (ssize_t)out.pos : E_BAD;
        s->is_inside = hint != 0;
    }
    return (ssize_t)out.pos;
}

void zstd_source_free(struct zstd_source *s)
{
    if (!s)
        return;
    ZSTD_freeDStream(s->stream);
    free(s);
}

struct zstd_packer {
    int from, to;
    ZSTD_CStream *stream;
    uint8_t in[PIECE], out[PIECE];
};

struct zstd_packer *zstd_packer_new(int from, int to)
{
    struct zstd_packer *p = malloc(sizeof *p);
    ZSTD_CStream *stream = ZSTD_createCStream();
    if (!p || !stream || ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1))) {
        free(p);
        ZSTD_freeCStream(stream);
        return NULL;
    }
    p->from = from;
    p->to = to;
    p->stream = stream;
    return p;
}

static int write_all(int fd, const uint8_t *at, size_t size)
{
    while (size) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n < 0 ? errno : ENOSPC;
            return E_IO;
        }
        at += n;
        size -= (size_t)n;
    }
    return E_OK;
}

static int pack_piece(struct zstd_packer *p, size_t size)
{
    ZSTD_EndDirective end = size ? ZSTD_e_continue : ZSTD_e_end;
    ZSTD_inBuffer in = {p->in, size, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {p->out, PIECE, 0};
        left = ZSTD_compressStream2(p->stream, &out, &in, end);
        if (ZSTD_isError(left)) {
            errno = EIO;
            return E_IO;
        }
        if (write_all(p->to, p->out, out.pos))
            return E_IO;
    } while (size ? in.pos < in.size : left > 0);
    return E_OK;
}

int zstd_packer_step(struct zstd_packer *p, size_t max)
{
    for (size_t done = 0; done < max;) {
        ssize_t n = read_on(p->from, p->in, PIECE);
        if (n < 0 || pack_piece(p, (size_t)n))
            return E_IO;
        if (n == 0)
            return E_OK;
        done += (size_t)n;
    }
    return E_MORE;
}

void zstd_packer_free(struct zstd_packer *p)
{
    if (!p)
        return;
    ZSTD_freeCStream(p->stream);
    free(p);
}
