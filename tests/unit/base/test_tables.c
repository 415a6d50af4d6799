/* SPDX-License-Identifier: Apache-2.0
 * Map, pool, arena, ring. */
#include "base/arena.h"
#include "base/fifo.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/reserve.h"
#include "base/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "support/random.h"

static void count_evicted(void *ctx, const void *key, void *value)
{
    (void)value;
    uint32_t *last = ctx;
    memcpy(last, key, sizeof *last);
}

static void map_evicts_the_oldest(void **state)
{
    (void)state;
    struct map *m = map_new(sizeof(uint32_t), sizeof(uint64_t), 3, 7);
    uint32_t gone = 0;
    bool is_new;
    map_on_evict(m, count_evicted, &gone);
    for (uint32_t k = 1; k <= 3; k++) {
        *(uint64_t *)map_touch(m, &k, &is_new) = k * 10;
        assert_true(is_new);
    }
    uint32_t one = 1, four = 4, two = 2;
    assert_int_equal(*(uint64_t *)map_touch(m, &one, &is_new), 10); /* 2 is the oldest now */
    assert_false(is_new);
    map_touch(m, &four, &is_new);
    assert_int_equal(gone, 2);
    assert_null(map_find(m, &two));
    assert_int_equal(map_size(m), 3);
    assert_int_equal(map_evicted(m), 1);
    map_free(m);
}

/* Against a plain array as the model: random touches and removals. */
static void map_follows_a_model(void **state)
{
    (void)state;
    enum { KEYS = 200 };
    struct map *m = map_new(sizeof(uint32_t), sizeof(uint32_t), KEYS, 1);
    uint32_t model[KEYS] = {0}, n = 0, seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t key = (seed >> 8) % KEYS;
        bool is_new;
        if (seed & 0x80000000u) {
            n -= model[key] != 0;
            model[key] = 0;
            map_remove(m, &key);
        } else {
            uint32_t *value = map_touch(m, &key, &is_new);
            assert_int_equal(is_new, model[key] == 0);
            n += is_new;
            model[key] = *value = seed | 1;
        }
        assert_int_equal(map_size(m), n);
    }
    uint32_t at = UINT32_MAX, seen = 0;
    const void *key;
    void *value;
    while (map_walk(m, &at, &key, &value)) {
        uint32_t k;
        memcpy(&k, key, sizeof k);
        assert_int_equal(*(uint32_t *)value, model[k]);
        seen++;
        map_remove(m, key); /* removing the entry just handed out is allowed */
    }
    assert_int_equal(seen, n);
    assert_int_equal(map_size(m), 0);
    map_free(m);
}

/* A table that grows, fills and then makes room at each new key: what is kept is what was used last, and it is found. Keys of
 * other kinds than 16 bytes take other ways to the hash and the comparison. */
static void check_order(size_t key_size, uint32_t max, uint32_t keys)
{
    struct map *m = map_new(key_size, sizeof(uint64_t), max, 5);
    uint64_t *used = calloc(keys, sizeof *used), random = key_size; /* when; 0: not kept */
    uint32_t n = 0, hits = 0;
    for (uint64_t now = 1; now < 6 * (uint64_t)keys; now++) {
        uint32_t k = (uint32_t)(random_uniform(&random) * keys);
        uint8_t key[24] = {(uint8_t)k, (uint8_t)(k >> 8), (uint8_t)(k >> 16)};
        bool is_new;
        if (random_uniform(&random) < .1) {
            assert_int_equal(map_find(m, key) != NULL, used[k] != 0);
            map_remove(m, key);
            n -= used[k] != 0;
            used[k] = 0;
            continue;
        }
        uint64_t *value = map_touch(m, key, &is_new);
        assert_int_equal(is_new, used[k] == 0);
        assert_int_equal(*value, used[k]);
        n += is_new;
        hits += !is_new;
        *value = used[k] = now;
        if (n <= max)
            continue;
        uint32_t oldest = 0;
        for (uint32_t i = 0; i < keys; i++)
            if (used[i] && (!used[oldest] || used[i] < used[oldest]))
                oldest = i;
        used[oldest] = 0;
        n--;
    }
    assert_int_equal(map_size(m), n);
    assert_true(hits > 0);
    if (max < keys)
        assert_true(map_evicted(m) > 0);
    free(used);
    map_free(m);
}

