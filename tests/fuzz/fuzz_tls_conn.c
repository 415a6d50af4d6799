/* SPDX-License-Identifier: Apache-2.0
 * A TLS connection with a key log: the first two bytes are the size of the log, then it, then orders of three bytes (what,
 * size) and their bytes: data, gaps and ends of both directions, secrets, time. Nothing comes out that was not
 * authenticated or is more than came in, time goes forwards, all memory comes back. */
#include "base/assert.h"
#include "flow/tls_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ORDER_DATA, ORDER_GAP, ORDER_FIN, ORDER_KEYS, ORDER_TIME, ORDER_POLL, ORDERS };

struct bench {
    struct tls_conn_pool *pool;
    uint64_t in[2], out[2], ns, now;
    bool is_over[2], is_lazy;
};

static void note(struct bench *b, int direction, uint64_t bytes, uint64_t ns)
{
    ASSERT(b->pool->counts.records > 0 && bytes > 0);
    ASSERT(!b->is_over[direction]);
    ASSERT(ns >= b->ns);
    ASSERT(ns <= b->now);
    b->out[direction] += bytes;
    b->ns = ns;
    ASSERT(b->out[direction] <= b->in[direction]);
}

static void on_data(void *ctx, int direction, struct span bytes, uint64_t ns)
{
    uint8_t sum = 0;
    note(ctx, direction, bytes.size, ns);
    for (size_t i = 0; i < bytes.size; i++) /* all of it can be read */
        sum ^= bytes.at[i];
    ((struct bench *)ctx)->is_lazy ^= sum == 0x55;
}

static void on_gap(void *ctx, int direction, uint64_t bytes, uint64_t ns)
{
    note(ctx, direction, bytes, ns);
}

static void on_fin(void *ctx, int direction, uint64_t ns)
{
    struct bench *b = ctx;
    ASSERT(!b->is_over[direction]);
    ASSERT(ns >= b->ns);
    ASSERT(ns <= b->now);
    b->is_over[direction] = true;
    b->ns = ns;
}

static uint64_t skippable(void *ctx, int direction)
{
    return ((const struct bench *)ctx)->is_lazy && direction ? 100000 : 0;
}

static void add_keys(struct tls_keys *keys, struct span log)
{
    struct tls_keylog_counts counts = {0};
    struct tls_keylog_entry entry;
    struct span line;
    while (span_split(&log, '\n', &line))
        if (tls_keylog_line(line, &counts, &entry))
            tls_keys_add(keys, &entry, 1);
}

static void play(struct bench *b, struct tls_conn *c, struct tls_keys *keys, struct span log, struct reader *r)
{
    while (r->left.size >= 3) {
        uint8_t order = reader_u8(r);
        size_t n = reader_u16(r);
        int direction = order & 1;
        b->now += 1000;
        switch (order / 2 % ORDERS) {
        case ORDER_DATA: {
            struct span bytes = reader_span(r, n < r->left.size ? n : r->left.size);
            b->in[direction] += bytes.size;
            tls_conn_data(c, direction, bytes, b->now);
            break;
        }
        case ORDER_GAP:
            b->in[direction] += n;
            if (n)
                tls_conn_gap(c, direction, n, b->now);
            break;
        case ORDER_FIN: tls_conn_fin(c, direction, b->now); break;
        case ORDER_KEYS: add_keys(keys, log); break;
        case ORDER_TIME: b->now += n * UINT64_C(1000000); break;
        case ORDER_POLL: tls_conn_pool_poll(b->pool, b->now); break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tls_conn_ops ops = {on_data, on_gap, on_fin, skippable, on_gap};
    static struct tls_conn_pool *pool;
    static struct tls_keys *keys;
    struct reader r = reader_of(span_of(data, size));
    size_t n = reader_u16(&r);
    struct span log = reader_span(&r, n < r.left.size ? n : r.left.size);
    if (!pool) {
        keys = tls_keys_new(&(struct tls_keys_limits){.max_connections = 16});
        pool = tls_conn_pool_new(&(struct tls_conn_limits){.max_conns = 2, .max_openers = 3, .hold_mib = 1,
                                                           .wait_ns = UINT64_C(1000000000), .is_fed = true},
                                 &ops, keys);
    }
    struct bench b = {.pool = pool, .now = 1000, .is_lazy = size % 2};
    memset(&pool->counts, 0, sizeof pool->counts);
    struct tls_conn *c = tls_conn_new(pool, &b);
    ASSERT(c);
    play(&b, c, keys, log, &r);
    tls_conn_finish(c, b.now += 1000);
    ASSERT(tls_conn_state(c) != TLS_CONN_FOREIGN || b.out[0] + b.out[1] == 0);
    ASSERT(pool_used(pool->held) == 0 && !pool->wait_first && !pool->wait_last);
    tls_conn_free(c);
    ASSERT(pool_used(pool->conns) == 0 && pool_used(pool->records.blocks) == 0);
    ASSERT(pool_used(pool->messages.small) == 0 && pool_used(pool->messages.large) == 0);
    return 0;
}
