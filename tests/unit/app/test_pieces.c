/* SPDX-License-Identifier: Apache-2.0
 * Lists of pieces against a plain map of bytes, and the cases worth a name. */
#include "app/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those above first */
#include <cmocka.h>

static void table(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t add[6][2];
        uint64_t bytes;
        uint32_t n;
    } cases[] = {
        {"nothing", {{0, 0}}, 0, 0},
        {"an empty piece", {{5, 5}}, 0, 0},
        {"turned around", {{9, 5}}, 0, 0},
        {"one", {{5, 9}}, 4, 1},
        {"twice", {{5, 9}, {5, 9}}, 4, 1},
        {"touching", {{0, 10}, {10, 20}}, 20, 1},
        {"touching from behind", {{10, 20}, {0, 10}}, 20, 1},
        {"a hole", {{0, 10}, {11, 20}}, 19, 2},
        {"the hole filled", {{0, 10}, {11, 20}, {10, 11}}, 20, 1},
        {"overlapping", {{0, 10}, {5, 15}}, 15, 1},
        {"inside", {{0, 100}, {5, 15}}, 100, 1},
        {"around", {{5, 15}, {0, 100}}, 100, 1},
        {"over several", {{0, 1}, {2, 3}, {4, 5}, {8, 9}, {1, 6}}, 7, 2},
        {"resumed inside what had come", {{0, 970984}, {700000, 2500000}}, 2500000, 1},
        {"to the end of all numbers", {{UINT64_MAX - 1, UINT64_MAX}, {0, UINT64_MAX}}, UINT64_MAX, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pieces p = {0};
        for (size_t k = 0; k < 6; k++)
            assert_false(pieces_add(&p, cases[i].add[k][0], cases[i].add[k][1]));
        if (pieces_bytes(&p) != cases[i].bytes || p.n != cases[i].n)
            fail_msg("%s: %llu bytes in %u pieces", cases[i].name, (unsigned long long)pieces_bytes(&p), p.n);
        assert_true(pieces_are_exact(&p));
    }
}

#define SIZE 400

static uint32_t next(uint32_t *seed) /* xorshift32 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void assert_sane(const struct pieces *p)
{
    assert_true(p->n <= PIECES_MAX);
    for (uint32_t i = 0; i < p->n; i++) {
        assert_true(p->at[i].from < p->at[i].to);
        assert_true(p->at[i].have <= p->at[i].to - p->at[i].from);
        assert_true(i == 0 || p->at[i - 1].to < p->at[i].from);
    }
}

/* Exact as long as no gap was closed; never too much after that; and all of it again once everything has come. */
static void as_a_map_of_bytes(void **state)
{
    (void)state;
    uint32_t seed = 2463534242u;
    unsigned exact = 0, closed = 0;
    for (int round = 0; round < 3000; round++) {
        struct pieces p = {0}, q = {0};
        bool map[SIZE] = {0};
        bool is_full = false;
        uint32_t longest = round % 3 ? 4 : 60;
        for (uint32_t k = next(&seed) % 120; k; k--) {
            uint64_t from = next(&seed) % SIZE, to = from + next(&seed) % longest;
            to = to < SIZE ? to : SIZE;
            is_full |= pieces_add(k % 2 ? &p : &q, from, to);
            memset(map + from, 1, to - from);
            assert_sane(&p);
            assert_sane(&q);
        }
        is_full |= pieces_join(&p, &q);
        assert_sane(&p);
        uint64_t truth = 0;
        for (size_t i = 0; i < SIZE; i++)
            truth += map[i];
        if (!is_full) {
            assert_int_equal(pieces_bytes(&p), truth);
            assert_true(pieces_are_exact(&p));
            exact++;
        } else {
            assert_true(pieces_bytes(&p) <= truth);
            closed++;
        }
        pieces_add(&p, 0, SIZE);
        assert_int_equal(pieces_bytes(&p), SIZE);
        assert_true(pieces_are_exact(&p));
    }
    assert_true(exact > 500 && closed > 500);
}

static void a_full_list(void **state)
{
    (void)state;
    struct pieces p = {0};
    for (uint64_t i = 0; i < PIECES_MAX; i++)
        assert_false(pieces_add(&p, i * 100, i * 100 + 10 + (i == 7 ? 50 : 0)));
    assert_true(pieces_add(&p, 5000, 5010)); /* the smallest gap is the one behind the longer piece */
    assert_int_equal(p.n, PIECES_MAX);
    assert_int_equal(p.at[7].from, 700);
    assert_int_equal(p.at[7].to, 810);
    assert_int_equal(p.at[7].have, 70);
    assert_int_equal(pieces_bytes(&p), PIECES_MAX * 10 + 50 + 10);
    assert_false(pieces_are_exact(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(as_a_map_of_bytes),
        cmocka_unit_test(a_full_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
