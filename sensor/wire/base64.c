/* SPDX-License-Identifier: Apache-2.0
 * One table for both alphabets; groups of four symbols, closed early by padding. */
#include "wire/base64.h"

#include "base/err.h"

enum { SKIP = 64, PAD = 65, BAD = 66 };

/* By character: 1 + what it stands for (0-63, or one of the above); 0 for those of neither alphabet. */
static const uint8_t symbols[256] = {
    ['A'] = 1,       ['B'] = 2,  ['C'] = 3,  ['D'] = 4,        ['E'] = 5,         ['F'] = 6,         ['G'] = 7,
    ['H'] = 8,       ['I'] = 9,  ['J'] = 10, ['K'] = 11,       ['L'] = 12,        ['M'] = 13,        ['N'] = 14,
    ['O'] = 15,      ['P'] = 16, ['Q'] = 17, ['R'] = 18,       ['S'] = 19,        ['T'] = 20,        ['U'] = 21,
    ['V'] = 22,      ['W'] = 23, ['X'] = 24, ['Y'] = 25,       ['Z'] = 26,        ['a'] = 27,        ['b'] = 28,
    ['c'] = 29,      ['d'] = 30, ['e'] = 31, ['f'] = 32,       ['g'] = 33,        ['h'] = 34,        ['i'] = 35,
    ['j'] = 36,      ['k'] = 37, ['l'] = 38, ['m'] = 39,       ['n'] = 40,        ['o'] = 41,        ['p'] = 42,
    ['q'] = 43,      ['r'] = 44, ['s'] = 45, ['t'] = 46,       ['u'] = 47,        ['v'] = 48,        ['w'] = 49,
    ['x'] = 50,      ['y'] = 51, ['z'] = 52, ['0'] = 53,       ['1'] = 54,        ['2'] = 55,        ['3'] = 56,
    ['4'] = 57,      ['5'] = 58, ['6'] = 59, ['7'] = 60,       ['8'] = 61,        ['9'] = 62,        ['+'] = 63,
    ['/'] = 64,      ['-'] = 63, ['_'] = 64, [' '] = SKIP + 1, ['\t'] = SKIP + 1, ['\r'] = SKIP + 1, ['\n'] = SKIP + 1,
    ['='] = PAD + 1,
};

static uint8_t symbol_of(uint8_t c)
{
    uint8_t symbol = symbols[c];
    return symbol ? symbol - 1 : BAD;
}

int base64_decode(struct span text, void *out, size_t max, size_t *size)
{
    uint8_t *to = out;
    uint32_t group = 0;
    unsigned n = 0; /* symbols in 'group' */
    bool is_padded = false;
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t symbol = symbol_of(text.at[i]);
        if (symbol == SKIP)
            continue;
        if (symbol == PAD) {
            if (n < 2)
                return E_BAD;
            is_padded = true;
            continue;
        }
        if (symbol == BAD || is_padded)
            return E_BAD;
        group = group << 6 | symbol;
        n = n == 3 ? 0 : n + 1;
        /* a byte is whole with the second, third and fourth symbol */
        if (n == 1)
            continue;
        if (*size == max)
            return E_LIMIT;
        to[(*size)++] = (uint8_t)(group >> (n == 2 ? 4 : n == 3 ? 2 : 0));
    }
    return n == 1 ? E_BAD : E_OK;
}

/* A group ends with its fourth symbol, or with padding that fills it up. */
static void end_group(struct base64_count *c)
{
    c->groups_bytes += (uint64_t)c->pending * 3 / 4;
    c->pending = 0;
    c->pads = 0;
}

#define BLOCK 16
typedef uint8_t block __attribute__((vector_size(BLOCK)));

/* Sixteen at a time, in the compiler's own vectors. */
static bool is_block_of_symbols(const uint8_t *at)
{
    block c;
    uint64_t half[2];
    memcpy(&c, at, sizeof c);
    block is_letter = (block)((c | 0x20) - 'a' < 26), is_digit = (block)(c - '0' < 10);
    block is_mark = (block)(c == '+') | (block)(c == '/') | (block)(c == '-') | (block)(c == '_');
    block is_symbol = is_letter | is_digit | is_mark;
    memcpy(half, &is_symbol, sizeof half);
    return (half[0] & half[1]) == UINT64_MAX;
}

/* Counts the symbols 's' begins with; the bulk of a text runs through here. */
static size_t count_run(struct span s)
{
    size_t n = 0;
    while (s.size - n >= BLOCK && is_block_of_symbols(s.at + n))
        n += BLOCK;
    while (n < s.size && (uint8_t)(symbols[s.at[n]] - 1) < SKIP) /* 0 wraps to above */
        n++;
    return n;
}

void base64_count_feed(struct base64_count *c, struct span text)
{
    while (text.size) {
        size_t run = count_run(text);
        if (run) {
            c->is_bad |= c->pads != 0;
            if (c->pads)
                end_group(c);
            c->symbols += run;
            uint64_t all = c->pending + run;
            c->groups_bytes += all / 4 * 3;
            c->pending = (uint8_t)(all % 4);
            text = span_from(text, run);
            continue;
        }
        uint8_t symbol = symbol_of(text.at[0]);
        text = span_from(text, 1);
        if (symbol == PAD) {
            c->is_bad |= c->pending < 2;
            if (c->pending >= 2 && c->pending + ++c->pads == 4)
                end_group(c);
        } else if (symbol == BAD) {
            c->is_bad = true;
        }
    }
}

uint64_t base64_count_size(const struct base64_count *c, bool *is_exact)
{
    if (is_exact)
        *is_exact = !c->is_bad && c->pending != 1;
    return c->groups_bytes + (uint64_t)c->pending * 3 / 4;
}
