/* SPDX-License-Identifier: Apache-2.0
 * Undoing the encodings a value may stand in inside a page. */
#include "app/extract.h"

#include "base/hex.h"
#include "wire/unicode.h"

struct sink {
    uint8_t *at;
    size_t size, max;
    bool is_full;
};

static void put(struct sink *s, struct span bytes)
{
    if (bytes.size > s->max - s->size)
        s->is_full = true;
    if (s->is_full)
        return;
    memcpy(s->at + s->size, bytes.at, bytes.size);
    s->size += bytes.size;
}

static void put_code(struct sink *s, uint32_t code)
{
    uint8_t utf8[4];
    put(s, span_of(utf8, unicode_put(code, utf8)));
}

/* Digits of a base at the front; how many there were. */
static size_t number(struct span s, int base, size_t max, uint32_t *value)
{
    size_t n = 0;
    *value = 0;
    while (n < s.size && n < max && hex_digit(s.at[n]) >= 0 && hex_digit(s.at[n]) < base)
        *value = *value * (uint32_t)base + (uint32_t)hex_digit(s.at[n++]);
    return n;
}

/* One character reference after '&'; bytes used, 0 when it is none. */
static size_t html_reference(struct span s, struct sink *out)
{
    static const struct {
        struct span name;
        char c;
    } named[] = {{SPAN("amp;"), '&'}, {SPAN("lt;"), '<'}, {SPAN("gt;"), '>'}, {SPAN("quot;"), '"'}, {SPAN("apos;"), '\''}};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (span_starts(s, named[i].name)) {
            put(out, span_of(&named[i].c, 1));
            return named[i].name.size;
        }
    if (s.size < 3 || s.at[0] != '#')
        return 0;
    uint32_t code;
    bool is_hex = s.at[1] == 'x' || s.at[1] == 'X';
    size_t from = is_hex ? 2 : 1, n = number(span_from(s, from), is_hex ? 16 : 10, 7, &code);
    if (n == 0 || from + n >= s.size || s.at[from + n] != ';')
        return 0;
    put_code(out, code);
    return from + n + 1;
}

/* One escape after '\\'; bytes used, 0 when it is none. */
static size_t json_escape(struct span s, struct sink *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *hit = s.size && s.at[0] ? strchr(from, s.at[0]) : NULL;
    if (hit) {
        put(out, span_of(&to[hit - from], 1));
        return 1;
    }
    uint32_t high, low;
    if (s.size < 5 || s.at[0] != 'u' || number(span_from(s, 1), 16, 4, &high) != 4)
        return 0;
    bool has_low = high >= 0xd800 && high < 0xdc00 && s.size >= 11 && s.at[5] == '\\' && s.at[6] == 'u' &&
                   number(span_from(s, 7), 16, 4, &low) == 4 && low >= 0xdc00 && low < 0xe000;
    put_code(out, has_low ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : high);
    return has_low ? 11 : 5;
}

static size_t percent(struct span s, struct sink *out)
{
    uint32_t code;
    if (number(s, 16, 2, &code) != 2)
        return 0;
    uint8_t byte = (uint8_t)code;
    put(out, span_of(&byte, 1));
    return 2;
}

size_t extract_decode(enum decode how, struct span raw, uint8_t *out, size_t max)
{
    struct sink sink = {out, 0, max, false};
    static const char mark[] = {0, '&', '\\', '%'};
    while (raw.size && !sink.is_full) {
        size_t next = how == DECODE_NONE ? SIZE_MAX : span_find_byte(raw, (uint8_t)mark[how], 0);
        put(&sink, span_sub(raw, 0, next));
        if (next == SIZE_MAX)
            break;
        struct span rest = span_from(raw, next + 1);
        size_t used = how == DECODE_HTML   ? html_reference(rest, &sink)
                      : how == DECODE_JSON ? json_escape(rest, &sink)
                                           : percent(rest, &sink);
        if (used == 0)
            put(&sink, span_sub(raw, next, 1));
        raw = span_from(rest, used);
    }
    return sink.is_full ? 0 : sink.size;
}
