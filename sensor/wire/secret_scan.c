/* SPDX-License-Identifier: Apache-2.0
 * The reading: words, what stands between them, and the values behind names that matter. One pass; JSON, JSON inside of
 * JSON strings, header lines, forms and query strings all have the form name, ':' or '=', value. What a value is worth
 * is decided in secret.c. */
#include "wire/secret.h"

#include <string.h>

#define VALUE_TOTAL 65536u /* a value longer than that is none: a quotation mark was missed */

enum mode { BETWEEN, WORD, BEHIND, VALUE };

static const bool word_bytes[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
    ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1,
    ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1,
    ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1,
    ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1,
    ['Y'] = 1, ['Z'] = 1, ['_'] = 1, ['-'] = 1, ['.'] = 1,
};

void secret_scan_init(struct secret_scan *s, uint64_t now_s)
{
    memset(s, 0, offsetof(struct secret_scan, text));
    s->now_s = now_s;
}

static void put(struct secret_scan *s, const uint8_t *at, size_t size)
{
    size_t room = s->size < SECRET_SCAN_VALUE ? SECRET_SCAN_VALUE - s->size : 0;
    if (room)
        memcpy(s->text + s->size, at, size < room ? size : room);
    s->size += size;
}

static void restart(struct secret_scan *s)
{
    s->mode = BETWEEN;
    s->want = WANT_NOTHING;
    s->assign = s->quote = s->escape = 0;
    s->is_escaped = s->is_key_quoted = false;
    s->size = 0;
}

static void value_begin(struct secret_scan *s)
{
    s->mode = VALUE;
    s->size = 0;
    s->escape = 0;
    s->code = 0;
}

/* Behind a word that may be a name. Returns false when the byte has to be looked at again as the first of a value. */
static bool behind(struct secret_scan *s, uint8_t c)
{
    bool is_space = c == ' ' || c == '\t';
    if (!s->assign) {
        if (c == ':' || c == '=') {
            s->assign = c;
            s->want = (uint8_t)secret_want(s);
            if (s->want == WANT_NOTHING)
                restart(s);
        } else if (c == '"' || c == '\'') {
            s->is_key_quoted = true;
        } else if (c == '\\') {
            s->is_escaped = true;
        } else if (!is_space && c != ']') {
            restart(s);
        }
        return true;
    }
    if (is_space || (c == '[' && !s->quote))
        return true;
    if (c == '\\') {
        s->is_escaped = true;
        return true;
    }
    if (c == '"' || (c == '\'' && !s->is_escaped)) {
        s->quote = c;
        value_begin(s);
        return true;
    }
    bool may_be_bare = !s->is_escaped && secret_want_is_bare((enum secret_want)s->want, s->assign);
    if (c == '\r' || c == '\n' || !may_be_bare) {
        restart(s);
        return true;
    }
    value_begin(s);
    return false;
}

/* Whether the byte ends the value in progress. */
static bool is_end(const struct secret_scan *s, uint8_t c)
{
    if (c == '\n' || c == '\r')
        return true;
    if (s->quote)
        return c == s->quote;
    if (c == '"' || c == '\'' || c == '\\' || c == '<')
        return true;
    if (s->want == WANT_AUTH || s->want == WANT_COOKIES || s->want == WANT_SET_COOKIE)
        return false;
    return c == ' ' || c == '\t' || c == ';' || c == ',' || c == '&' || c == '>' || c == ')' || c == '}' || c == ']';
}

static int hex(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 0;
}

/* One byte behind a backslash in a quoted value. */
static void unescape(struct secret_scan *s, uint8_t c)
{
    if (s->escape == 1) {
        s->escape = c == 'u' ? 5 : 0;
        s->code = 0;
        if (!s->escape)
            put(s, &c, 1);
        return;
    }
    s->code = (uint16_t)(s->code << 4 | hex(c));
    if (--s->escape == 1) {
        uint8_t ascii = s->code < 0x80 ? (uint8_t)s->code : 0x80;
        put(s, &ascii, 1);
        s->escape = 0;
    }
}

