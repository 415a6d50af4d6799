/* SPDX-License-Identifier: Apache-2.0
 * Walks parameters, minding quoted strings that are really closed. */
#include "wire/param.h"

/* A longer quoted string is taken as plain characters: a bound on what unclosed marks can make us look at again. */
#define QUOTED_MAX 1024

/* Where the quoted string that opens at 'from' ends (behind its closing mark), or 0 when it is no proper one. */
static size_t quoted_end(struct span s, size_t from)
{
    s = span_sub(s, 0, from + QUOTED_MAX);
    size_t at = from + 1;
    while (at < s.size && s.at[at] != '"')
        at += s.at[at] == '\\' ? 2 : 1;
    if (at >= s.size)
        return 0;
    at++;
    if (at == s.size)
        return at;
    uint8_t next = s.at[at];
    return next == ';' || next == ',' || next == ' ' || next == '\t' ? at : 0;
}

/* Index of the next 'separator' outside quoted strings, or s.size. */
static size_t find_outside(struct span s, uint8_t separator)
{
    size_t at = 0;
    while (at < s.size && s.at[at] != separator) {
        size_t end = s.at[at] == '"' ? quoted_end(s, at) : 0;
        at = end ? end : at + 1;
    }
    return at;
}

bool param_split(struct span *rest, uint8_t separator, struct span *part)
{
    if (!rest->at)
        return false;
    size_t end = find_outside(*rest, separator);
    *part = span_trim(span_sub(*rest, 0, end));
    *rest = end < rest->size ? span_from(*rest, end + 1) : span_of(NULL, 0);
    return true;
}

bool param_next(struct span *rest, struct span *name, struct span *value)
{
    struct span part;
    while (param_split(rest, ';', &part)) {
        if (part.size == 0)
            continue;
        size_t equals = span_find_byte(part, '=', 0);
        *name = span_trim(span_sub(part, 0, equals));
        *value = equals == SIZE_MAX ? span_of(NULL, 0) : span_trim(span_from(part, equals + 1));
        return true;
    }
    return false;
}

struct span param_inside(struct span raw)
{
    if (raw.size >= 2 && raw.at[0] == '"' && raw.at[raw.size - 1] == '"')
        return span_sub(raw, 1, raw.size - 2);
    return raw;
}

struct span param_value(struct span raw, bool only_quotes, struct arena *a)
{
    struct span s = param_inside(raw);
    if (s.size == raw.size || span_find_byte(s, '\\', 0) == SIZE_MAX)
        return s;
    uint8_t *to = arena_alloc(a, s.size);
    if (!to)
        return span_of(NULL, 0);
    size_t size = 0;
    for (size_t at = 0; at < s.size; at++) {
        if (s.at[at] == '\\' && at + 1 < s.size && (!only_quotes || s.at[at + 1] == '"' || s.at[at + 1] == '\\'))
            at++;
        to[size++] = s.at[at];
    }
    return span_of(to, size);
}
