/* SPDX-License-Identifier: Apache-2.0
 * Records of anything under keys of every suite: the first byte chooses suite, version and encrypt-then-MAC, the rest
 * is records of three bytes of orders (what to do, size) and a fragment. Sizes stay in bounds, a forged record opens
 * nothing, errors leave the opener where it was. */
#include "base/assert.h"
#include "base/err.h"
#include "wire/tls_open.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t SUITES[] = {0x1301, 0x1302, 0x1303, 0x1305, 0xc02f, 0xcca8, 0xc0a0, 0xc060,
                                  0x002f, 0x003c, 0x000a, 0x0005, 0x0002, 0x0003, 0x0006, 0x0041};

static bool open_by(struct tls_opener *o, struct tls_open_pool *pool, uint8_t choice, uint8_t more)
{
    static const uint8_t secret[48] = {1, 2, 3};
    const struct tls_suite *suite = tls_suite_find(SUITES[choice % 16]);
    if (suite->is_tls13)
        return tls_opener_init_13(o, pool, suite, span_of(secret, tls_hash_size((enum tls_hash)suite->prf))) == 0;
    return tls_opener_init_12(o, pool,
                              &(struct tls_opener_params){.suite = suite,
                                                          .version = (uint16_t)(0x0300 + more % 4),
                                                          .is_etm = more & 4,
                                                          .is_server = more & 8,
                                                          .master = span_of(secret, 48),
                                                          .client_random = span_of(secret, 32),
                                                          .server_random = span_of(secret, 32)}) == 0;
}

static void try_one(struct tls_opener *o, uint8_t order, struct tls_record record, struct span fragment)
{
    /* of its own size each: a byte too much is seen */
    uint8_t *out = malloc(fragment.size ? fragment.size : 1);
    struct tls_opened opened = {0};
    uint64_t before = o->seq;
    int rc = order % 4 == 0 ? tls_opener_open(o, &record, fragment, out, &opened)
                            : tls_opener_resync(o, &record, fragment, order, out, &opened);
    ASSERT(rc == E_OK || rc == E_DENIED || rc == E_BAD);
    ASSERT(rc == E_OK ? o->seq > before : o->is_etm || o->seq == before);
    ASSERT(rc != E_OK || (opened.data.at >= out && opened.data.at + opened.data.size <= out + fragment.size));
    ASSERT(rc != E_OK || opened.data.size <= fragment.size);
    free(out);
}

static void measure_one(struct tls_opener *o, uint8_t order, struct tls_record record, struct span fragment)
{
    struct tls_skipped skipped;
    size_t tail = order & 8 ? fragment.size : fragment.size / 2;
    record.length += order & 16 ? 100u : 0;
    if (tls_opener_skip(o, &record, span_from(fragment, fragment.size - tail), &skipped) == 0)
        ASSERT(skipped.min <= skipped.max && skipped.max <= record.length);
}

static void peek_one(struct tls_opener *o, uint8_t order, struct tls_record record, struct span fragment)
{
    struct span plain;
    size_t from = order, size = order * 3u;
    uint8_t *out = malloc(size + 32);
    if (tls_opener_peek(o, &record, fragment, from, size, out, &plain) == 0)
        ASSERT(plain.size == size && plain.at >= out && plain.at + plain.size <= out + size + 32);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_open_pool *pool;
    struct tls_opener o = {0};
    struct reader r = reader_of(span_of(data, size));
    uint8_t choice = reader_u8(&r), more = reader_u8(&r);
    if (!pool)
        pool = tls_open_pool_new(16);
    if (!open_by(&o, pool, choice, more))
        return 0;
    while (r.left.size > 3) {
        uint8_t order = reader_u8(&r);
        size_t want = reader_u16(&r) % 2048u;
        struct span fragment = reader_span(&r, want < r.left.size ? want : r.left.size);
        const struct tls_record record = {(uint8_t)(20 + order % 5), o.version < 0x0303 ? o.version : 0x0303,
                                          fragment.size};
        if (order % 4 < 2)
            try_one(&o, order, record, fragment);
        else if (order % 4 == 2)
            measure_one(&o, order, record, fragment);
        else
            peek_one(&o, order, record, fragment);
        if (order == 255)
            tls_opener_update(&o);
    }
    tls_opener_close(&o);
    return 0;
}