/* Reads a value; bytes used up. */
static size_t value(struct secret_scan *s, struct span bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        uint8_t c = bytes.at[at];
        bool is_escape = c == '\\' && s->quote;
        if (s->escape && !(s->is_escaped && c == s->quote)) {
            at++;
            unescape(s, c);
            continue;
        }
        if (is_escape) {
            at++;
            s->escape = 1;
            continue;
        }
        if (is_end(s, c)) {
            secret_value(s);
            bool is_bare = !s->quote;
            restart(s);
            return is_bare ? at : at + 1; /* what ends a bare value may mean something itself */
        }
        size_t run = 1; /* most of a value ends nothing */
        while (at + run < bytes.size && word_bytes[bytes.at[at + run]])
            run++;
        put(s, bytes.at + at, run);
        at += run;
        if (s->size > VALUE_TOTAL) {
            restart(s);
            return at;
        }
    }
    return at;
}

/* Bytes of a word. */
static void word(struct secret_scan *s, const uint8_t *at, size_t size)
{
    if (s->mode != WORD)
        restart(s);
    s->mode = WORD;
    put(s, at, size);
}

/* A byte that is not of a word. Returns false when it is the first of a value. */
static bool between(struct secret_scan *s, uint8_t c)
{
    if (s->mode == WORD) {
        secret_word(s);
        s->mode = BEHIND;
    }
    if (c == '}')
        secret_object_end(s);
    bool is_used = s->mode != BEHIND || behind(s, c);
    s->escape = c == '\\' && s->mode != VALUE;
    return is_used;
}

/* Behind a backslash outside of a value: the letter of an escape is not of the word that follows. Returns false when the
 * byte is none. */
static bool escaped(struct secret_scan *s, uint8_t c)
{
    if (s->escape == 1) {
        bool is_letter = c == 'n' || c == 'r' || c == 't' || c == 'b' || c == 'f';
        if (is_letter)
            restart(s);
        s->escape = c == 'u' ? 5 : 0;
        s->is_escaped = s->is_escaped && c != 'u'; /* it is no escaped quotation mark */
        s->code = 0;
        return is_letter || c == 'u';
    }
    s->code = (uint16_t)(s->code << 4 | hex(c));
    if (--s->escape > 1)
        return true;
    s->escape = 0;
    uint8_t byte = s->code < 0x80 ? (uint8_t)s->code : ' ';
    if (word_bytes[byte])
        word(s, &byte, 1);
    else
        (void)between(s, byte); /* the value, if one begins, begins without it */
    return true;
}

static size_t word_run(struct span bytes, size_t at)
{
    size_t end = at;
    while (end < bytes.size && word_bytes[bytes.at[end]])
        end++;
    return end - at;
}

/* Between words: passes by what can be neither a name nor a key. Bytes used up. */
static size_t pass_by(const struct secret_scan *s, struct span bytes, size_t from)
{
    size_t at = from;
    while (at < bytes.size) {
        uint8_t c = bytes.at[at];
        if (!word_bytes[c]) {
            if (c == '}' || c == '\\')
                break;
            at++;
            continue;
        }
        size_t run = word_run(bytes, at);
        struct span word = span_of(bytes.at + at, run);
        if (at + run == bytes.size || run >= SECRET_WORD || c == '-' || s->pem || secret_has_tail(word))
            break;
        at += run;
    }
    return at - from;
}

void secret_scan_feed(struct secret_scan *s, struct span bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        if (s->mode == VALUE) {
            at += value(s, span_from(bytes, at));
            continue;
        }
        if (s->escape && escaped(s, bytes.at[at])) {
            at++;
            continue;
        }
        if (s->mode == BETWEEN) {
            at += pass_by(s, bytes, at);
            if (at == bytes.size)
                break;
        }
        size_t run = word_run(bytes, at);
        if (!run) {
            at += between(s, bytes.at[at]);
        } else if (s->mode != BEHIND || !s->assign || behind(s, bytes.at[at])) {
            word(s, bytes.at + at, run);
            at += run;
        }
    }
}

void secret_scan_break(struct secret_scan *s, bool is_cut)
{
    restart(s);
    secret_object_end(s);
    s->section = 0;
    s->pem = 0;
    s->is_cut |= is_cut;
}

void secret_scan_end(struct secret_scan *s, struct file_facts *out)
{
    if (s->mode == VALUE && !s->quote)
        secret_value(s);
    else if (s->mode == WORD)
        secret_word(s);
    secret_object_end(s);
    out->is_scanned = true;
    out->is_cut |= s->is_cut;
    out->expired = s->expired;
    memcpy(out->secrets, s->counts, sizeof out->secrets);
    explicit_bzero(s, sizeof *s);
}