static void map_grows_and_keeps_order(void **state)
{
    (void)state;
    for (uint32_t max = 1; max <= 40; max++)
        check_order(4, max, 60);
    check_order(16, 700, 1000);
    check_order(24, 1500, 2000);
    check_order(8, 5000, 5000);
    check_order(3, 1000, 1100);
}

/* Against the times of putting: the last of an id is found as long as less than 'max' were put since, also where all ids
 * fall into one bucket. */
static void check_fifo(uint32_t max, uint32_t ids, bool one_bucket)
{
    struct fifo *f = fifo_new(sizeof(uint64_t), max);
    uint64_t *put = calloc(ids, sizeof *put), random = max; /* when; 0: never */
    for (uint64_t now = 1; now < 5 * (uint64_t)ids; now++) {
        uint32_t k = (uint32_t)(random_uniform(&random) * ids), asked = (uint32_t)(random_uniform(&random) * ids);
        uint8_t id[16] = {one_bucket ? 7 : (uint8_t)k, one_bucket ? 0 : (uint8_t)(k >> 8), [8] = (uint8_t)k, (uint8_t)(k >> 8)};
        uint64_t *value = fifo_put(f, id);
        assert_int_equal(*value, 0);
        *value = put[k] = now;
        id[0] = one_bucket ? 7 : (uint8_t)asked;
        id[1] = one_bucket ? 0 : (uint8_t)(asked >> 8);
        id[8] = (uint8_t)asked;
        id[9] = (uint8_t)(asked >> 8);
        value = fifo_find(f, id);
        assert_int_equal(value != NULL, put[asked] && now - put[asked] < max);
        if (value)
            assert_int_equal(*value, put[asked]);
    }
    free(put);
    fifo_free(f);
}

static void fifo_keeps_the_last(void **state)
{
    (void)state;
    check_fifo(1, 3, false);
    check_fifo(64, 100, false);
    check_fifo(64, 100, true);
    check_fifo(4096, 6000, false);
    check_fifo(16384, 5000, false);
}

static void pool_gives_back(void **state)
{
    (void)state;
    struct pool *p = pool_new(40, 2);
    void *a = pool_take(p), *b = pool_take(p);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
    assert_null(pool_take(p));
    pool_give(p, a);
    assert_ptr_equal(pool_take(p), a);
    assert_int_equal(pool_used(p), 2);
    pool_free(p);
}

static void arena_rewinds(void **state)
{
    (void)state;
    uint8_t memory[32];
    struct arena a;
    arena_init(&a, memory, sizeof memory);
    assert_true(span_eq(arena_copy(&a, SPAN("abc")), SPAN("abc")));
    size_t mark = arena_mark(&a);
    assert_non_null(arena_alloc(&a, 16));
    assert_null(arena_alloc(&a, 16));
    assert_true(a.is_full);
    arena_rewind(&a, mark);
    assert_false(a.is_full);
    assert_non_null(arena_alloc(&a, 24));
}

/* Small, and with huge pages asked for from an address that begins no page. */
static void reserve_gives_zeroes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4096, 22000, (size_t)5 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *at = reserve(sizes[i], 3);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 64, 0);
        assert_int_equal(at[0] | at[3 * sizes[i] / 2] | at[3 * sizes[i] - 1], 0);
        at[3 * sizes[i] - 1] = 1;
        reserve_free(at, sizes[i], 3);
    }
    assert_null(reserve(SIZE_MAX / 2, 3));
    assert_null(reserve((size_t)1 << 46, 2)); /* more than there is room for addresses */
    reserve_free(NULL, 5, 3);
}

static void ring_keeps_order(void **state)
{
    (void)state;
    struct ring *r = ring_new(sizeof(int), 4);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            assert_true(ring_push(r, &(int){round * 4 + i}, sizeof(int)));
        assert_false(ring_push(r, &(int){0}, sizeof(int)));
        assert_int_equal(ring_used(r), 4);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(*(const int *)ring_front(r), round * 4 + i);
            ring_pop(r);
        }
        assert_null(ring_front(r));
    }
    ring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reserve_gives_zeroes), cmocka_unit_test(map_evicts_the_oldest), cmocka_unit_test(map_follows_a_model),
                                       cmocka_unit_test(map_grows_and_keeps_order), cmocka_unit_test(fifo_keeps_the_last),
                                       cmocka_unit_test(pool_gives_back), cmocka_unit_test(arena_rewinds),
                                       cmocka_unit_test(ring_keeps_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
